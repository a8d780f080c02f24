"""Routing by Knative: `canaryTrafficPercent`, in KServe's Knative mode.

The InferenceService holds the newest revision's predictor, and the revision before it keeps the rest of the traffic. So
the canary is written over the stable version's predictor, and Knative remembers that one. A rollback leaves the new
predictor there with a share of 0; the next rollout writes another over it.
"""

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
from predictors.rollout.routing.objects import (
    MODE_ANNOTATION,
    REVISION_LABEL,
    is_going,
    problem_of,
    revision_of,
    without,
)
from predictors.rollout.routing.router import Look
from predictors.rollout.routing.target import Target

_REVISION = "serving.knative.dev/revision"
_PERCENT = "canaryTrafficPercent"
_ROUTED = "PredictorRouteReady"


class KnativeRouter:
    """See the module's docstring.

    Args:
        api: the API server.
        target: the InferenceService and its template.
    """

    name = "knative"

    def __init__(self, api: Api, target: Target) -> None:
        self._api = api
        self._target = target

    def look(self) -> Look:
        """What is there now."""
        target, refusal = self._target, self._never_works()
        service = services.get(self._api, target.namespace, target.name)
        if service is None or refusal:
            return Look(Seen(refusal=refusal))
        predictor = service["spec"]["predictor"]
        is_wanted = services.is_wanted(target, predictor)
        if predictor.get(_PERCENT) is None:
            return self._without_canary(service, is_wanted)
        return self._with_canary(service, is_wanted)

    def _without_canary(self, service: Object, is_wanted: bool) -> Look:
        target, predictor, status = self._target, service["spec"]["predictor"], _status(service)
        newest = status.get("latestCreatedRevision", "")
        pods = self._pods(newest)
        settled = newest != "" and newest == status.get("latestReadyRevision")
        has_all = services.has_metadata(target, service) and (not is_wanted or services.has_scaling(target, predictor))
        seen = Seen(
            stable=_pods_of(pods, settled),
            stable_is_wanted=is_wanted,
            outdated=not has_all,
            # The revision before is not there to be compared with what it should be.
            edited=services.edited(target, service, True) if is_wanted else "",
            removable=False,
        )
        return Look(seen, pods, [], predictor, {}, f"{target.name}-predictor")

    def _with_canary(self, service: Object, is_wanted: bool) -> Look:
        target, predictor, status = self._target, service["spec"]["predictor"], _status(service)
        newest, weight = status.get("latestCreatedRevision", ""), int(predictor[_PERCENT])
        stable = status.get("latestRolledoutRevision", "")
        if stable == newest and weight == FULL:
            stable = status.get("previousRolledoutRevision", "")
        # Until Knative has made the canary's revision, the newest is the stable version's, or one that was rolled back.
        is_made = newest not in ("", stable) and self._is_of(newest, predictor)
        stable_pods, canary_pods = self._pods(stable), self._pods(newest) if is_made else []
        is_withdrawn = not is_wanted and weight == 0
        canary = _pods_of(canary_pods, is_made and newest == status.get("latestReadyRevision"))
        seen = Seen(
            stable=Pods(1, 1, settled=True),
            canary=None if is_withdrawn else canary,
            canary_is_wanted=is_wanted,
            weight=weight,
            routed=_routed(service, newest),
            edited=services.edited(target, service, True) if is_wanted else "",
            removable=False,
        )
        # The stable version's predictor is in the cluster no more.
        before, new = target.stable or {}, {} if is_withdrawn else predictor
        return Look(seen, stable_pods, canary_pods, before, new, f"{target.name}-predictor")

    def _is_of(self, revision: str, predictor: Object) -> bool:
        """Whether a revision was made of a predictor: its Deployment has the labels."""
        deployment = self._api.get("Deployment", self._target.namespace, f"{revision}-deployment") or {"metadata": {}}
        labels = deployment["metadata"].get("labels") or {}
        return bool(labels.get(REVISION_LABEL, "") == revision_of(predictor))

    def _pods(self, revision: str) -> list[Object]:
        if not revision:
            return []
        found = self._api.list("Pod", self._target.namespace, f"{_REVISION}={revision}")
        return [pod for pod in found if not is_going(pod)]

    def _never_works(self) -> str:
        target = self._target
        if target.annotations.get(MODE_ANNOTATION) != "Knative":
            return f"knative routing needs the annotation {MODE_ANNOTATION}: Knative in the template"
        if target.autoscaling is not None:
            return "autoscaling: Knative scales by itself; set minReplicas, maxReplicas and scaleTarget in the template"
        return ""

    def act(self, action: Action) -> None:
        """Take an action."""
        target = self._target
        if isinstance(action, Create):
            services.create(self._api, target, target.name, services.first(target))
            return
        service = services.get(self._api, target.namespace, target.name)
        if service is None:
            return
        predictor = service["spec"]["predictor"]
        match action:
            case StartCanary():
                weight = predictor.get(_PERCENT, 0) if revision_of(predictor) == target.revision else 0
                self._write(service, target.wanted | target.scaling | {_PERCENT: weight})
            case SetWeight(weight):
                self._write(service, predictor | {_PERCENT: weight})
            case Promote():
                self._write(service, without(predictor, _PERCENT))
            case RemoveCanary():
                self._write(service, predictor | {_PERCENT: 0})
            case Update():
                if services.is_wanted(target, predictor):
                    share = {_PERCENT: predictor[_PERCENT]} if predictor.get(_PERCENT) is not None else {}
                    service["spec"]["predictor"] = services.restored(target, predictor) | share
                services.put(self._api, target, service)
            case Prepare() | SetShadow():
                pass

    def _write(self, service: Object, predictor: Object) -> None:
        service["spec"] = service["spec"] | {"predictor": predictor}
        self._api.replace(service)


def _status(service: Object) -> Object:
    found: Object = service.get("status", {}).get("components", {}).get("predictor", {})
    return found


def _pods_of(pods: list[Object], ready: bool) -> Pods:
    """A revision that is scaled to zero serves all the same: the activator holds its requests until a pod is there."""
    return Pods(1, int(ready), ready, "" if ready else problem_of(pods))


def _routed(service: Object, revision: str) -> int | None:
    """Share of a revision; None while Knative's gateway does not have the newest shares yet."""
    conditions = service.get("status", {}).get("conditions", [])
    if not any(each["type"] == _ROUTED and each["status"] == "True" for each in conditions):
        return None
    shares = [
        each.get("percent", 0) for each in _status(service).get("traffic", []) if each.get("revisionName") == revision
    ]
    return sum(map(int, shares))
