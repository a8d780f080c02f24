"""Routing by KServe's own canaries: `spec.canary`, in Standard mode, from KServe 0.21 on.

The canary is an entry in the InferenceService; its promotion is a rename: the entry's pods become the stable version's,
and none restarts. What has to be got right around that, and is here:
  - KServe takes a ready canary's pods off the stable version's minimum, so the minimum is raised by them before;
  - it deletes what is orphaned before it rewrites the routes, so nothing is removed that has traffic (the engine's
  part);
  - it merges the canary's predictor over the stable one, so what the new version does not have cannot be taken away;
  - it leaves the HPAs of removed canaries behind.
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
    MODE_ANNOTATION,
    MODEL_LABEL,
    SCALING_FIELDS,
    VISIBILITY_LABEL,
    covers,
    is_accepted,
    pods_of,
    revision_of,
    storage_uri,
    variant,
    weight_in,
    without,
)
from predictors.rollout.routing.router import Look
from predictors.rollout.routing.target import Target

# Defaults that KServe's webhook may add to a predictor, which a canary need not repeat.
_DEFAULTED = ("name", "labels", *SCALING_FIELDS)


class CanaryRouter:
    """See the module's docstring.

    Args:
        api: the API server.
        target: the InferenceService and its template.
    """

    name = "canary"

    def __init__(self, api: Api, target: Target) -> None:
        self._api = api
        self._target = target
        self._autoscalers = Autoscalers(api, target)

    # ---- Looking

    def look(self) -> Look:
        """What is there now."""
        target = self._target
        service = self._service()
        if service is None:
            return Look(Seen(refusal=self._never_works()))
        if self._has_foreign(service):
            return Look(
                Seen(refusal="the InferenceService has a canary that is not the rollout's; promote or remove it first")
            )
        predictor, entry = service["spec"]["predictor"], self._entry(service)
        stable_name, canary_name = self._deployment(predictor), self._deployment(entry) if entry else ""
        deployments = services.deployments(self._api, target.namespace, target.name)
        stable_pods = pods_of(self._api, target.namespace, stable_name)
        canary_pods = pods_of(self._api, target.namespace, canary_name) if entry else []
        base = self._base(predictor, entry, deployments.get(stable_name))
        routed = self._routed(stable_name, canary_name)
        stable = variant(deployments.get(stable_name), stable_pods, revision_of(predictor), base)
        if not entry and routed is None:
            stable = Pods(stable.asked, stable.ready, False, stable.problem)
        is_wanted = services.is_wanted(target, predictor)
        edited = self._edited(service, is_wanted)
        seen = Seen(
            stable=stable,
            stable_is_wanted=is_wanted,
            canary=self._canary_pods(entry, deployments.get(canary_name), canary_pods),
            canary_is_wanted=bool(entry) and revision_of(entry) == target.revision,
            base=base,
            weight=self._weight(service),
            routed=routed,
            outdated=entry == {} and not self._is_at_rest(service, stable_name),
            edited=edited,
            # What another hand wrote is undone first, and says nothing of the rollout.
            refusal=self._never_works() or ("" if edited else self._refusal(service, is_wanted)),
        )
        return Look(seen, stable_pods, canary_pods, predictor, entry, canary_name)

    def _service(self) -> Object | None:
        return services.get(self._api, self._target.namespace, self._target.name)

    def _deployment(self, predictor: Object) -> str:
        return services.deployment_name(self._target.name, predictor)

    def _canary_pods(self, entry: Object, deployment: Object | None, pods: list[Object]) -> Pods | None:
        if not entry:
            return None
        own = self._autoscalers.canary_minimum()
        asked = entry.get("minReplicas", 1) if self._target.autoscaling is None else own or 0
        return variant(deployment, pods, revision_of(entry), asked)

    def _has_foreign(self, service: Object) -> bool:
        """Whether there is a canary that somebody else made."""
        entries = service["spec"].get("canary") or []
        return len(entries) > 1 or any(not revision_of(entry["predictor"]) for entry in entries)

    def _entry(self, service: Object) -> Object:
        """The canary's predictor; empty if there is none."""
        entries: list[Object] = service["spec"].get("canary") or []
        return dict(entries[0]["predictor"]) if entries else {}

    def _weight(self, service: Object) -> int:
        entries: list[Object] = service["spec"].get("canary") or []
        return int(entries[0].get("trafficPercent", 0)) if entries else 0

    def _base(self, predictor: Object, entry: Object, deployment: Object | None) -> int:
        replicas = int((deployment or {"spec": {}})["spec"].get("replicas", 1))
        if self._target.autoscaling is not None:
            written = self._autoscalers.stable_minimum() or self._target.minimum
            return max(written, replicas)
        if entry:
            return max(1, int(predictor.get("minReplicas", 1)) - int(entry.get("minReplicas", 1)))
        return max(int(predictor.get("minReplicas", 1)), replicas)

    def _routed(self, stable: str, canary: str) -> int | None:
        """The canary's share in both of KServe's routes, or None if they differ, are not accepted yet, or lead
        elsewhere.
        """
        shares = set()
        for name in (self._target.name, f"{self._target.name}-predictor"):
            route = self._api.get("HTTPRoute", self._target.namespace, name)
            if route is None or not is_accepted(route):
                return None
            share = weight_in(route, canary)
            if share is None or weight_in(route, stable) != FULL - share:
                return None
            shares.add(share)
        return shares.pop() if len(shares) == 1 else None

    def _is_at_rest(self, service: Object, deployment: str) -> bool:
        return (
            services.has_metadata(self._target, service)
            and services.has_scaling(self._target, service["spec"]["predictor"])
            and self._autoscalers.is_at_rest(deployment)
            and not self._leftovers(deployment)
        )

    def _leftovers(self, deployment: str) -> list[str]:
        """HPAs that KServe made for Deployments that are gone."""
        found = self._api.list(
            "HorizontalPodAutoscaler", self._target.namespace, f"{MODEL_LABEL}={self._target.name},component=predictor"
        )
        names = [str(each["metadata"]["name"]) for each in found]
        # One of a person's own may have the labels, but not such a name.
        ours = [name for name in names if name.startswith(f"{self._target.name}-") and name.endswith("-predictor")]
        return [name for name in ours if name != deployment]

    def _edited(self, service: Object, is_wanted: bool) -> str:
        entry = self._entry(service)
        if (
            entry
            and revision_of(entry) == self._target.revision
            and not covers(without(self._wanted_entry(), "minReplicas"), entry)
        ):
            return "somebody else changed the canary in the InferenceService"
        return services.edited(self._target, service, is_wanted)

    def _never_works(self) -> str:
        target = self._target
        if target.too_long:
            return target.too_long
        if target.annotations.get(MODE_ANNOTATION) != "Standard":
            return f"canary routing needs the annotation {MODE_ANNOTATION}: Standard in the template"
        if "model" not in target.wanted:
            return "canary routing needs a predictor with `model`; use routing: pair"
        return ""

    def _refusal(self, service: Object, is_wanted: bool) -> str:
        entries = service["spec"].get("canary") or []
        local = {VISIBILITY_LABEL: "cluster-local"}
        if covers(local, service["metadata"].get("labels")):
            return "KServe makes no routes for a cluster-local InferenceService; use routing: pair"
        if is_wanted or entries:
            return ""
        stable = service["spec"]["predictor"]
        if storage_uri(stable) == storage_uri(self._target.wanted):
            return "KServe promotes a canary only to another storageUri; give the version its own, or use routing: pair"
        lost = _lost(without(stable, *_DEFAULTED), without(self._target.wanted, *_DEFAULTED))
        if lost:
            return f"KServe cannot take {lost} away in a canary; use routing: pair"
        return ""

    # ---- Acting

    def act(self, action: Action) -> None:
        """Take an action."""
        if isinstance(action, Create):
            return self._create()
        service = self._service()
        if service is None:
            return None
        match action:
            case StartCanary(pods, base):
                self._start(service, pods, base)
            case SetWeight(weight):
                service["spec"]["canary"][0]["trafficPercent"] = weight
                self._api.replace(service)
            case Promote(base):
                self._promote(service, base)
            case RemoveCanary():
                self._remove(service)
            case Update():
                self._update(service)
            case Prepare() | SetShadow():
                pass
        return None

    def _create(self) -> None:
        target = self._target
        services.create(self._api, target, target.name, services.first(target))
        self._autoscalers.set_stable(self._deployment({}), target.minimum)

    def _start(self, service: Object, pods: int, base: int) -> None:
        predictor = service["spec"]["predictor"]
        self._autoscalers.set_stable(self._deployment(predictor), base)
        entry = self._wanted_entry()
        if self._target.autoscaling is None:
            entry["minReplicas"] = pods
            services.set_minimum(predictor, base + pods)
        service["spec"]["canary"] = [{"trafficPercent": self._weight(service), "predictor": entry}]
        self._api.replace(service)
        self._autoscalers.set_canary(self._deployment(entry), pods)

    def _wanted_entry(self) -> Object:
        entry = copy.deepcopy(self._target.wanted)
        entry["name"] = f"r{self._target.revision}"
        entry["minReplicas"] = 1
        # KServe's schema requires a name here, and its webhook refuses one that is not empty on promotion.
        entry["model"] = entry["model"] | {"name": ""}
        return entry

    def _promote(self, service: Object, base: int) -> None:
        entry = self._entry(service)
        predictor = self._target.wanted | self._target.scaling | {"name": entry["name"]}
        services.set_minimum(predictor, base if self._target.autoscaling is None else 1)
        service["spec"] = without(service["spec"], "canary") | {"predictor": predictor}
        self._api.replace(service)
        self._autoscalers.remove_canary()
        self._autoscalers.set_stable(self._deployment(predictor), base)

    def _remove(self, service: Object) -> None:
        predictor = service["spec"]["predictor"]
        base = self._base(predictor, self._entry(service), None)
        service["spec"] = without(service["spec"], "canary")
        if self._target.autoscaling is None:
            services.set_minimum(predictor, base)
        self._api.replace(service)
        self._autoscalers.remove_canary()

    def _update(self, service: Object) -> None:
        target = self._target
        predictor, entry = service["spec"]["predictor"], self._entry(service)
        restored = services.restored(target, predictor)
        if revision_of(entry) == target.revision:
            # One of an earlier template stays as it is until its traffic is gone.
            pods = int(entry.get("minReplicas", 1))
            service["spec"]["canary"][0]["predictor"] = self._wanted_entry() | {"minReplicas": pods}
        if entry:
            services.set_minimum(restored, int(predictor.get("minReplicas", 1)))
        else:
            self._autoscalers.release(service)
        service["spec"]["predictor"] = restored
        services.put(self._api, target, service)
        if not entry:
            self._autoscalers.rest(self._deployment(restored))
            for name in self._leftovers(self._deployment(restored)):
                self._api.delete("HorizontalPodAutoscaler", target.namespace, name)


def _lost(stable: Object, wanted: Object, path: str = "") -> str:
    """A field that the stable version has and the wanted one lacks; empty if there is none."""
    for key, value in stable.items():
        if not value:
            continue
        if not wanted.get(key):
            if path == "model" and key in ("name", "resources", "protocolVersion"):
                continue  # the webhook's defaults
            return f"{path}.{key}".lstrip(".")
        if (
            isinstance(value, dict)
            and isinstance(wanted[key], dict)
            and (lost := _lost(value, wanted[key], f"{path}.{key}".lstrip(".")))
        ):
            return lost
    return ""
