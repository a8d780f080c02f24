"""A canary gets its share of the requests, where KServe splits traffic (0.21 or newer)."""

import math
import time
from collections.abc import Iterator

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Note, Releases
from tests.cluster.gateway import Gateway
from tests.cluster.release import Release, Values
from tests.cluster.senders import rest
from tests.cluster.traffic import Pace, steady
from tests.waiting import until

pytestmark = pytest.mark.cluster
MODEL = "split"
PERCENT = 30
REQUESTS = 400
# A right split is farther from its mean than so many standard deviations once in 150,000 runs.
DEVIATIONS = 4.5
# How long a KServe that splits may take to put a canary that is ready into the route.
ROUTE_SECONDS = 30


@pytest.fixture(scope="module")
def canary(cluster: Cluster, releases: Releases, archives: Archives) -> Iterator[Release]:
    """A release with a canary that is ready and in the route."""
    second = {"name": "v2", "storageUri": archives.second, "trafficPercent": PERCENT, "replicas": 1}
    model = {"kind": "iris", "storageUri": archives.first, "replicas": 1, "canary": second}
    # What the chart is told here is what it must believe to render a canary; whether it is so is seen below.
    values: Values = {
        "kserve": {"version": "0.21"},
        "models": {MODEL: model},
    }
    with releases("canary", values) as release:
        release.wait_ready([MODEL])
        name = f"{MODEL}-v2-predictor"
        until(
            lambda: cluster.get("Deployment", name, release.namespace).get("status", {}).get("availableReplicas"),
            "the canary's pod",
        )
        if not is_split(cluster, release.namespace, MODEL):
            pytest.skip("this KServe starts a canary but splits no traffic (0.20 does that); it takes 0.21")
        yield release


def is_split(cluster: Cluster, namespace: str, model: str) -> bool:
    """Whether a model's route gets a second backend within a time."""
    deadline = time.monotonic() + ROUTE_SECONDS
    while time.monotonic() < deadline:
        rules = cluster.get("HTTPRoute", model, namespace)["spec"]["rules"]
        if all(len(rule["backendRefs"]) == 2 for rule in rules):
            return True
        time.sleep(1)
    return False


def test_weights(cluster: Cluster, gateway: Gateway, canary: Release, note: Note) -> None:
    rules = cluster.get("HTTPRoute", MODEL, canary.namespace)["spec"]["rules"]
    assert {tuple(ref["weight"] for ref in rule["backendRefs"]) for rule in rules} == {(100 - PERCENT, PERCENT)}
    with steady(rest(gateway, MODEL, canary.namespace), Pace(per_second=100, least=REQUESTS, most=REQUESTS)) as tally:
        until(lambda: tally.started == REQUESTS, "the requests")
    versions = tally.versions()
    note(f"canary at {PERCENT} %: {versions['1']} and {versions['2']} of {REQUESTS}")
    assert versions.total() == REQUESTS
    share = PERCENT / 100
    bound = DEVIATIONS * math.sqrt(REQUESTS * share * (1 - share))
    assert abs(versions["2"] - REQUESTS * share) < bound
