"""Load brings pods, and its end takes them away: by CPU (KServe's HPA) and by requests (the chart's, and its rules)."""

import re
from collections.abc import Iterator

import pytest

from tests.cluster import adapter
from tests.cluster.cluster import Cluster, Object
from tests.cluster.conftest import Note
from tests.cluster.gateway import Gateway
from tests.cluster.release import Release, Values
from tests.cluster.senders import rest
from tests.cluster.settings import Settings
from tests.cluster.traffic import Pace, steady
from tests.waiting import until

pytestmark = pytest.mark.cluster
LOAD = Pace(per_second=50, least=100, most=30_000)
CPU, REQUESTS = "by-cpu", "by-requests"
MODELS: Values = {
    CPU: {
        "kind": "iris",
        "resources": {"requests": {"cpu": "20m"}},
        "autoscaling": {"minReplicas": 1, "maxReplicas": 2, "cpu": 100},
    },
    REQUESTS: {
        "kind": "iris",
        "resources": {"requests": {"cpu": "200m"}},
        "autoscaling": {
            "minReplicas": 1,
            "maxReplicas": 2,
            "requestsPerSecond": 10,
            "queueDepth": 1000,
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 15}},
        },
    },
}
RULES = "adapter-rules"


@pytest.fixture(scope="module")
def scaled(cluster: Cluster, settings: Settings, installed: Release) -> Iterator[Release]:
    """The release with two more models that scale, and the adapter with the chart's rules alone."""
    if not adapter.is_there(cluster, settings):
        pytest.skip("no prometheus-adapter where PREDICTORS_ADAPTER says")
    rule = {"create": True, "name": RULES, "rateWindow": "30s"}
    installed.upgrade({"models": MODELS, "monitoring": {"adapterRule": rule}})
    installed.wait_ready(MODELS)
    with adapter.rules(cluster, settings, adapter_rules(cluster, installed)):
        yield installed
    installed.upgrade({})


def adapter_rules(cluster: Cluster, release: Release) -> str:
    """The rules that the chart brings."""
    return str(cluster.get("ConfigMap", RULES, release.namespace)["data"]["config.yaml"])


def autoscaler(cluster: Cluster, namespace: str, model: str) -> Object:
    """The one HPA of a model's Deployment."""
    target = cluster.deployment(namespace, model)["metadata"]["name"]
    found = cluster.find("HorizontalPodAutoscaler", namespace)
    [autoscaler] = (each for each in found if each["spec"]["scaleTargetRef"]["name"] == target)
    return autoscaler


def pod_metrics(cluster: Cluster, namespace: str, model: str) -> set[str]:
    """The metrics of pods that a model's HPA names."""
    metrics = autoscaler(cluster, namespace, model)["spec"]["metrics"]
    return {each["pods"]["metric"]["name"] for each in metrics if each["type"] == "Pods"}


def up_and_down(cluster: Cluster, gateway: Gateway, namespace: str, model: str) -> str:
    """One pod without load, two under load, one after it; says what was sent."""
    # What starting a pod takes may bring another one, so the autoscaler must have seen a quiet one first.
    until(lambda: autoscaler(cluster, namespace, model).get("status", {}).get("currentMetrics"), f"metrics of {model}")
    cluster.wait_rolled_out(namespace, model, 1)
    with steady(rest(gateway, model, namespace), LOAD) as tally:
        cluster.wait_rolled_out(namespace, model, 2)
    tally.check()
    cluster.wait_rolled_out(namespace, model, 1)
    return str(tally)


@pytest.mark.gate
def test_every_metric_that_is_named_is_exported(cluster: Cluster, scaled: Release) -> None:
    """From the start, before there was any request: an autoscaler that lacks a metric does not scale down."""
    namespace = scaled.namespace
    [pod] = cluster.pods(namespace, REQUESTS)
    status, metrics = cluster.ask_pod(namespace, pod["metadata"]["name"], "/metrics")
    assert status == 200
    exported = set(re.findall(r"^(\w+)(?:\{.*\})? ", metrics, re.MULTILINE))
    named = set(adapter.series(adapter_rules(cluster, scaled)))
    assert named, "the chart's rules name no series"
    assert named <= exported
    wanted = pod_metrics(cluster, namespace, REQUESTS)
    assert wanted, "the chart's HPA names no metric of pods"
    for metric in wanted:
        until(lambda: adapter.per_pod(cluster, namespace, REQUESTS, metric), f"the adapter's metric {metric}")  # noqa: B023  # at once


def test_by_cpu(cluster: Cluster, gateway: Gateway, scaled: Release, note: Note) -> None:
    assert not pod_metrics(cluster, scaled.namespace, CPU)
    note(f"scaled by CPU, 1, 2, 1: {up_and_down(cluster, gateway, scaled.namespace, CPU)}")


@pytest.mark.gate
def test_by_requests_per_second(cluster: Cluster, gateway: Gateway, scaled: Release, note: Note) -> None:
    namespace = scaled.namespace
    assert autoscaler(cluster, namespace, REQUESTS)["metadata"]["name"] != f"{REQUESTS}-predictor"
    note(f"scaled by requests per second, 1, 2, 1: {up_and_down(cluster, gateway, namespace, REQUESTS)}")
