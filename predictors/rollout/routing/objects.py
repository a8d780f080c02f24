"""Reading the objects that KServe and Kubernetes keep."""

from collections.abc import Iterable
from decimal import Decimal
from types import NoneType
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from predictors.rollout.engine.state import Pods
from predictors.rollout.kube.api import Api, Object

MODEL_LABEL = "serving.kserve.io/inferenceservice"
REVISION_LABEL = "rollouts.predictors.dev/revision"
CLASS_ANNOTATION = "serving.kserve.io/autoscalerClass"
MODE_ANNOTATION = "serving.kserve.io/deploymentMode"
VISIBILITY_LABEL = "networking.kserve.io/visibility"
# Fields of a predictor that say how many pods there are; a change of them restarts none.
SCALING_FIELDS = ("minReplicas", "maxReplicas", "scaleTarget", "scaleMetric", "scaleMetricType", "autoScaling")
# So often a container has to fail before its problem is one of the version and not of the moment.
_CRASHES = 2
_WAITING_PROBLEMS = {
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RunContainerError",
}


def covers(wanted: Any, actual: Any) -> bool:
    """Whether an object holds all that is wanted of it; what defaulting webhooks add does not matter.

    Lists must be as long as wanted, and numbers may be written in another way (0.5 and 500m).
    """
    if isinstance(wanted, dict):
        return isinstance(actual, dict | NoneType) and all(
            covers(value, (actual or {}).get(key)) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        items = actual or []
        return (
            isinstance(items, list)
            and len(items) == len(wanted)
            and all(covers(*pair) for pair in zip(wanted, items, strict=True))
        )
    if not wanted and not actual:
        return True
    return bool(wanted == actual) or str(wanted) == str(actual) or _same_quantity(wanted, actual)


def _same_quantity(one: Any, other: Any) -> bool:
    values = [_quantity(each) for each in (one, other)]
    return values[0] is not None and values[0] == values[1]


def _quantity(value: Any) -> Decimal | None:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        return Decimal(parse_quantity(str(value)))
    except ValueError:
        return None


def without(predictor: Object, *fields: str) -> Object:
    """A copy without some fields."""
    return {key: value for key, value in predictor.items() if key not in fields}


def revision_of(predictor: Object) -> str:
    """The revision that a predictor is labelled with; empty if it is none of a rollout's."""
    return str((predictor.get("labels") or {}).get(REVISION_LABEL, ""))


def storage_uri(predictor: Object) -> str:
    """Where a predictor's artifact is; empty if it does not say."""
    return str(predictor.get("model", {}).get("storageUri") or "")


def is_going(thing: Object | None) -> bool:
    """Whether an object is not there, or is being deleted."""
    return thing is None or "deletionTimestamp" in thing["metadata"]


def is_foreign(thing: Object | None, name: str) -> bool:
    """Whether an object is not a rollout's: none that made it is called as the InferenceService is."""
    return thing is not None and all(
        owner.get("name") != name for owner in thing["metadata"].get("ownerReferences", [])
    )


def pods_of(api: Api, namespace: str, deployment: str) -> list[Object]:
    """The pods of one of KServe's Deployments that are not being deleted."""
    found = api.list("Pod", namespace, f"app=isvc.{deployment}")
    return [pod for pod in found if not is_going(pod)]


def variant(deployment: Object | None, pods: Iterable[Object], revision: str, asked: int | None = None) -> Pods:
    """How the pods of a variant are.

    Args:
        deployment: KServe's; None while it does not exist.
        pods: that it has.
        revision: that its pods must be labelled with; empty: none.
        asked: number of pods that was asked for; None: as the Deployment has it.
    """
    if deployment is None:
        return Pods(asked=asked or 0, ready=0, settled=False)
    template, status = deployment["spec"]["template"], deployment.get("status", {})
    labels = template["metadata"].get("labels", {})
    replicas = deployment["spec"].get("replicas", 1)
    updated = status.get("updatedReplicas", 0)
    follows = labels.get(REVISION_LABEL, "") == revision
    observed = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    settled = follows and observed and updated == status.get("replicas", 0)
    return Pods(
        asked=replicas if asked is None else asked,
        ready=min(updated, status.get("availableReplicas", 0)) if follows else 0,
        settled=settled,
        problem=problem_of(pods),
    )


def problem_of(pods: Iterable[Object]) -> str:
    """Why pods cannot start: the first sentence that there is; empty if they can."""
    return next(filter(None, map(_problem, pods)), "")


def _problem(pod: Object) -> str:
    status = pod.get("status", {})
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting", {})
        reason = str(waiting.get("reason", ""))
        if container.get("restartCount", 0) >= _CRASHES and not container.get("ready"):
            ends = container["restartCount"]
            return f"container {container['name']} of {pod['metadata']['name']} has ended {ends} times"
        if reason in _WAITING_PROBLEMS and reason != "CrashLoopBackOff":
            return f"{reason}: {waiting.get('message', '')}"[:200]
    return ""


def is_accepted(route: Object) -> bool:
    """Whether every gateway of a route has accepted it as it is now, and found what it leads to."""
    generation = route["metadata"]["generation"]
    parents: list[Object] = route.get("status", {}).get("parents", [])
    return len(parents) >= len(route["spec"].get("parentRefs", [])) and all(
        _is_true(parent, kind, generation) for parent in parents for kind in ("Accepted", "ResolvedRefs")
    )


def _is_true(parent: Object, kind: str, generation: int) -> bool:
    return any(
        each["type"] == kind and each["status"] == "True" and each.get("observedGeneration", 0) >= generation
        for each in parent.get("conditions", [])
    )


def weight_in(route: Object, backend: str) -> int | None:
    """Share of a Service in all rules of a route, percent; None if rules differ, or the weights are all 0."""
    shares = set()
    for rule in route["spec"].get("rules", []):
        weights: dict[str, int] = {}
        for ref in rule.get("backendRefs", []):
            weights[ref["name"]] = weights.get(ref["name"], 0) + ref.get("weight", 1)
        total = sum(weights.values())
        if not total:
            return None
        shares.add(100 * weights.get(backend, 0) / total)
    [share] = shares if len(shares) == 1 else [None]
    return None if share is None else round(share)
