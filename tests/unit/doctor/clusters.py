"""Clusters to look at: what the chart renders, in a cluster that has all it should have."""

import copy
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import yaml

from predictors.doctor.examine import Report, examine
from predictors.doctor.finding import Finding
from predictors.doctor.snapshot import Snapshot
from predictors.doctor.sources import CUSTOM_METRICS_API, METRICS_API
from tests.live import ROOT

Object = dict[str, Any]
NAMESPACE = "models"
LABEL = "serving.kserve.io/inferenceservice"
_READY = {"conditions": [{"type": "Ready", "status": "True"}]}
_RULE = {"alert": "PredictorErrors", "expr": "rate(model_requests_total[5m]) > 0"}
DIGEST = "sha256:" + "ab" * 32


class World:
    """A cluster that a test changes before it is looked at.

    Args:
        scenario: a folder of manifests/.
    """

    def __init__(self, scenario: str) -> None:
        self.objects: dict[str, list[Object]] = defaultdict(list)
        for each in [*copy.deepcopy(_rendered(scenario)), *_furniture()]:
            self.objects[each["kind"]].append(each)
        for service in self.objects["InferenceService"]:
            service["status"] = copy.deepcopy(_READY)
        self.objects["Controller"] = [_controller("v0.21.0")]
        self.apis: dict[str, Object | None] = {
            METRICS_API: {},
            CUSTOM_METRICS_API: {"resources": [{"name": "pods/model_requests"}, {"name": "pods/model_queue_depth"}]},
        }
        self.unread: dict[str, str] = {}
        self.metrics: dict[str, str] = {}
        self.refusals: dict[str, str] = {}
        self.now = datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp()

    def one(self, kind: str, name: str = "") -> Object:
        """An object, by its name if there are several."""
        [found] = [each for each in self.objects[kind] if name in ("", each["metadata"]["name"])]
        return found

    def predictor(self, name: str = "iris") -> Object:
        """`spec.predictor` of a model."""
        found: Object = self.one("InferenceService", name)["spec"]["predictor"]
        return found

    def container(self, name: str = "iris") -> Object:
        """The container of a model's runtime."""
        runtime = self.one("ServingRuntime", self.predictor(name)["model"]["runtime"])
        found: Object
        [found] = runtime["spec"]["containers"]
        return found

    def add_pod(self, name: str = "iris", **changes: Any) -> Object:
        """A pod of a model, as KServe makes it; with other fields of its status."""
        predictor, container = self.predictor(name), self.container(name)
        own = {field: predictor["model"][field] for field in ("resources", "volumeMounts")}
        together = {**container, **own, "args": [*container["args"], *predictor["model"]["args"]]}
        number = len(self.objects["Pod"])
        pod = {
            "kind": "Pod",
            "metadata": {
                "name": f"{name}-predictor-{number}",
                "namespace": NAMESPACE,
                "labels": {LABEL: name, **self.one("InferenceService", name)["metadata"].get("labels", {})},
                "annotations": {"prometheus.io/scrape": "true"},
                "creationTimestamp": f"2026-11-26T11:{number:02}:00Z",
            },
            "spec": {
                **{k: v for k, v in predictor.items() if k != "model"},
                "nodeName": f"n{number}",
                "containers": [copy.deepcopy(together)],
            },
            "status": {"phase": "Running", **copy.deepcopy(_READY), **changes},
        }
        self.objects["Pod"].append(pod)
        return pod

    def disown(self, name: str = "iris") -> None:
        """Let a model be somebody's own, not the chart's."""
        del self.one("InferenceService", name)["metadata"]["labels"]

    def snapshot(self) -> Snapshot:
        """What is read of it."""
        return Snapshot(NAMESPACE, dict(self.objects), self.unread, self.apis, self.metrics, self.refusals, self.now)

    def report(self) -> Report:
        """What the checks say of it."""
        return examine(self.snapshot())

    def found(self, check: str) -> list[Finding]:
        """What one check finds in it."""
        return [each for each in self.report().findings if each.check == check]


@cache
def _rendered(scenario: str) -> list[Object]:
    path = ROOT / "manifests" / scenario / "predictors.yaml"
    return [each for each in yaml.safe_load_all(path.read_text("utf-8")) if each]


def production() -> World:
    """manifests/production, with the HPA that KServe makes of it, where everything else is as it should be."""
    world = World("production")
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "iris-predictor"}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 6, "metrics": [cpu]}
    world.objects["HorizontalPodAutoscaler"].append({"metadata": {"name": "iris-predictor"}, "spec": spec})
    return world


def quickstart() -> World:
    """manifests/quickstart in the same cluster."""
    return World("quickstart")


def changed(change: Callable[[World], object]) -> World:
    """The cluster in production, changed."""
    world = production()
    change(world)
    return world


def _controller(tag: str) -> Object:
    container = {"name": "manager", "image": f"docker.io/kserve/kserve-controller:{tag}"}
    spec = {"template": {"spec": {"containers": [container]}}}
    metadata = {"name": "kserve-controller-manager", "namespace": "kserve"}
    return {"kind": "Deployment", "metadata": metadata, "spec": spec, "status": {"availableReplicas": 1}}


def _furniture() -> list[Object]:
    """What a cluster has around a release."""
    parent = {"name": "kserve-ingress-gateway", "namespace": "kserve"}
    rules = [{"timeouts": {"request": "15s"}}]
    gateway = {"listeners": [{"protocol": "HTTP"}, {"protocol": "HTTPS"}]}
    level = {"pod-security.kubernetes.io/enforce": "restricted"}
    things: list[tuple[str, str, Mapping[str, Any]]] = [
        ("Node", "n0", {}),
        ("Node", "n1", {}),
        ("Namespace", NAMESPACE, {"labels": level}),
        ("DaemonSet", "fluent-bit", {}),
        ("PodMonitor", "other", {"spec": {"selector": {"matchLabels": {"app": "other"}}}}),
        ("ServiceMonitor", "other", {"spec": {"selector": {"matchLabels": {"app": "other"}}}}),
        ("PrometheusRule", "predictors", {"spec": {"groups": [{"rules": [_RULE]}]}}),
        ("ConfigMap", "predictors-dashboard-overview", {"data": {"predictors-overview.json": "{}"}}),
        ("HTTPRoute", "iris", {"spec": {"parentRefs": [parent], "rules": rules}}),
        ("Gateway", "kserve-ingress-gateway", {"spec": gateway, "status": {"conditions": [{"type": "Programmed", "status": "True"}]}}),
    ]  # fmt: skip
    found = []
    for kind, name, rest in things:
        namespace = "kserve" if kind == "Gateway" else NAMESPACE
        metadata = {"name": name, "namespace": namespace, "labels": rest.get("labels", {})}
        found.append(
            {"kind": kind, "metadata": metadata, **{key: value for key, value in rest.items() if key != "labels"}}
        )
    return found
