"""For comparison: the promotion that one patch makes, as KServe alone does it."""

import pytest

from tests.cluster.archives import Archives
from tests.cluster.conftest import Note, Releases
from tests.cluster.gateway import Gateway
from tests.cluster.release import Values
from tests.cluster.rollouts.served import MODEL, PACE
from tests.cluster.senders import rest
from tests.cluster.traffic import steady
from tests.waiting import until

pytestmark = pytest.mark.cluster


def test_one_patch(releases: Releases, gateway: Gateway, archives: Archives, splits: bool, note: Note) -> None:
    """Nothing is demanded of KServe here; what is lost is reported."""
    if not splits:
        pytest.skip("this KServe starts a canary but sends it no traffic (0.20 does that); it takes 0.21")
    canary = {"name": "v2", "storageUri": archives.second, "trafficPercent": 25, "replicas": 1}
    model: Values = {"storageUri": archives.first, "canary": canary}
    with releases("naive", {"kserve": {"version": "0.21"}, "models": {MODEL: model}}) as release:
        release.wait_ready([MODEL])
        with steady(rest(gateway, MODEL, release.namespace), PACE) as tally:
            until(lambda: tally.versions()["2"], "an answer by the canary")
            promoted = {"predictorName": "v2", "storageUri": archives.second, "canary": None}
            release.upgrade({"models": {MODEL: promoted}})
            begin = tally.answered[-1][0]
            until(lambda: tally.answered[-1][0] > begin + 10, "answers after the promotion")
    note(f"promotion by one patch, without a rollout: {tally}")
    assert {version for moment, version in tally.answered if moment > begin + 8} == {"2"}
