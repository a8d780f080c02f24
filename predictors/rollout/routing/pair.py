"""Routing by a pair of InferenceServices and a route of the rollout's own: any KServe in Standard mode with the Gateway
API.

NAME holds the stable version and NAME-canary the new one. Both are labelled cluster-local, so that KServe makes no
route for them; the HTTPRoute NAME-rollout leads the public host to both by weight. At 100 the stable InferenceService
takes the new predictor in place, without traffic, gets the traffic back, and the canary goes. So the new version is
loaded twice, and names never change.

An InferenceService that KServe routes is adopted in an order that leaves no gap: the rollout's route is made and
accepted beside KServe's (of two routes with the same host the older wins); then the label, so that KServe lets its
routes be; then these lose their hosts. They are deleted at the end of the next rollout.
"""

import copy

from predictors.rollout.engine.state import (
    FULL,
    Action,
    Create,
    Pods,
    Prepare,
    Promote,
    RemoveCanary,
    Seen,
    SetShadow,
    SetWeight,
    StartCanary,
    Update,
)
from predictors.rollout.kube.api import Api, Object
from predictors.rollout.routing import services
from predictors.rollout.routing.autoscalers import Autoscalers
from predictors.rollout.routing.objects import (
    CLASS_ANNOTATION,
    MODE_ANNOTATION,
    VISIBILITY_LABEL,
    covers,
    is_accepted,
    is_foreign,
    pods_of,
    revision_of,
    variant,
    weight_in,
)
from predictors.rollout.routing.public_route import PublicRoute
from predictors.rollout.routing.router import Look
from predictors.rollout.routing.target import Target

_LOCAL = {VISIBILITY_LABEL: "cluster-local"}


