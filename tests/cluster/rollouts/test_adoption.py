"""A release that serves is given a rollout, and an InferenceService without one is rolled out from a terminal."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Note
from tests.cluster.gateway import Gateway
from tests.cluster.programs import kubectl
from tests.cluster.release import Release, merge, sized
from tests.cluster.rollouts.served import MODEL, Served, values
from tests.cluster.settings import Settings
from tests.waiting import until

pytestmark = pytest.mark.cluster


@pytest.fixture
def plain(
    cluster: Cluster,
    gateway: Gateway,
    settings: Settings,
    controller: str,
    rollout_namespaces: dict[str, str],
    archives: Archives,
    tmp_path: Path,
) -> Iterator[Release]:
    """Iris at version 1 as the chart serves it without a rollout."""
    first = {"models": {MODEL: {"storageUri": archives.first, "digest": archives.first_digest}}}
    release = Release(cluster, gateway, rollout_namespaces["adopted"], merge(sized(settings), first), tmp_path)
    release.install()
    release.wait_ready([MODEL])
    yield release
    release.uninstall()
    kubectl("delete", "inferenceservice", MODEL, "-n", release.namespace, "--ignore-not-found")
    until(lambda: not cluster.pods(release.namespace, MODEL), "the pods to end")


@pytest.mark.parametrize("routing", ["pair", "canary"])
def test_a_release_that_serves_is_adopted(
    plain: Release, cluster: Cluster, gateway: Gateway, routing: str, request: pytest.FixtureRequest, note: Note
) -> None:
    if routing == "canary" and not request.getfixturevalue("splits"):
        pytest.skip("this KServe starts a canary but sends it no traffic (0.20 does that); it takes 0.21")
    service = cluster.get("InferenceService", MODEL, plain.namespace)["metadata"]["uid"]
    model = Served(cluster, gateway, plain, routing)
    with model.traffic() as tally:
        kubectl("annotate", "inferenceservice", MODEL, "helm.sh/resource-policy=keep", "-n", plain.namespace)
        plain.upgrade(values(routing, {}))
        model.wait_phase("Healthy")
        until(lambda: len(model.pods()) == 1, "the pods of before to end")
        begin = tally.answered[-1][0]
        until(lambda: tally.answered[-1][0] > begin + 2, "answers after the adoption")
    note(f"{routing}: adoption of a release that serves: {tally}")
    tally.check()
    assert cluster.get("InferenceService", MODEL, plain.namespace)["metadata"]["uid"] == service


@pytest.mark.parametrize("routing", ["pair", "canary"])
def test_from_a_terminal_that_is_killed(
    plain: Release,
    cluster: Cluster,
    gateway: Gateway,
    archives: Archives,
    routing: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    note: Note,
) -> None:
    """`predictors rollout run`, killed in the middle and run again, goes on where it was: no state but the cluster's."""
    if routing == "canary" and not request.getfixturevalue("splits"):
        pytest.skip("this KServe starts a canary but sends it no traffic (0.20 does that); it takes 0.21")
    model = Served(cluster, gateway, plain, routing)
    command = [
        *(sys.executable, "-m", "predictors", "rollout", "run", MODEL, "-n", plain.namespace, "--yes"),
        *("--storage-uri", archives.second, "--digest", archives.second_digest, "--routing", routing),
        *("--steps", "25,50,100", "--hold", "10s", "--drain", "5s", "--interval", "2s"),
    ]
    strategy = tmp_path / "strategy.yaml"
    strategy.write_text("checks: [{type: errors, bound: 0.05}, {type: labels}]\n", "utf-8")
    command += ["--strategy", str(strategy)]
    with model.traffic() as tally:
        first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until(lambda: tally.versions()["2"] or first.poll() is not None, "an answer by version 2")
        first.send_signal(signal.SIGKILL)
        shown, _ = first.communicate()
        assert tally.versions()["2"], shown
        time.sleep(3)
        again = subprocess.run(command, capture_output=True, text=True, timeout=600)
        begin = tally.answered[-1][0]
        until(lambda: tally.answered[-1][0] > begin + 2, "answers after the promotion")
    note(f"{routing}: `rollout run`, killed at its first step and run again: {tally}")
    assert again.returncode == 0, again.stdout + again.stderr
    tally.check()
    assert {version for moment, version in tally.answered if moment > begin} == {"2"}
