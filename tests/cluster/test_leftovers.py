"""Upgrade, rollback and uninstall leave nothing behind."""

from collections.abc import Iterator

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster
from tests.cluster.gateway import Gateway
from tests.cluster.leftovers import in_namespace, outside
from tests.cluster.namespaces import Namespaces
from tests.cluster.release import Release, Values, merge, sized
from tests.cluster.settings import Settings
from tests.waiting import until

pytestmark = pytest.mark.cluster
# As much of the chart as can be switched on: each makes objects.
FULL: Values = {
    "modelVolume": {"create": True},
    "cluster": {"runtimes": True},
    "monitoring": {"adapterRule": {"create": True}},
    "models": {
        # A fixed number, since starting a pod may take as much CPU as to start another one.
        "iris": {"autoscaling": {"minReplicas": 2, "maxReplicas": 2, "requestsPerSecond": 50}},
        "intent": {},
    },
}


@pytest.fixture
def release(
    cluster: Cluster,
    gateway: Gateway,
    settings: Settings,
    namespaces: Namespaces,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Release]:
    """A release that is not installed yet."""
    namespace = namespaces.create("leftovers")
    scratch = tmp_path_factory.mktemp("values")
    yield Release(cluster, gateway, namespace, merge(sized(settings), FULL), scratch)
    namespaces.delete(namespace)


def made_by_users(objects: set[str]) -> set[str]:
    """Objects without helm's records, of which each revision has one."""
    return {each for each in objects if not each.startswith("secret/sh.helm.release.v1.")}


def test_nothing_is_left(cluster: Cluster, archives: Archives, release: Release) -> None:
    namespace = release.namespace
    empty = in_namespace(namespace)
    release.install()
    release.wait_ready(["iris", "intent"])
    first, first_outside = made_by_users(in_namespace(namespace)), outside(namespace)
    assert first_outside, "nothing was made outside of the namespace, so its removal would prove nothing"

    # Another storage and image arguments make another runtime; intent goes, and a model of another name comes.
    release.upgrade(
        {
            "models": {
                "iris": {"storageUri": archives.second, "args": ["--max_rows=7"]},
                "intent": None,
                "another": {"kind": "iris", "storageUri": archives.first},
            }
        }
    )
    release.wait_ready(["iris", "another"])
    cluster.wait_rolled_out(namespace, "iris", 2)
    until(lambda: not cluster.get("InferenceService", "intent", namespace), "intent to go")
    until(lambda: not cluster.deployment(namespace, "intent"), "intent's pods to go")
    assert "intent" not in " ".join(made_by_users(in_namespace(namespace)))

    release.rollback(1)
    release.wait_ready(["iris", "intent"])
    cluster.wait_rolled_out(namespace, "iris", 2)
    until(lambda: made_by_users(in_namespace(namespace)) == first, "the objects of the first revision, and no others")
    assert outside(namespace) == first_outside

    release.uninstall()
    until(lambda: in_namespace(namespace) == empty, "the namespace to be as empty as it was")
    assert not outside(namespace)
