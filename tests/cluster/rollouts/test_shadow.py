"""Before it has any traffic, a canary answers copies of requests; one that answers otherwise goes without a user meeting it."""

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Note
from tests.cluster.rollouts.faults import Faults
from tests.cluster.rollouts.served import MODEL, Served

pytestmark = pytest.mark.cluster
SHADOW = {"shadow": {"percent": 50, "hold": "5s"}}
CHECKS = [{"type": "errors", "bound": 0.05}, {"type": "agreement", "bound": 0.05}]


def test_answers_are_compared_before_users_meet_them(
    served: Served, cluster: Cluster, archives: Archives, faults: Faults, note: Note
) -> None:
    tally, ending = served.rolled_out(faults["labels swapped"].values, {**SHADOW, "checks": CHECKS})
    note(f"{served.routing}: labels swapped, found by copies of requests: {tally}; {ending.reason}")
    tally.check()
    assert ending.result == "RolledBack", ending.reason
    assert ending.reason.startswith("agreement:")
    assert tally.versions().keys() == {"1"}, "a user met the canary"

    served.settle()
    second = {"storageUri": archives.second, "digest": archives.second_digest}
    tally, ending = served.rolled_out(second, {**SHADOW, "checks": CHECKS})
    note(f"{served.routing}: promotion after copies of requests: {tally}")
    tally.check()
    assert ending.result == "Promoted", ending.reason
    assert not cluster.get("ConfigMap", f"{MODEL}-shadow", served.namespace)
    served.settle()
    served.check_tidy()
