"""Nothing is lost while pods come and go: a steady stream at the gateway, and what operators do meanwhile."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Note
from tests.cluster.gateway import Gateway
from tests.cluster.programs import kubectl
from tests.cluster.release import Release
from tests.cluster.senders import over_grpc, rest
from tests.cluster.traffic import Pace, steady
from tests.waiting import until

pytestmark = pytest.mark.cluster
PACE = Pace(per_second=100, least=3_000, most=60_000)
GRPC_PACE = Pace(per_second=20, least=600, most=12_000)
GATE_PACE = Pace(per_second=100, least=1_000, most=60_000)

Replicas = Callable[[int], None]


@pytest.fixture
def replicas(cluster: Cluster, installed: Release) -> Iterator[Replicas]:
    """Upgrades the release to so many replicas of iris, and waits for them; one again at the end."""

    def scale(count: int) -> None:
        installed.upgrade({"models": {"iris": {"replicas": count}}})
        cluster.wait_rolled_out(installed.namespace, "iris", count)

    yield scale
    installed.upgrade({})
    cluster.wait_rolled_out(installed.namespace, "iris", 1)


def restart(cluster: Cluster, namespace: str, replicas: int) -> None:
    """Restart the pods, and wait until none of the earlier ones is there.

    By an annotation of the InferenceService: KServe undoes `kubectl rollout restart` at once.
    """
    before = {pod["metadata"]["uid"] for pod in cluster.pods(namespace, "iris")}
    kubectl("annotate", "inferenceservice/iris", f"restarted-at={time.time_ns()}", "--overwrite", "-n", namespace)
    until(
        lambda: before.isdisjoint(pod["metadata"]["uid"] for pod in cluster.pods(namespace, "iris")),
        "the restarted pods",
    )
    cluster.wait_rolled_out(namespace, "iris", replicas)


@pytest.mark.gate
def test_rolling_restart_of_one_replica(cluster: Cluster, gateway: Gateway, installed: Release, note: Note) -> None:
    with steady(rest(gateway, "iris", installed.namespace), GATE_PACE) as tally:
        restart(cluster, installed.namespace, 1)
    note(f"rolling restart, one replica: {tally}")
    tally.check()


def test_rolling_restart_under_both_protocols(
    cluster: Cluster, gateway: Gateway, installed: Release, replicas: Replicas, note: Note
) -> None:
    replicas(2)
    namespace = installed.namespace
    with (
        steady(rest(gateway, "iris", namespace), PACE) as tally,
        steady(over_grpc(gateway, "iris", namespace), GRPC_PACE) as grpc_tally,
    ):
        restart(cluster, namespace, 2)
    note(f"rolling restart, two replicas, REST: {tally}")
    note(f"rolling restart, two replicas, gRPC: {grpc_tally}")
    tally.check()
    grpc_tally.check()


def test_upgrade_to_another_version(
    cluster: Cluster, gateway: Gateway, installed: Release, archives: Archives, replicas: Replicas, note: Note
) -> None:
    second = {"storageUri": archives.second, "digest": archives.second_digest, "replicas": 2}
    replicas(2)
    with steady(rest(gateway, "iris", installed.namespace), PACE) as tally:
        installed.upgrade({"models": {"iris": second}})
        until(lambda: tally.versions()["2"], "an answer by version 2")
        cluster.wait_rolled_out(installed.namespace, "iris", 2)
        begin = tally.answered[-1][0]
        until(lambda: tally.answered[-1][0] > begin + 2, "answers after the upgrade")
    note(f"upgrade to another version: {tally}")
    tally.check()
    assert set(tally.versions()) == {"1", "2"}
    assert {version for second, version in tally.answered if second > begin} == {"2"}


def test_a_pod_is_deleted(
    cluster: Cluster, gateway: Gateway, installed: Release, replicas: Replicas, note: Note
) -> None:
    replicas(2)
    with steady(rest(gateway, "iris", installed.namespace), PACE) as tally:
        cluster.delete("Pod", name(cluster.pods(installed.namespace, "iris")[0]), installed.namespace)
        cluster.wait_rolled_out(installed.namespace, "iris", 2)
    note(f"a pod deleted: {tally}")
    tally.check()


def test_scaling_by_hand(
    cluster: Cluster, gateway: Gateway, installed: Release, replicas: Replicas, note: Note
) -> None:
    with steady(rest(gateway, "iris", installed.namespace), PACE) as tally:
        replicas(3)
        replicas(1)
    note(f"scaled 1, 3, 1: {tally}")
    tally.check()


def test_a_node_is_drained(
    cluster: Cluster, gateway: Gateway, installed: Release, replicas: Replicas, note: Note
) -> None:
    """Cordon, evict, uncordon. On a cluster of one node nothing can replace the first pod until the node takes pods
    again; so the second pod's eviction is refused until then, and is asked for again.
    """
    replicas(2)
    namespace = installed.namespace
    first, second = cluster.pods(namespace, "iris")
    node = first["spec"]["nodeName"]
    with steady(rest(gateway, "iris", namespace), PACE) as tally:
        cluster.cordon(node, on=True)
        try:
            assert cluster.evict(namespace, name(first))
            assert not cluster.evict(namespace, name(second)), "the disruption budget let the last ready pod be evicted"
        finally:
            cluster.cordon(node, on=False)
        until(lambda: cluster.evict(namespace, name(second)), "the eviction of the second pod to be allowed")
        cluster.wait_rolled_out(namespace, "iris", 2)
    note(f"a node drained: {tally}")
    tally.check()
    assert {name(first), name(second)}.isdisjoint(map(name, cluster.pods(namespace, "iris")))


def test_a_stream_of_tokens_outlives_its_pod(
    cluster: Cluster, gateway: Gateway, installed: Release, note: Note
) -> None:
    """An answer that is being written is written to its end by a pod that is to go."""
    namespace = installed.namespace
    [pod] = cluster.pods(namespace, "summarizer")
    with gateway.openai("summarizer", namespace) as client:
        question: Any = {"role": "user", "content": "Tell a long story about a contract."}
        stream = client.chat.completions.create(
            model="summarizer", messages=[question], max_tokens=500, temperature=2.0, seed=3, stream=True
        )
        next(chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content)
        cluster.delete("Pod", name(pod), namespace)
        assert "deletionTimestamp" in cluster.get("Pod", name(pod), namespace)["metadata"]
        chunks = list(stream)
    note(f"a stream of tokens while its pod ends: {len(chunks)} chunks after the deletion")
    assert chunks[-1].choices[0].finish_reason == "length", "it was not written to its end"
    cluster.wait_rolled_out(namespace, "summarizer", 1)


def name(thing: dict[str, Any]) -> str:
    return str(thing["metadata"]["name"])
