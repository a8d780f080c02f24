"""InferenceServices as a rollout reads and writes them."""

from predictors.rollout.kube.api import API_VERSIONS, Api, Object
from predictors.rollout.routing.objects import (
    MODEL_LABEL,
    REVISION_LABEL,
    SCALING_FIELDS,
    covers,
    is_going,
    revision_of,
    without,
)
from predictors.rollout.routing.target import Target, revision


def get(api: Api, namespace: str, name: str) -> Object | None:
    """An InferenceService; None if there is none, or it is being deleted."""
    found = api.get("InferenceService", namespace, name)
    return None if is_going(found) else found


def deployments(api: Api, namespace: str, name: str) -> dict[str, Object]:
    """KServe's Deployments of an InferenceService, by name."""
    found = api.list("Deployment", namespace, f"{MODEL_LABEL}={name}")
    return {each["metadata"]["name"]: each for each in found if not is_going(each)}


def deployment_name(name: str, predictor: Object) -> str:
    """Name of the Deployment and Service that KServe makes for a predictor."""
    own = predictor.get("name")
    return f"{name}-{own}-predictor" if own else f"{name}-predictor"


def create(api: Api, target: Target, name: str, predictor: Object, extra_labels: dict[str, str] | None = None) -> None:
    """Create an InferenceService by a rollout's template."""
    metadata = target.metadata(name)
    metadata["labels"] |= extra_labels or {}
    kind = {"apiVersion": API_VERSIONS["InferenceService"], "kind": "InferenceService"}
    api.create(kind | {"metadata": metadata, "spec": {"predictor": predictor}})


def first(target: Target) -> Object:
    """The predictor of an InferenceService that is not there: of the stable version, if there was one. A newer one has
    not been judged yet, or was found to be bad.
    """
    if target.stable is None:
        return target.wanted | target.scaling
    stable = without(target.stable, "name", *SCALING_FIELDS) | target.scaling
    return stable | {"labels": (stable.get("labels") or {}) | {REVISION_LABEL: revision(target.stable)}}


def is_wanted(target: Target, predictor: Object) -> bool:
    """Whether a predictor is the template's revision: by its label, or, where it has none, by what it says."""
    label = revision_of(predictor)
    if label:
        return label == target.revision
    return covers(_unlabelled(target.wanted), predictor)


def edited(target: Target, service: Object, wanted: bool) -> str:
    """What another hand changed in the stable version; empty if nothing, or if it is not known what it should be."""
    predictor = service["spec"]["predictor"]
    if wanted:
        should_be: Object | None = target.wanted if revision_of(predictor) else None
    else:
        should_be = target.stable
    if should_be is None or covers(without(should_be, "name", *SCALING_FIELDS), predictor):
        return ""
    return "somebody else changed the predictor in the InferenceService"


def has_metadata(target: Target, service: Object) -> bool:
    """Whether an InferenceService has the template's labels and annotations, and the rollout as its owner."""
    metadata = service["metadata"]
    return (
        covers(target.labels, metadata.get("labels"))
        and covers(target.annotations, metadata.get("annotations"))
        and all(owner in metadata.get("ownerReferences", []) for owner in _owners(target, service))
    )


def has_scaling(target: Target, predictor: Object) -> bool:
    """Whether a predictor has the template's numbers of pods."""
    wanted = target.scaling
    given = {key: predictor[key] for key in SCALING_FIELDS if predictor.get(key) is not None}
    return covers(wanted, given) and given.keys() <= wanted.keys() | {"minReplicas"}


def set_minimum(predictor: Object, pods: int) -> None:
    """Set the least number of pods, and raise the greatest if it is less."""
    predictor["minReplicas"] = pods
    if (most := predictor.get("maxReplicas")) is not None:
        predictor["maxReplicas"] = max(most, pods)


def restored(target: Target, predictor: Object) -> Object:
    """A stable predictor as it should be: of its revision, with the template's numbers of pods, and its own name."""
    if is_wanted(target, predictor):
        should_be = target.wanted if revision_of(predictor) else predictor
    else:
        should_be = target.stable or predictor
    name = {"name": predictor["name"]} if predictor.get("name") else {}
    found = without(should_be, "name", *SCALING_FIELDS) | target.scaling | name
    if label := revision_of(predictor):
        # A kept template has none; without it, the pods would not be those from before the edit.
        found["labels"] = (found.get("labels") or {}) | {REVISION_LABEL: label}
    return found


def put(api: Api, target: Target, service: Object) -> None:
    """Write an InferenceService with the template's labels and annotations; others stay."""
    metadata = service["metadata"]
    metadata["labels"] = metadata.get("labels", {}) | target.labels
    metadata["annotations"] = metadata.get("annotations", {}) | target.annotations
    owners = _owners(target, service)
    others = [each for each in metadata.get("ownerReferences", []) if each not in owners]
    metadata["ownerReferences"] = others + owners
    api.replace(service)


def _owners(target: Target, service: Object) -> list[Object]:
    """The rollout's owners, but for the InferenceService itself: from a terminal, it owns what the rollout makes."""
    return [owner for owner in target.owners if owner["uid"] != service["metadata"].get("uid")]


def _unlabelled(predictor: Object) -> Object:
    labels = without(predictor["labels"], REVISION_LABEL)
    return without(predictor, "labels") | ({"labels": labels} if labels else {})
