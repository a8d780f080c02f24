"""What KServe's webhooks and the CRD's schema say about an InferenceService."""

import math
import re

from predictors.rollout.kube.api import Object, Refused
from tests.rollout.store import copied

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_FORBIDDEN = ("maxReplicas", "scaleTarget", "scaleMetric", "autoScaling")
MODE = "serving.kserve.io/deploymentMode"


def storage_uri(predictor: Object) -> str:
    """Where a predictor's artifact is: of its model, or the STORAGE_URI of its container."""
    if "model" in predictor:
        return str(predictor["model"].get("storageUri", ""))
    environment = [each for box in predictor.get("containers", []) for each in box.get("env", [])]
    return next((str(each["value"]) for each in environment if each["name"] == "STORAGE_URI"), "")


def defaulted(isvc: Object) -> Object:
    """With what the defaulting webhook adds."""
    new = copied(isvc)
    canaries = [each["predictor"] for each in new["spec"].get("canary", [])]
    for predictor in (new["spec"]["predictor"], *canaries):
        containers = [predictor["model"]] if "model" in predictor else predictor.get("containers", [])
        for container in containers:
            container.setdefault("resources", {})
    if "model" in new["spec"]["predictor"]:
        new["spec"]["predictor"]["model"].setdefault("name", "")
    annotations = new["metadata"].setdefault("annotations", {})
    annotations.setdefault(MODE, "Standard")
    return new


def validate(new: Object, old: Object | None) -> None:
    """Refuse what KServe refuses.

    Raises:
        Refused: the text is about KServe's.
    """
    spec = new["spec"]
    if _NAME.fullmatch(new["metadata"]["name"]) is None:
        raise Refused("invalid InferenceService name")
    predictor = spec["predictor"]
    if predictor.get("minReplicas", 1) > predictor.get("maxReplicas", math.inf):
        raise Refused("'MinReplicas' cannot be greater than MaxReplicas")
    if any(each["name"] == "PYTHONPATH" for each in predictor.get("model", {}).get("env", [])):
        raise Refused("setting PYTHONPATH in container is not allowed for security reasons")
    if old is not None:
        _validate_change(old, spec)
    if spec.get("canary"):
        _validate_canaries(new)


def _validate_change(old: Object, spec: Object) -> None:
    before, after = old["spec"]["predictor"], spec["predictor"]
    if before.get("name", "") != after.get("name", "") and storage_uri(before) == storage_uri(after):
        raise Refused("predictor.name change requires a model change (e.g. storageUri)")


def _validate_canaries(isvc: Object) -> None:
    spec = isvc["spec"]
    stable = spec["predictor"]
    if isvc["metadata"].get("annotations", {}).get(MODE) != "Standard":
        raise Refused("canary is only supported in Standard deployment mode")
    if "model" not in stable and not storage_uri(stable):
        raise Refused("canary requires a stable predictor with a model")
    names = {stable.get("name", "")}
    for canary in spec["canary"]:
        predictor = canary["predictor"]
        name = predictor.get("name", "")
        if not _NAME.fullmatch(name):
            raise Refused("canary predictor.name is required")
        if name in names:
            raise Refused(f"canary predictor.name {name} conflicts with stable predictor name or is not unique")
        names.add(name)
        _validate_canary(predictor, stable)
    percents = [each.get("trafficPercent", 0) for each in spec["canary"]]
    if not all(0 <= each <= 100 for each in percents) or sum(percents) > 100:
        raise Refused("canary trafficPercent must be within 0 and 100, and so must their sum")


def _validate_canary(predictor: Object, stable: Object) -> None:
    kinds = [each for each in ("model", "containers") if predictor.get(each)]
    if len(kinds) != 1:
        raise Refused("exactly one implementation is needed of a canary")
    if "model" in predictor and "name" not in predictor["model"]:
        raise Refused("spec.canary[0].predictor.model.name: Required value")
    if fields := [each for each in _FORBIDDEN if predictor.get(each)]:
        raise Refused(f"canary must not set {fields[0]}: canary uses fixed replicas")
    if predictor.get("minReplicas", 0) > stable.get("minReplicas", 1):
        raise Refused("canary minReplicas must not exceed stable minReplicas")