class PairRouter:
    """See the module's docstring.

    Args:
        api: the API server.
        target: the InferenceService and its template.
    """

    name = "pair"

    def __init__(self, api: Api, target: Target) -> None:
        self._api = api
        self._target = target
        self._autoscalers = Autoscalers(api, target)
        self._route = PublicRoute(api, target)
        self._canary_name = f"{target.name}-canary"
        self._stable_backend = f"{target.name}-predictor"
        self._canary_backend = f"{self._canary_name}-predictor"

    # ---- Looking

    def look(self) -> Look:
        """What is there now."""
        target = self._target
        service, canary = self._service(target.name), self._service(self._canary_name)
        taken, refusal = self._taken(canary), self._never_works(service)
        if service is None or taken or (refusal and canary is None):
            return Look(Seen(refusal=refusal or taken))
        predictor = service["spec"]["predictor"]
        deployment = self._deployment(target.name, self._stable_backend)
        stable_pods = pods_of(self._api, target.namespace, self._stable_backend)
        canary_pods = pods_of(self._api, target.namespace, self._canary_backend) if canary else []
        route = self._route.get()
        base = self._base(predictor, deployment, canary)
        is_wanted = services.is_wanted(target, predictor)
        seen = Seen(
            stable=variant(deployment, stable_pods, revision_of(predictor), base),
            stable_is_wanted=is_wanted,
            canary=self._canary_pods(canary, canary_pods),
            canary_is_wanted=canary is not None and revision_of(canary["spec"]["predictor"]) == target.revision,
            base=base,
            weight=self._weight(route),
            routed=self._routed(route),
            prepared=self._is_prepared(service, route),
            outdated=canary is None and not self._is_at_rest(service),
            edited=self._edited(service, canary, is_wanted),
            refusal=refusal,
        )
        new = canary["spec"]["predictor"] if canary else {}
        return Look(seen, stable_pods, canary_pods, predictor, new, self._canary_backend)

    def _service(self, name: str) -> Object | None:
        return services.get(self._api, self._target.namespace, name)

    def _deployment(self, service: str, name: str) -> Object | None:
        return services.deployments(self._api, self._target.namespace, service).get(name)

    def _canary_pods(self, canary: Object | None, pods: list[Object]) -> Pods | None:
        if canary is None:
            return None
        predictor = canary["spec"]["predictor"]
        if self._target.autoscaling is None:
            asked = int(predictor.get("minReplicas", 1))
        else:
            asked = self._autoscalers.canary_minimum() or 0
        return variant(self._deployment(self._canary_name, self._canary_backend), pods, revision_of(predictor), asked)

    def _base(self, predictor: Object, deployment: Object | None, canary: Object | None) -> int:
        replicas = int((deployment or {"spec": {}})["spec"].get("replicas", 1))
        if self._target.autoscaling is not None:
            return max(self._autoscalers.stable_minimum() or self._target.minimum, replicas)
        written = int(predictor.get("minReplicas", 1))
        return written if canary else max(written, replicas)

    def _weight(self, route: Object | None) -> int:
        return 0 if route is None else weight_in(route, self._canary_backend) or 0

    def _routed(self, route: Object | None) -> int | None:
        return weight_in(route, self._canary_backend) if route and is_accepted(route) else None

    def _is_prepared(self, service: Object, route: Object | None) -> bool:
        is_local = covers(_LOCAL, service["metadata"].get("labels"))
        is_routed = route is not None and self._is_undivided(route) and is_accepted(route)
        return is_local and is_routed and not self._route.is_shared()

    def _is_undivided(self, route: Object) -> bool:
        """Whether a route leads to the stable version and names nothing else, as it has to without a canary."""
        backends = {ref["name"] for rule in route["spec"].get("rules", []) for ref in rule.get("backendRefs", [])}
        return backends == {self._stable_backend}

    def _is_at_rest(self, service: Object) -> bool:
        return (
            services.has_metadata(self._target, service)
            and services.has_scaling(self._target, service["spec"]["predictor"])
            and self._autoscalers.is_at_rest(self._stable_backend)
        )

    def _edited(self, service: Object, canary: Object | None, is_wanted: bool) -> str:
        if canary is not None:
            predictor = canary["spec"]["predictor"]
            if revision_of(predictor) == self._target.revision and not covers(self._canary_predictor(), predictor):
                return f"somebody else changed the InferenceService {self._canary_name}"
        return services.edited(self._target, service, is_wanted)

    def _never_works(self, service: Object | None) -> str:
        target = self._target
        if target.too_long:
            return target.too_long
        if target.annotations.get(MODE_ANNOTATION, "Standard") != "Standard":
            return "pair routing needs KServe's Standard mode"
        if not self._containers(target.wanted):
            return "the template's predictor has neither `model` nor `containers`"
        if service is not None and service["spec"].get("canary"):
            return "the InferenceService has a canary; promote or remove it first"
        if service is not None and service["spec"]["predictor"].get("name"):
            return "the InferenceService's predictor has a name, from a canary's promotion; use routing: canary"
        return self._route.refusal()

    def _taken(self, canary: Object | None) -> str:
        """Why the canary's name is not free: what somebody else serves by it must not be removed."""
        if canary is None or not is_foreign(canary, self._target.name):
            return ""
        if revision_of(canary["spec"]["predictor"]) and not canary["metadata"].get("ownerReferences"):
            return ""
        return f"there is an InferenceService {self._canary_name} that is not the rollout's; it needs another name"

    # ---- Acting

    def act(self, action: Action) -> None:
        """Take an action."""
        if isinstance(action, Create):
            return self._create()
        service = self._service(self._target.name)
        if service is None:
            return None
        match action:
            case Prepare():
                self._prepare(service)
            case StartCanary(pods, base):
                self._start(service, pods, base)
            case SetWeight(weight):
                self._write_route(weight)
            case Promote(base):
                self._promote(service, base)
            case RemoveCanary():
                # A route that names a Service which is gone is one that the gateway does not take.
                self._route.write({self._stable_backend: FULL})
                self._api.delete("InferenceService", self._target.namespace, self._canary_name)
                self._autoscalers.remove_canary()
                self._route.remove_parked()
            case Update():
                self._update(service)
            case SetShadow():
                pass
        return None

    def _create(self) -> None:
        target = self._target
        services.create(self._api, target, target.name, services.first(target), _LOCAL)
        self._autoscalers.set_stable(self._stable_backend, target.minimum)

    def _prepare(self, service: Object) -> None:
        """The route first; once it is accepted, the label; once the pods have followed that, KServe's routes."""
        route = self._route.get()
        if route is None:
            # Without the Service it would not be known whether there is a gRPC port.
            if self._api.get("Service", self._target.namespace, self._stable_backend):
                self._write_route(0)
        elif not self._is_undivided(route) or not is_accepted(route):
            self._write_route(0)
        elif not covers(_LOCAL, service["metadata"].get("labels")):
            service["metadata"]["labels"] = service["metadata"].get("labels", {}) | _LOCAL
            self._api.replace(service)
        elif self._follows(_LOCAL):
            self._route.unshare()

    def _follows(self, labels: dict[str, str]) -> bool:
        """Whether KServe has seen labels of the InferenceService: it copies them to the Deployment."""
        deployment = self._deployment(self._target.name, self._stable_backend)
        return deployment is not None and covers(labels, deployment["metadata"].get("labels"))

    def _start(self, service: Object, pods: int, base: int) -> None:
        target, predictor = self._target, service["spec"]["predictor"]
        self._autoscalers.set_stable(self._stable_backend, base)
        if target.autoscaling is None and predictor.get("minReplicas", 1) != base:
            services.set_minimum(predictor, base)
            self._api.replace(service)
        wanted = self._canary_predictor() | target.scaling
        services.set_minimum(wanted, pods if target.autoscaling is None else 1)
        canary = self._service(self._canary_name)
        if canary is None:
            services.create(self._api, self._of_canary(), self._canary_name, wanted, _LOCAL)
        else:
            self._api.replace(canary | {"spec": {"predictor": wanted}})
        self._autoscalers.set_canary(self._canary_backend, pods)

    def _of_canary(self) -> Target:
        """The template as it is for NAME-canary: an HPA of the chart's own is none of the canary's."""
        template = copy.deepcopy(self._target.template)
        if self._target.autoscaling is None and template.metadata.annotations.get(CLASS_ANNOTATION) == "external":
            template.metadata.annotations[CLASS_ANNOTATION] = "none"
        return Target(
            self._target.namespace, self._target.name, template, self._target.autoscaling, owners=self._target.owners
        )

    def _canary_predictor(self) -> Object:
        """The wanted predictor, which answers by the stable one's model name."""
        predictor = copy.deepcopy(self._target.wanted)
        for container in self._containers(predictor):
            args = list(container.get("args") or [])
            if not any(arg.startswith("--model_name") for arg in args):
                container["args"] = [*args, f"--model_name={self._target.name}"]
        return predictor

    @staticmethod
    def _containers(predictor: Object) -> list[Object]:
        return [predictor["model"]] if "model" in predictor else list(predictor.get("containers", []))[:1]

    def _promote(self, service: Object, base: int) -> None:
        predictor = self._target.wanted | self._target.scaling
        if self._target.autoscaling is None:
            services.set_minimum(predictor, base)
        service["spec"] = {**service["spec"], "predictor": predictor}
        self._api.replace(service)

    def _update(self, service: Object) -> None:
        target = self._target
        service["spec"]["predictor"] = services.restored(target, service["spec"]["predictor"])
        canary = self._service(self._canary_name)
        if canary is not None and revision_of(canary["spec"]["predictor"]) == target.revision:
            pods = int(canary["spec"]["predictor"].get("minReplicas", 1))
            predictor = self._canary_predictor() | target.scaling
            services.set_minimum(predictor, pods)
            self._api.replace(canary | {"spec": {"predictor": predictor}})
        if canary is None:
            self._autoscalers.release(service)
        services.put(self._api, target, service)
        if canary is None:
            self._autoscalers.rest(self._stable_backend)

    def _write_route(self, weight: int) -> None:
        """The canary is left out while it is not there."""
        if self._service(self._canary_name) is not None and self._api.get(
            "Service", self._target.namespace, self._canary_backend
        ):
            self._route.write({self._stable_backend: FULL - weight, self._canary_backend: weight})
        else:
            self._route.write({self._stable_backend: FULL})
