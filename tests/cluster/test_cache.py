"""Answers that the pods share: the example of a Valkey, with its password in a Secret."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cluster.cluster import Cluster
from tests.cluster.gateway import Gateway
from tests.cluster.namespaces import Namespaces
from tests.cluster.programs import kubectl
from tests.cluster.release import Release, merge, sized
from tests.cluster.settings import Settings
from tests.cluster.stores.valkey import stand_in
from tests.live import ROOT
from tests.waiting import until

pytestmark = pytest.mark.cluster
EXAMPLE = ROOT / "deploy/kubernetes/valkey.yaml"
PREDICT = "/v1/models/iris:predict"


@pytest.fixture
def release(
    cluster: Cluster,
    gateway: Gateway,
    namespaces: Namespaces,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Release]:
    """Two pods of iris whose answers are cached in a Valkey beside them."""
    namespace = namespaces.create("cache")
    documents: list[Any] = list(yaml.safe_load_all(EXAMPLE.read_text()))
    container = documents[0]["spec"]["template"]["spec"]["containers"][0]
    stand_in(container["image"], settings, tmp_path_factory.mktemp("valkey"))
    password = secrets.token_hex(24)
    kept = {"url": f"redis://:{password}@valkey:6379/0", "valkey.conf": f"requirepass {password}"}
    cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cache"}, "stringData": kept}, namespace)
    kubectl("apply", "-n", namespace, "-f", EXAMPLE)
    kubectl("rollout", "status", "-n", namespace, "deployment/valkey", "--timeout=300s")
    model = {"replicas": 2, "cacheUrlSecret": {"name": "cache"}, "settings": {"cache": "all"}}
    values = merge(sized(settings), {"modelVolume": {"create": True}, "models": {"iris": model}})
    release = Release(cluster, gateway, namespace, values, tmp_path_factory.mktemp("values"))
    release.install()
    yield release
    release.uninstall()
    namespaces.delete(namespace)


def test_what_one_pod_computed_the_other_answers(cluster: Cluster, gateway: Gateway, release: Release) -> None:
    release.wait_ready(["iris"])
    cluster.wait_rolled_out(release.namespace, "iris", 2)
    row: dict[str, Any] = {"instances": [[5.1, 3.5, 1.4, 0.25]]}

    def ask_once() -> str:
        with gateway.rest("iris", release.namespace) as client:
            answer = client.post(PREDICT, json=row)
        assert answer.json()["labels"] == ["setosa"]
        return str(answer.headers["x-cache"])

    def events(event: str) -> list[float]:
        """Of each pod's cache."""
        pods = [pod["metadata"]["name"] for pod in cluster.pods(release.namespace, "iris")]
        texts = [cluster.ask_pod(release.namespace, pod, "/metrics")[1] for pod in pods]
        return [_value(text, f'result_cache_total{{event="{event}"}}') for text in texts]

    assert ask_once() == "miss"
    until(lambda: ask_once() == "hit" and sum(events("remote_hit")) > 0, "the other pod to answer from the cache")
    assert sorted(events("miss")) == [0, 1]
    assert sorted(events("remote_hit")) == [0, 1]
    assert events("remote_error") == [0, 0]

    kubectl("delete", "-n", release.namespace, "-f", EXAMPLE)

    def is_missed() -> bool:
        row["instances"][0][3] += 0.001
        assert ask_once() == "miss"  # nothing fails without it
        return sum(events("remote_error")) > 0

    until(is_missed, "the metrics to tell that the cache is away")


def _value(text: str, series: str) -> float:
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{series} ")), 0.0)
