"""Rollouts by Knative's revisions: by the controller, and from a terminal."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Note
from tests.cluster.knative import hasty, knative_gateway
from tests.cluster.programs import ProgramFailed, run
from tests.cluster.release import Release, merge, sized
from tests.cluster.rollouts.faults import Faults
from tests.cluster.rollouts.served import MODEL, Served, values
from tests.cluster.senders import rest
from tests.cluster.settings import Settings
from tests.cluster.traffic import Pace, steady

pytestmark = pytest.mark.cluster
_TERMINAL = "by-hand"


@pytest.fixture(scope="module")
def served(
    cluster: Cluster,
    settings: Settings,
    controller: str,
    rollout_namespaces: dict[str, str],
    archives: Archives,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """Iris at version 1 with a rollout, and again without one."""
    gateway = knative_gateway(settings, cluster)
    iris = {"kind": "iris", "storageUri": archives.first, "digest": archives.first_digest}
    given = merge(values("knative", iris), {"models": {_TERMINAL: hasty(iris, least=1)}})
    scratch: Path = tmp_path_factory.mktemp("knative")
    release = Release(cluster, gateway, rollout_namespaces["knative"], merge(sized(settings), given), scratch)
    model = Served(cluster, gateway, release, "knative")
    release.install()
    model.wait_phase("Healthy")
    release.wait_ready([MODEL, _TERMINAL])
    yield model
    release.uninstall()


def test_a_good_version_is_promoted_and_bad_ones_are_rolled_back(
    served: Served, archives: Archives, faults: Faults, note: Note
) -> None:
    tally, promoted = served.rolled_out({"storageUri": archives.second, "digest": archives.second_digest})
    note(f"knative: promotion in steps, weights {[weight for _, weight in promoted.weights]}: {tally}")
    tally.check()
    assert promoted.result == "Promoted", promoted.reason
    assert {25, 50, 100} <= {weight for _, weight in promoted.weights}

    tally, rolled_back = served.rolled_out(faults["labels swapped"].values)
    note(f"knative: rollback after {rolled_back.exposed_seconds:.1f} s: {tally}")
    assert rolled_back.result == "RolledBack", rolled_back.reason
    assert rolled_back.reason.startswith("labels:")
    assert not tally.lost

    with served.traffic() as tally:
        endings = served.endings
        served.apply(faults["wrong digest"].values)
        never = served.wait_end(endings)
        endings = served.endings
        served.apply()
        back = served.wait_end(endings)
    note(f"knative: a version that is never ready, and then the first one again: {tally}")
    tally.check()
    assert never.result == "RolledBack", never.reason
    assert back.result == "Promoted", back.reason


def test_from_a_terminal(cluster: Cluster, served: Served, archives: Archives, note: Note) -> None:
    namespace = served.namespace
    options = ["--steps", "50,100", "--hold", "5s", "--drain", "5s", "--interval", "2s", "-n", namespace, "--yes"]
    command = [sys.executable, "-m", "predictors", "rollout", "run", _TERMINAL, *options]
    service = cluster.get("InferenceService", _TERMINAL, namespace)
    sender = rest(served.release.gateway, _TERMINAL, namespace)
    with steady(sender, Pace(per_second=50, least=100, most=60_000)) as tally:
        run(*command, "--storage-uri", archives.second, "--digest", archives.second_digest)
        with pytest.raises(ProgramFailed, match="labels"):
            run(*command, "--storage-uri", archives.swapped, "--digest", archives.swapped_digest)
    note(f"knative: a promotion and a rollback from a terminal: {tally}")
    assert not tally.lost
    assert service["spec"]["predictor"].get("canaryTrafficPercent") is None
    assert cluster.get("InferenceService", _TERMINAL, namespace)["spec"]["predictor"]["canaryTrafficPercent"] == 0
