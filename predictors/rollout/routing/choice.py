"""Which routing a cluster can do."""

import re

from predictors.rollout.kube.api import Api
from predictors.rollout.routing.objects import MODE_ANNOTATION

# KServe 0.20 accepts canaries but sends them no traffic.
_FIRST_WITH_CANARIES = (0, 21)
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_NAMESPACE, _MANAGER = "kserve", "kserve-controller-manager"


def choose(api: Api, wanted: str, annotations: dict[str, str], kserve_version: str = "") -> str:
    """The routing for an InferenceService: canary, pair or knative.

    Args:
        api: the API server.
        wanted: what the strategy says; auto: by what the cluster can do.
        annotations: of the InferenceService.
        kserve_version: as it is known; empty: by the image of KServe's controller. Where neither says, pair, which
            every KServe can do.
    """
    if wanted != "auto":
        return wanted
    if annotations.get(MODE_ANNOTATION) == "Knative":
        return "knative"
    match = _VERSION.match(kserve_version or _installed(api))
    return "canary" if match and tuple(map(int, match.groups())) >= _FIRST_WITH_CANARIES else "pair"


def _installed(api: Api) -> str:
    manager = api.get("Deployment", _NAMESPACE, _MANAGER)
    if manager is None:
        return ""
    containers = manager["spec"]["template"]["spec"]["containers"]
    image = next((each["image"] for each in containers if each["name"] == "manager"), containers[0]["image"])
    return str(image).partition("@")[0].rpartition(":")[2]
