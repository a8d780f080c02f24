"""The controller in the cluster, and a model with a rollout for each routing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Releases
from tests.cluster.definition import install_crd
from tests.cluster.gateway import Gateway
from tests.cluster.namespaces import Namespaces
from tests.cluster.programs import CONTROLLER_CHART, helm
from tests.cluster.release import Release, merge, sized
from tests.cluster.rollouts.faults import Faults, faults_of
from tests.cluster.rollouts.served import MODEL, Served, values
from tests.cluster.settings import Settings
from tests.cluster.test_canary import is_split
from tests.waiting import until


@pytest.fixture(scope="session")
def rollout_namespaces(namespaces: Namespaces) -> dict[str, str]:
    """One for each routing, and one for what the tests themselves drive; the controller has rights in these alone."""
    return {purpose: namespaces.create(purpose) for purpose in ("pair", "canary", "knative", "adopted")}


@pytest.fixture(scope="session")
def controller(
    cluster: Cluster, settings: Settings, namespaces: Namespaces, rollout_namespaces: dict[str, str]
) -> Iterator[str]:
    """The controller's namespace."""
    namespace = namespaces.create("controller")
    install_crd()
    allowed = ",".join(rollout_namespaces.values())
    flags = ["crd.install=false", "aggregatedRoles=false", "resources.requests.cpu=20m", f"namespaces={{{allowed}}}"]
    image = [f"image.registry={settings.registry}", f"image.tag={settings.tag}"]
    given = [*(f"--set={flag}" for flag in flags), *(f"--set-string={flag}" for flag in image)]
    helm("install", "controller", CONTROLLER_CHART, "--namespace", namespace, *given, "--wait")
    yield namespace
    helm("uninstall", "controller", "--namespace", namespace, "--wait")
    namespaces.delete(namespace)


@pytest.fixture(scope="session")
def splits(cluster: Cluster, releases: Releases, archives: Archives) -> bool:
    """Whether this KServe sends traffic to canaries."""
    second = {"name": "v2", "storageUri": archives.second, "trafficPercent": 50, "replicas": 1}
    model = {"kind": "iris", "storageUri": archives.first, "canary": second}
    with releases("splits", {"kserve": {"version": "0.21"}, "models": {MODEL: model}}) as release:
        release.wait_ready([MODEL])
        until(
            lambda: (
                cluster.get("Deployment", f"{MODEL}-v2-predictor", release.namespace)
                .get("status", {})
                .get("availableReplicas")
            ),
            "the canary's pod",
        )
        return is_split(cluster, release.namespace, MODEL)


@pytest.fixture(scope="session")
def faults(archives: Archives) -> Faults:
    """Bad versions of iris."""
    return faults_of(archives)


@pytest.fixture(scope="module", params=["pair", "canary"])
def served(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    gateway: Gateway,
    settings: Settings,
    controller: str,
    rollout_namespaces: dict[str, str],
    archives: Archives,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """Iris at version 1 with a rollout, by each routing."""
    routing: str = request.param
    if routing == "canary" and not request.getfixturevalue("splits"):
        pytest.skip("this KServe starts a canary but sends it no traffic (0.20 does that); it takes 0.21")
    first = values(routing, {"storageUri": archives.first, "digest": archives.first_digest})
    scratch: Path = tmp_path_factory.mktemp(routing)
    release = Release(cluster, gateway, rollout_namespaces[routing], merge(sized(settings), first), scratch)
    model = Served(cluster, gateway, release, routing)
    release.install()
    model.wait_phase("Healthy")
    release.wait_ready([MODEL])
    yield model
    release.uninstall()
