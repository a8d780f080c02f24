"""Routing by Knative: `canaryTrafficPercent`, in KServe's Knative mode.

The InferenceService holds the newest revision's predictor, and the revision before it keeps the rest of the traffic. So
the canary is written over the stable version's predictor, and Knative remembers that one. A rollback leaves the new
predictor there with a share of 0; the next rollout writes another over it.
"""

from predictors.rollout.engine.state import (
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
from predictors.rollout.routing.objects import MODE_ANNOTATION, is_going, revision_of, without
from predictors.rollout.routing.router import Look
from predictors.rollout.routing.target import Target

_REVISION = "serving.knative.dev/revision"
_PERCENT = "canaryTrafficPercent"


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
        predictor, status = service["spec"]["predictor"], _status(service)
        is_wanted = services.is_wanted(target, predictor)
        is_canary = predictor.get(_PERCENT) is not None
        newest, ready = status.get("latestCreatedRevision", ""), status.get("latestReadyRevision", "")
        before = status.get("previousRolledoutRevision" if not is_canary else "latestRolledoutRevision", "")
        stable_name = before if is_canary else newest
        stable_pods = self._pods(stable_name)
        canary_pods = self._pods(newest) if is_canary else []
        weight = int(predictor.get(_PERCENT, 0)) if is_canary else 0
        shares = {each.get("revisionName"): each.get("percent", 0) for each in status.get("traffic", [])}
        settled = newest != "" and newest == ready
        # A revision that is scaled to zero serves all the same: the activator holds its requests until a pod is there.
        seen = Seen(
            stable=Pods(1, 1, settled or is_canary),
            stable_is_wanted=is_wanted and not is_canary,
            canary=Pods(1, 1 if settled else 0, settled)
            if is_canary and not self._is_withdrawn(predictor, is_wanted)
            else None,
            canary_is_wanted=is_wanted and is_canary,
            weight=weight,
            routed=int(shares.get(newest, 0)) if is_canary else 0,
            outdated=not is_canary and not services.has_metadata(target, service),
            # The revision before is not there to be compared with what it should be.
            edited=services.edited(target, service, True) if is_wanted else "",
            removable=False,
        )
        new = predictor if seen.canary is not None else {}
        return Look(seen, stable_pods, canary_pods, predictor, new, f"{target.name}-predictor")

    def _is_withdrawn(self, predictor: Object, is_wanted: bool) -> bool:
        """Whether the newest revision is one that was rolled back, and not the template's."""
        return not is_wanted and predictor.get(_PERCENT) == 0

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
                if services.is_wanted(target, predictor) and services.edited(target, service, True):
                    share = {_PERCENT: predictor[_PERCENT]} if predictor.get(_PERCENT) is not None else {}
                    service["spec"]["predictor"] = target.wanted | target.scaling | share
                services.put(self._api, target, service)
            case Prepare() | SetShadow():
                pass

    def _write(self, service: Object, predictor: Object) -> None:
        service["spec"] = service["spec"] | {"predictor": predictor}
        self._api.replace(service)


def _status(service: Object) -> Object:
    found: Object = service.get("status", {}).get("components", {}).get("predictor", {})
    return found
