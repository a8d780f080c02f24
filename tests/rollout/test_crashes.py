"""The controller ends right after a write to the API server, and another one goes on with what the cluster shows."""

import itertools

import pytest

from tests.rollout.behavior import Behavior
from tests.rollout.clock import Clock
from tests.rollout.pilot import V1, V2, Pilot, rollout
from tests.rollout.world import World

_STATUS = "patch InferenceRollout iris"
each_way = pytest.mark.parametrize("routing", ["canary", "pair"])
sound_or_bad = pytest.mark.parametrize("bad", [False, True], ids=["sound", "bad"])


class Ends:
    """After every so-many-th write that is not of the status: between those, a rollout gets ahead.

    Args:
        every: of them.
        first: the first, of `every`.
    """

    def __init__(self, every: int, first: int) -> None:
        self._every = every
        self._count = -first

    def __call__(self, write: str) -> bool:
        if write == _STATUS:
            return False
        self._count += 1
        return self._count % self._every == 0


class EndsOnce:
    """After one write, of whatever.

    Args:
        number: of it.
    """

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, write: str) -> bool:
        self._left -= 1
        return self._left == 0


def begin(routing: str, bad: bool) -> Pilot:
    world = World(Clock(), behaviors={V2: Behavior(error_rate=0.6)} if bad else {}, seed=1)
    return Pilot(world, rollout(routing, V1))


def go_through(pilot: Pilot) -> None:
    """To the first version, and then to the second, or back."""
    pilot.until(lambda: pilot.phase == "Healthy", 300)
    pilot.run(5)
    pilot.traffic.start(20)
    pilot.apply(V2)
    pilot.until(lambda: bool(results(pilot)), 900)
    pilot.run(20)


def results(pilot: Pilot) -> list[str]:
    """Of the history, newest first; without the first version's."""
    return [each["result"] for each in pilot.status.get("history", []) if each["storageUri"] != V1]


def ended_as_wanted(pilot: Pilot, bad: bool) -> None:
    """As it does without crashes: with all of the traffic on one version, and nothing left of the other."""
    assert results(pilot) == (["RolledBack"] if bad else ["Promoted"])
    assert pilot.phase == ("RolledBack" if bad else "Healthy")
    pilot.traffic.record.answered.clear()
    pilot.run(5)
    assert pilot.traffic.record.share("v1" if bad else "v2") == 1
    assert len(pilot.world.store.list("Deployment", "models")) == 1
    assert len(pilot.world.store.list("HorizontalPodAutoscaler", "models")) == 1


@each_way
@sound_or_bad
@pytest.mark.parametrize("first", range(4))
def test_it_ends_the_same_though_controllers_end_after_every_fourth_action(routing: str, bad: bool, first: int) -> None:
    pilot = begin(routing, bad)
    pilot.world.api.ends_after = Ends(4, first)
    go_through(pilot)
    assert len(pilot.crashes) >= 4
    ended_as_wanted(pilot, bad)


@pytest.mark.slow
@each_way
@sound_or_bad
def test_it_ends_the_same_wherever_the_controller_ends(routing: str, bad: bool) -> None:
    for number in itertools.count(1):
        pilot = begin(routing, bad)
        pilot.world.api.ends_after = EndsOnce(number)
        go_through(pilot)
        ended_as_wanted(pilot, bad)
        if not pilot.crashes:
            break
    assert number > 20
