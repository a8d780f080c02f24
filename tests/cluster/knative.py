"""Knative, where the cluster has it: its gateway, and models that are scaled to zero."""

import time
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.cluster.cluster import MODEL_LABEL, Cluster, Object
from tests.cluster.gateway import V1_BODIES, Gateway
from tests.cluster.release import Values
from tests.cluster.settings import Address, Settings
from tests.waiting import until

_CRD = "services.serving.knative.dev"
_KOURIER = ("kourier", "kourier-system")
# A pod's end takes Knative's drain of 30 s, then the server's.
_ZERO_SECONDS = 600.0


def hasty(model: Values, *, least: int = 0, window: str = "6s") -> Values:
    """A model's values with an autoscaler that scales down after a window of so long, 6 s at least, and at once then."""
    scaling = {"maxReplicas": 3, **model.get("autoscaling", {}), "minReplicas": least}
    haste = {"window": window, "scale-to-zero-pod-retention-period": "0s"}
    annotations = {f"autoscaling.knative.dev/{name}": value for name, value in haste.items()}
    return {**model, "autoscaling": scaling, "annotations": annotations}


class KnativeGateway(Gateway):
    """Knative's gateway; a model's host is what its InferenceService says.

    Args:
        settings: the address, if it is not Kourier's Service.
        cluster: where.
    """

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        super().__init__(replace(settings, gateway=settings.knative_gateway or _kourier(cluster)))
        self._cluster = cluster

    def host(self, model: str, namespace: str) -> str:
        """The host name of an InferenceService."""
        url = self._cluster.get("InferenceService", model, namespace).get("status", {}).get("url", "")
        return urlsplit(url).hostname or ""

    def wait_routed(self, model: str, namespace: str) -> None:
        """Wait until the proxy leads to a model, over http."""
        with self.rest(model, namespace) as client:
            until(lambda: client.get("/v2/health/live").is_success, f"http to lead to {model}")


def knative_gateway(settings: Settings, cluster: Cluster) -> KnativeGateway:
    """The gateway; skips the test where there is no Knative."""
    if not cluster.get("CustomResourceDefinition", _CRD):
        pytest.skip("no Knative Serving in this cluster")
    if settings.knative_gateway is None and not cluster.get("Service", *_KOURIER):
        pytest.skip("no Kourier in this cluster; PREDICTORS_KNATIVE_GATEWAY names another gateway")
    return KnativeGateway(settings, cluster)


def _kourier(cluster: Cluster) -> Address:
    service = cluster.get("Service", *_KOURIER)
    return Address(service["spec"]["clusterIP"], 80)


def every_pod(cluster: Cluster, namespace: str, model: str) -> list[Object]:
    """A model's pods, those that are being deleted too."""
    return cluster.find("Pod", namespace, f"{MODEL_LABEL}={model}")


def wait_zero(cluster: Cluster, namespace: str, model: str) -> None:
    """Wait until a model has no pod."""
    until(lambda: not every_pod(cluster, namespace, model), f"{model} to have no pod", _ZERO_SECONDS)


def first_answer(gateway: Gateway, namespace: str, model: str, kind: str) -> tuple[float, Object]:
    """Ask a model once; how many seconds the answer took, and what it is."""
    with gateway.rest(model, namespace) as client:
        begin = time.monotonic()
        response = client.post(f"/v1/models/{model}:predict", json=V1_BODIES[kind])
        seconds = time.monotonic() - begin
    assert response.status_code == 200, response.text
    answer: Object = response.json()
    return seconds, answer
