"""Rollouts by Knative's revisions, in a simulated cluster."""

import pytest

from tests.rollout.behavior import Behavior
from tests.rollout.clock import Clock
from tests.rollout.pilot import V1, V2, V3, Pilot, rollout
from tests.rollout.scenario import at_weight, deploy_by_hand, results
from tests.rollout.world import World


def begun(behaviors: dict[str, Behavior] | None = None) -> Pilot:
    pilot = Pilot(World(Clock(), behaviors=behaviors, seed=1), rollout("knative", V1))
    assert pilot.settle(120) == "Healthy"
    pilot.run(10)
    pilot.traffic.start(20)
    return pilot


def serves_only(pilot: Pilot, version: str) -> None:
    pilot.run(30)
    pilot.traffic.record.answered.clear()
    pilot.run(20)
    assert pilot.traffic.record.share(version) == 1


def test_a_sound_version_is_promoted() -> None:
    pilot = begun()
    pilot.apply(V2)
    at_weight(pilot, 60)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V2)]
    serves_only(pilot, "v2")


@pytest.mark.parametrize("weight", [0, 20, 60, 100])
def test_it_is_aborted_at_any_step(weight: int) -> None:
    pilot = begun()
    pilot.apply(V2)
    at_weight(pilot, weight)
    pilot.ask("abort")
    assert pilot.settle() == "RolledBack"
    assert results(pilot) == [("Aborted", V2)]
    serves_only(pilot, "v1")


@pytest.mark.parametrize(
    "bad", [Behavior(error_rate=0.5), Behavior(slow=4), Behavior(never_ready=True), Behavior(crash=1)]
)
def test_a_bad_version_is_rolled_back_and_another_one_follows(bad: Behavior) -> None:
    pilot = begun({V2: bad})
    pilot.apply(V2)
    assert pilot.settle() == "RolledBack"
    serves_only(pilot, "v1")
    pilot.apply(V3)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V3), ("RolledBack", V2)]
    serves_only(pilot, "v3")


@pytest.mark.parametrize("weight", [20, 60, 100])
def test_a_newer_template_supersedes_one_that_is_under_way(weight: int) -> None:
    pilot = begun()
    pilot.apply(V2)
    at_weight(pilot, weight)
    pilot.apply(V3)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V3), ("Superseded", V2)]
    serves_only(pilot, "v3")


def test_it_is_undone_by_the_template_of_before() -> None:
    pilot = begun()
    for uri in (V2, V1):
        pilot.apply(uri)
        pilot.until(lambda: pilot.phase != "Healthy", 60)
        assert pilot.settle() == "Healthy"
        pilot.run(30)
    serves_only(pilot, "v1")


@pytest.mark.parametrize("weight", [20, 60])
def test_a_template_that_is_changed_back_takes_the_canary_away(weight: int) -> None:
    pilot = begun()
    pilot.apply(V2)
    at_weight(pilot, weight)
    pilot.apply(V1)
    assert pilot.settle() == "Healthy"
    serves_only(pilot, "v1")


def test_a_version_that_is_deployed_by_hand_meanwhile_is_not_promoted() -> None:
    pilot = begun()
    pilot.apply(V2)
    at_weight(pilot, 20)
    deploy_by_hand(pilot, V3)
    assert pilot.settle() == "RolledBack"
    serves_only(pilot, "v1")
