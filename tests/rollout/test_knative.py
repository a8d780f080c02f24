"""Rollouts by Knative's revisions, in a simulated cluster."""

import pytest

from tests.rollout.behavior import Behavior
from tests.rollout.clock import Clock
from tests.rollout.pilot import NAME, V1, V2, V3, Pilot, rollout
from tests.rollout.scenario import at_weight, deploy_by_hand, results
from tests.rollout.world import NAMESPACE, World


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


def test_the_status_names_the_stable_version_while_a_canary_is_in_its_place() -> None:
    pilot = begun({V3: Behavior(error_rate=0.5)})
    pilot.apply(V2)
    at_weight(pilot, 20)
    assert (pilot.status["stable"]["storageUri"], pilot.status["canary"]["storageUri"]) == (V1, V2)
    assert pilot.settle() == "Healthy"
    assert pilot.status["stable"]["storageUri"] == V2
    pilot.apply(V3)
    assert pilot.settle() == "RolledBack"
    pilot.run(10)
    assert pilot.status["stable"]["storageUri"] == V2


def test_a_service_that_is_deleted_during_a_rollout_is_made_again_with_the_stable_version() -> None:
    pilot = Pilot(World(Clock(), seed=1), rollout("knative", V1))
    assert pilot.settle(120) == "Healthy"
    pilot.apply(V2)
    at_weight(pilot, 20)
    pilot.world.api.server.delete("InferenceService", NAMESPACE, NAME)
    pilot.until(lambda: pilot.world.store.get("InferenceService", NAMESPACE, NAME) is not None, 60)
    service = pilot.world.store.get("InferenceService", NAMESPACE, NAME)
    assert service is not None
    assert service["spec"]["predictor"]["model"]["storageUri"] == V1


def test_numbers_of_pods_follow_the_template() -> None:
    pilot = begun()
    change = {"spec": {"template": {"spec": {"predictor": {"maxReplicas": 7}}}}}
    pilot.world.api.server.patch("InferenceRollout", NAMESPACE, NAME, change)
    pilot.run(30)
    service = pilot.world.store.get("InferenceService", NAMESPACE, NAME)
    assert service is not None
    assert service["spec"]["predictor"]["maxReplicas"] == 7
    assert pilot.phase == "Healthy"
    serves_only(pilot, "v1")
