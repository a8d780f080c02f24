"""The chart on Knative: scaled to zero and back, up and down under load, and new versions; nothing is lost."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster, is_ready
from tests.cluster.conftest import KINDS, Note
from tests.cluster.knative import every_pod, first_answer, hasty, knative_gateway, wait_zero
from tests.cluster.namespaces import Namespaces
from tests.cluster.release import Release, Values, merge, sized
from tests.cluster.senders import rest
from tests.cluster.settings import Settings
from tests.cluster.traffic import Pace, Tally, steady
from tests.waiting import until

pytestmark = pytest.mark.cluster
# Iris with its artifact downloaded, and scaled by requests per second.
ARCHIVED, SCALED = "archived", "scaled"
FLOW = Pace(per_second=4, least=50, most=60_000)
LOAD = Pace(per_second=90, least=100, most=60_000)
# So much less than the load, and so much more than the flow, that a busy machine changes neither number of pods.
PER_POD = 10
PERCENT, REQUESTS = 30, 400
# A right split is farther from its mean than so many standard deviations once in 150,000 runs.
DEVIATIONS = 4.5


def models(archives: Archives) -> Values:
    archive = {"kind": "iris", "storageUri": archives.first, "digest": archives.first_digest}
    return {
        **{kind: hasty({}) for kind in KINDS},
        ARCHIVED: hasty(archive),
        SCALED: hasty({**archive, "autoscaling": {"requestsPerSecond": PER_POD}}, least=1, window="30s"),
    }


@pytest.fixture(scope="module")
def release(
    cluster: Cluster,
    settings: Settings,
    namespaces: Namespaces,
    archives: Archives,
    tmp_path_factory: pytest.TempPathFactory,
    note: Note,
) -> Iterator[Release]:
    """All three models from a volume, and iris from an archive, on Knative."""
    gateway = knative_gateway(settings, cluster)
    namespace = namespaces.create("knative")
    values: Values = {
        "kserve": {"deploymentMode": "Knative"},
        "modelVolume": {"create": True},
        "models": models(archives),
    }
    scratch: Path = tmp_path_factory.mktemp("knative")
    release = Release(cluster, gateway, namespace, merge(sized(settings), values), scratch)
    release.install()
    for model, seconds in release.wait_ready([*KINDS, ARCHIVED, SCALED]).items():
        note(f"Knative, helm install to Ready, {model}: {seconds:.1f} s")
    yield release
    release.uninstall()
    namespaces.delete(namespace)


@pytest.mark.parametrize("model", ["iris", ARCHIVED, "summarizer"])
def test_scaled_to_zero_and_back(cluster: Cluster, release: Release, note: Note, model: str) -> None:
    kind = "iris" if model == ARCHIVED else model
    wait_zero(cluster, release.namespace, model)
    cold, first = first_answer(release.gateway, release.namespace, model, kind)
    assert every_pod(cluster, release.namespace, model)
    warm, second = first_answer(release.gateway, release.namespace, model, kind)
    note(f"Knative, {model}: first answer from no pod after {cold:.2f} s, next after {warm:.3f} s")
    assert first["predictions"] == second["predictions"]


def test_scaled_up_and_down_under_load(cluster: Cluster, release: Release, note: Note) -> None:
    namespace = release.namespace
    with steady(rest(release.gateway, SCALED, namespace), FLOW) as flow:
        with steady(rest(release.gateway, SCALED, namespace), LOAD) as load:
            until(lambda: ready_pods(cluster, namespace) == 3, "three pods")
        until(lambda: len(every_pod(cluster, namespace, SCALED)) == 1, "one pod")
    note(f"Knative, scaled 1, 3, 1: {load}, and at 4 a second {flow}")
    load.check()
    flow.check()


def ready_pods(cluster: Cluster, namespace: str) -> int:
    return sum(is_ready(pod) for pod in cluster.pods(namespace, SCALED))


def test_a_canary_gets_its_share_and_the_rest_follows(release: Release, archives: Archives, note: Note) -> None:
    """By hand: a share of the requests for another version, and then all of them."""
    second: Values = {"storageUri": archives.second, "digest": archives.second_digest}
    with steady(rest(release.gateway, SCALED, release.namespace), FLOW) as tally:
        release.upgrade({"models": {SCALED: {"canary": {**second, "trafficPercent": PERCENT}}}})
        until(lambda: tally.versions()["2"], "an answer by version 2")
        with steady(
            rest(release.gateway, SCALED, release.namespace), Pace(per_second=50, least=REQUESTS, most=REQUESTS)
        ) as split:
            until(lambda: split.started == REQUESTS, "the requests")
        release.upgrade({"models": {SCALED: second}})
        begin = only_answered_by("2", tally)
    note(f"Knative, a canary at {PERCENT} %: {split}; then a new version: {tally}")
    tally.check()
    assert {version for moment, version in tally.answered if moment > begin} == {"2"}
    versions, share = split.versions(), PERCENT / 100
    assert versions.total() == REQUESTS
    assert abs(versions["2"] - REQUESTS * share) < DEVIATIONS * math.sqrt(REQUESTS * share * (1 - share))


def only_answered_by(version: str, tally: Tally) -> float:
    """Wait until a version alone answers; the time since when, in the stream's own seconds."""

    def look() -> float | None:
        recent = tally.answered[-3 * int(FLOW.per_second) :]
        return recent[0][0] if {each for _, each in recent} == {version} else None

    return until(look, f"answers by version {version} alone")
