"""Where models come from, and what happens when they do not: `pvc://` and a download, into a restricted namespace."""

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster, is_ready
from tests.cluster.conftest import Note, Releases
from tests.cluster.gateway import V1_BODIES, Gateway
from tests.cluster.refusals import (
    NOBODYS_DIGEST,
    WATCHED_SECONDS,
    is_never_served,
    last_words,
    mentions,
    readiness,
    the_new_pod,
    the_pod,
)
from tests.cluster.release import Release, Values
from tests.cluster.senders import rest
from tests.cluster.traffic import LIGHT, steady
from tests.waiting import stays, until

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def downloads(releases: Releases, archives: Archives) -> Iterator[Release]:
    """A release with the chart's own storage initializer; each model of it is downloaded."""
    models = {
        "downloaded": {"storageUri": archives.first, "digest": archives.first_digest},
        "another-digest": {"storageUri": archives.first, "digest": NOBODYS_DIGEST},
        "damaged": {"storageUri": archives.damaged, "digest": archives.first_digest},
        "absent": {"storageUri": archives.absent},
    }
    with releases(
        "downloads", {"models": {name: {"kind": "iris", **model} for name, model in models.items()}}
    ) as release:
        yield release


@pytest.mark.gate
def test_a_download_into_a_restricted_namespace(gateway: Gateway, downloads: Release, note: Note) -> None:
    [seconds] = downloads.wait_ready(["downloaded"]).values()
    note(f"Ready after a download: {seconds:.1f} s")
    with gateway.rest("downloaded", downloads.namespace) as client:
        response = client.post("/v1/models/downloaded:predict", json=V1_BODIES["iris"])
    assert response.status_code == 200, response.text
    assert response.json()["labels"] == ["setosa"]


@pytest.mark.parametrize(
    ("model", "reason"), [("another-digest", NOBODYS_DIGEST), ("damaged", "model.npz")], ids=["digest", "damaged"]
)
def test_what_was_not_pinned_is_not_served(
    cluster: Cluster, gateway: Gateway, downloads: Release, model: str, reason: str
) -> None:
    namespace = downloads.namespace
    pod = the_pod(cluster, namespace, model)
    status, why = readiness(cluster, namespace, pod)
    assert status == 503
    assert reason in why
    is_never_served(cluster, gateway, namespace, model)
    assert len(mentions(cluster, namespace, pod, reason)) == 1


def test_what_is_absent_is_not_served(
    cluster: Cluster, gateway: Gateway, downloads: Release, archives: Archives
) -> None:
    """KServe's initializer fails and says why; the server is never started."""
    namespace = downloads.namespace
    pod = the_pod(cluster, namespace, "absent")

    def reason() -> bool:
        last = last_words(cluster, namespace, pod)
        return "not found" in last and archives.absent in last

    until(reason, "the initializer's log to end with what is absent")
    is_never_served(cluster, gateway, namespace, "absent")


Change = Callable[[Values], None]


@pytest.fixture
def change(cluster: Cluster, installed: Release) -> Iterator[Change]:
    """Upgrades iris of the release; puts it back afterwards."""

    def upgrade(iris: Values) -> None:
        installed.upgrade({"models": {"iris": iris}})

    yield upgrade
    installed.upgrade({})
    cluster.wait_rolled_out(installed.namespace, "iris", 1)


def test_a_bad_upgrade_leaves_the_old_version_in_service(
    cluster: Cluster, gateway: Gateway, installed: Release, archives: Archives, change: Change
) -> None:
    namespace = installed.namespace
    old = the_pod(cluster, namespace, "iris")
    with steady(rest(gateway, "iris", namespace), LIGHT) as tally:
        change({"storageUri": archives.second, "digest": NOBODYS_DIGEST})
        new = the_new_pod(cluster, namespace, "iris", old)
        _, why = readiness(cluster, namespace, new)
        stays(lambda: cluster.ask_pod(namespace, new, "/v2/health/ready")[0], 503, WATCHED_SECONDS)
    assert NOBODYS_DIGEST in why
    tally.check()
    assert set(tally.versions()) == {"1"}
    assert old in {pod["metadata"]["name"] for pod in cluster.pods(namespace, "iris")}


def test_an_empty_volume_is_not_served(cluster: Cluster, gateway: Gateway, installed: Release, change: Change) -> None:
    """There is no such folder on the volume, so Kubernetes mounts an empty one. A pod that served it would lose requests."""
    namespace = installed.namespace
    old = the_pod(cluster, namespace, "iris")
    with steady(rest(gateway, "iris", namespace), LIGHT) as tally:
        change({"storageUri": f"pvc://{installed.name}-models/nothing-here"})
        new = the_new_pod(cluster, namespace, "iris", old)
        status, why = readiness(cluster, namespace, new)
        stays(lambda: cluster.ask_pod(namespace, new, "/v2/health/ready")[0], 503, WATCHED_SECONDS)
    assert status == 503
    assert "manifest.json" in why
    assert len(mentions(cluster, namespace, new, "manifest.json")) == 1
    tally.check()


def test_an_old_pod_comes_back_after_a_bad_upgrade(
    cluster: Cluster, gateway: Gateway, downloads: Release, archives: Archives
) -> None:
    """Nothing that the old version needs to start again has gone with the upgrade."""
    namespace, model = downloads.namespace, "downloaded"
    downloads.wait_ready([model])
    old = the_pod(cluster, namespace, model)
    downloads.upgrade({"models": {model: {"storageUri": archives.second, "digest": NOBODYS_DIGEST}}})
    new = the_new_pod(cluster, namespace, model, old)
    readiness(cluster, namespace, new)
    cluster.delete("Pod", old, namespace)

    def again() -> bool:
        others = [pod for pod in cluster.pods(namespace, model) if pod["metadata"]["name"] not in (old, new)]
        return any(is_ready(pod) for pod in others)

    until(again, f"a pod in the place of {old}")
    with gateway.rest(model, namespace) as client:
        response = client.post(f"/v1/models/{model}:predict", json=V1_BODIES["iris"])
    assert (response.status_code, response.headers["x-model-version"]) == (200, "1")
