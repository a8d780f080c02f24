"""The way of a new version, and the way back."""

from collections.abc import Iterator

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
            model.fix("rollout.enabled=true", {}) if model.frame else _run(model),
        )


def _run(model: Model) -> Fix:
    return Fix(f"predictors rollout run {model.name} -n {model.cluster.namespace} --storage-uri URI")


def no_way_back(model: Model) -> Iterator[Issue]:
    """Models in their first revision."""
    if model.rollout:
        kept = [each for each in model.cluster.of("ControllerRevision") if _is_owned(each, model)]
        line = f"predictors rollout history {model.name} -n {model.cluster.namespace}"
    else:
        kept = [each for each in model.cluster.of("ReplicaSet") if model.owns(each)]
        line = f"kubectl get replicaset -n {model.cluster.namespace} -l serving.kserve.io/inferenceservice={model.name}"
    if len(kept) == 1:
        yield model.issue("this is its first revision: there is none to roll back to; keep its artifact", Fix(line))


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
