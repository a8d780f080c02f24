"""The way of a new version, and the way back."""

from collections.abc import Iterator

from predictors.doctor import remedy
from predictors.doctor.fields import integer, mapping, name, objects, text
from predictors.doctor.finding import Fix, Issue
from predictors.doctor.model import Model
from predictors.doctor.snapshot import Snapshot

_NEEDS_A_PERSON = ("Blocked", "Paused")
_CONTROLLER = "rollout-controller"


def no_canary(model: Model) -> Iterator[Issue]:
    """Models whose next version gets all requests at once."""
    is_split = objects(model.service, "spec", "canary") or "canaryTrafficPercent" in model.predictor
    if not model.rollout and not is_split:
        yield model.issue(
            "a new version gets all requests at once: there is neither a rollout nor a canary",
            _give_a_rollout(model),
        )


def _give_a_rollout(model: Model) -> Fix:
    """A value, where there is a controller to take it; else a rollout from a terminal."""
    from_terminal = f"predictors rollout run {model.name} -n {model.cluster.namespace} --storage-uri URI"
    if not model.cluster.has("InferenceRollout"):
        return Fix(from_terminal)
    return remedy.release(model, f"models.{model.name}.rollout.enabled=true", from_terminal)


def no_way_back(model: Model) -> Iterator[Issue]:
    """Models in their first revision."""
    if model.rollout:
        kept = [each for each in model.cluster.of("ControllerRevision") if _is_owned(each, model)]
        line = f"predictors rollout history {model.name}"
    else:
        kept = [*model.own.get("ReplicaSet", ())]
        release = remedy.release_of(model)
        line = f"helm history {release}" if release and remedy.is_helms(model) else "kubectl get replicaset"
    if len(kept) == 1:
        message = "this is its first revision: there is none to roll back to; keep its artifact"
        yield model.issue(message, remedy.in_namespace(model, line))


def _is_owned(revision: object, model: Model) -> bool:
    return any(text(each, "name") == model.name for each in objects(revision, "metadata", "ownerReferences"))


def stuck(cluster: Snapshot) -> Iterator[Issue]:
    """Rollouts that wait for a person, or that no controller has seen."""
    for each in cluster.of("InferenceRollout"):
        phase, said = text(each, "status", "phase"), text(each, "status", "message")
        where = f"{name(each)} -n {cluster.namespace}"
        if phase in _NEEDS_A_PERSON:
            fix = Fix(f"predictors rollout get {where}")
            yield Issue(f"inferencerollout/{name(each)}", f"it is {phase.lower()} and waits for a person: {said}", fix)


def unattended(cluster: Snapshot) -> Iterator[Issue]:
    """Rollouts that no controller has seen."""
    for each in cluster.of("InferenceRollout"):
        seen = integer(mapping(each, "status"), "observedGeneration")
        if seen is None:
            fix = Fix(f"helm install {_CONTROLLER} charts/{_CONTROLLER} -n {_CONTROLLER} --create-namespace")
            yield Issue(f"inferencerollout/{name(each)}", "no controller has seen it", fix)
