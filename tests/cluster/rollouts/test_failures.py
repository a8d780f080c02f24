"""Versions that are bad, each in its own way, are rolled back without a person."""

import pytest

from tests.cluster.conftest import Note
from tests.cluster.rollouts.faults import NAMES, Faults
from tests.cluster.rollouts.served import Served
from tests.cluster.traffic import Tally

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_version(served: Served, faults: Faults, name: str, note: Note) -> None:
    fault = faults[name]
    # Slow by a factor that the machine's own noise does not reach; the default bound is for servers that are alone.
    checks = [{"type": fault.check, **({"bound": 3} if fault.check == "latency" else {})}] if fault.check else []
    with served.traffic() as tally:
        endings = served.endings
        if fault.program:
            served.apply_program(fault.values, fault.program, {"checks": checks})
        else:
            served.apply(fault.values, {"checks": checks} if checks else None)
        ending = served.wait_end(endings)
    served.settle()
    met = _met(tally)
    note(
        f"{served.routing}: {name}: rolled back {ending.exposed_seconds:.1f} s after its first traffic; "
        f"met by {met} of {tally.started} requests ({met / tally.started:.1%}); {ending.reason}"
    )
    assert ending.result == "RolledBack", ending.reason
    if fault.check:
        assert ending.reason.startswith(f"{fault.check}:")
        assert ending.exposed_seconds > 0
    else:
        tally.check()
        assert tally.versions().keys() == {"1"}
    # Whatever failed, was answered by the bad version: the rollback itself loses nothing.
    lost = [text for _, text in tally.faults if text.startswith(("no answer", "status 503", "status 404"))]
    assert not lost
    served.check_tidy()


def _met(tally: Tally) -> int:
    """Requests that failed, were answered otherwise, or came from another version than the stable one."""
    return len(tally.faults) + sum(count for version, count in tally.versions().items() if version != "1")
