"""prometheus-adapter, with the chart's rules in the place of its own for a while."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from tests.cluster.cluster import Cluster
from tests.cluster.programs import kubectl
from tests.cluster.settings import Settings
from tests.waiting import until

_KEY = "config.yaml"
_API = "/apis/custom.metrics.k8s.io/v1beta1"


def is_there(cluster: Cluster, settings: Settings) -> bool:
    """Whether the cluster has the adapter where the settings say."""
    return bool(cluster.get("ConfigMap", settings.adapter_name, settings.adapter_namespace))


@contextmanager
def rules(cluster: Cluster, settings: Settings, text: str) -> Iterator[None]:
    """The adapter with these rules and no others, until the block ends.

    Args:
        cluster, settings: where it is.
        text: its configuration, YAML.
    """
    before = cluster.get("ConfigMap", settings.adapter_name, settings.adapter_namespace)["data"][_KEY]
    try:
        _configure(cluster, settings, text)
        yield
    finally:
        _configure(cluster, settings, before)


def _configure(cluster: Cluster, settings: Settings, text: str) -> None:
    where = settings.adapter_namespace
    cluster.patch("ConfigMap", settings.adapter_name, {"data": {_KEY: text}}, where)
    deployment = f"deployment/{settings.adapter_name}"
    kubectl("rollout", "restart", deployment, "-n", where)
    kubectl("rollout", "status", deployment, "-n", where, "--timeout", "300s")
    until(lambda: cluster.ask(_API)[0] == 200, "the adapter's API")


def per_pod(cluster: Cluster, namespace: str, model: str, metric: str) -> list[Any]:
    """The values that the adapter gives of a metric, one of each pod of a model."""
    path = f"{_API}/namespaces/{namespace}/pods/*/{metric}"
    status, body = cluster.ask(path, labelSelector=f"serving.kserve.io/inferenceservice={model}")
    return [item["value"] for item in json.loads(body)["items"]] if status == 200 else []


def series(text: str) -> list[str]:
    """The series that rules ask Prometheus for."""
    return [rule["seriesQuery"].partition("{")[0] for rule in yaml.safe_load(text)["rules"]]
