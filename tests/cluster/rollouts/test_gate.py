"""The part that CI runs, on any KServe: one promotion and one rollback, by pair."""

import pytest

from tests.cluster.archives import Archives
from tests.cluster.conftest import Note
from tests.cluster.rollouts.faults import Faults
from tests.cluster.rollouts.served import Served

pytestmark = [pytest.mark.cluster, pytest.mark.gate]


@pytest.mark.parametrize("served", ["pair"], indirect=True)
def test_one_version_is_promoted_and_one_rolled_back(
    served: Served, archives: Archives, faults: Faults, note: Note
) -> None:
    tally, promoted = served.rolled_out({"storageUri": archives.second, "digest": archives.second_digest})
    note(f"gate: promotion by pair: {tally}")
    tally.check()
    assert promoted.result == "Promoted", promoted.reason

    tally, rolled_back = served.rolled_out(faults["labels swapped"].values)
    note(f"gate: rollback by pair after {rolled_back.exposed_seconds:.1f} s: {tally}")
    assert rolled_back.result == "RolledBack", rolled_back.reason
    assert rolled_back.reason.startswith("labels:")
    assert not tally.lost
    served.check_tidy()
