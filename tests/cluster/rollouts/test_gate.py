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
    with served.traffic() as tally:
        endings = served.endings
        served.apply({"storageUri": archives.second, "digest": archives.second_digest})
        promoted = served.wait_end(endings)
    note(f"gate: promotion by pair: {tally}")
    tally.check()
    assert promoted.result == "Promoted", promoted.reason

    with served.traffic() as tally:
        endings = served.endings
        served.apply(faults["labels swapped"].values)
        rolled_back = served.wait_end(endings)
    note(f"gate: rollback by pair after {rolled_back.exposed_seconds:.1f} s: {tally}")
    assert rolled_back.result == "RolledBack", rolled_back.reason
    assert rolled_back.reason.startswith("labels:")
    assert not [text for _, text in tally.faults if not text.startswith("status 200")]
    served.check_tidy()
