"""Rollouts from the beginning to the end, in a simulated cluster."""

import pytest

from tests.rollout.behavior import Behavior
from tests.rollout.clock import Clock
from tests.rollout.pilot import NAME, PODS, V1, V2, V3, Pilot, rollout
from tests.rollout.scenario import at_weight, begun, results, serves_only
from tests.rollout.world import NAMESPACE, Flavor, World, inference_service

in_each_way = pytest.mark.parametrize(("routing", "kserve"), [("canary", "0.21"), ("pair", "0.20"), ("pair", "0.21")])
each_way = pytest.mark.parametrize("routing", ["canary", "pair"])


@in_each_way
def test_a_sound_version_is_promoted(routing: str, kserve: Flavor) -> None:
    pilot = begun(routing, kserve)
    pilot.apply(V2)
    at_weight(pilot, 60)
    at_weight(pilot, 100)
    pilot.run(5)
    pilot.traffic.record.answered.clear()
    assert pilot.settle() == "Healthy"
    assert pilot.traffic.record.share("v2") == 1
    assert results(pilot) == [("Promoted", V2)]
    serves_only(pilot, "v2")


def test_a_canary_is_promoted_without_a_restart_of_its_pods() -> None:
    pilot = begun("canary")
    pilot.apply(V2)
    at_weight(pilot, 100)
    before = {each["metadata"]["uid"] for each in pilot.world.pods()}
    assert pilot.settle() == "Healthy"
    pilot.run(60)
    assert {each["metadata"]["uid"] for each in pilot.world.pods()} < before


@each_way
@pytest.mark.parametrize("weight", [0, 20, 60, 100])
def test_it_is_aborted_at_any_step(routing: str, weight: int) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, weight)
    pilot.ask("abort")
    assert pilot.settle() == "RolledBack"
    assert results(pilot) == [("Aborted", V2)]
    serves_only(pilot, "v1")


@each_way
def test_it_is_undone_by_the_template_of_before(routing: str) -> None:
    pilot = begun(routing)
    for uri in (V2, V1, V2):
        pilot.apply(uri)
        pilot.until(lambda: pilot.phase != "Healthy", 60)
        assert pilot.settle() == "Healthy"
        pilot.run(30)
    assert results(pilot) == [("Promoted", V2), ("Promoted", V1), ("Promoted", V2)]
    serves_only(pilot, "v2")


@each_way
@pytest.mark.parametrize("weight", [0, 20, 100])
def test_a_newer_template_supersedes_one_that_is_under_way(routing: str, weight: int) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, weight)
    pilot.apply(V3)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V3), ("Superseded", V2)]
    serves_only(pilot, "v3")


@each_way
@pytest.mark.parametrize("weight", [20, 100])
def test_a_template_that_is_changed_back_takes_the_canary_away(routing: str, weight: int) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, weight)
    pilot.apply(V1)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Superseded", V2)]
    serves_only(pilot, "v1")


@each_way
@pytest.mark.parametrize(
    "bad",
    [
        Behavior(error_rate=0.5),
        Behavior(slow=4),
        Behavior(labels={"setosa": 0.0, "versicolor": 0.1, "virginica": 0.9}),
        Behavior(crash=1),
        Behavior(never_ready=True),
        Behavior(bad_digest=True),
        Behavior(no_image=True),
    ],
    ids=["errors", "slow", "labels", "crashes", "never ready", "wrong digest", "no image"],
)
def test_a_bad_version_is_rolled_back(routing: str, bad: Behavior) -> None:
    pilot = begun(routing, behaviors={V2: bad})
    pilot.apply(V2)
    assert pilot.settle() == "RolledBack"
    assert results(pilot) == [("RolledBack", V2)]
    assert pilot.status["history"][0]["reason"]
    serves_only(pilot, "v1")


@each_way
def test_a_version_that_ends_under_traffic_is_rolled_back(routing: str) -> None:
    pilot = begun(routing, behaviors={V2: Behavior(crash=25)})
    pilot.apply(V2)
    pilot.spared = True
    assert pilot.settle() == "RolledBack"
    lost = [each for each in pilot.traffic.record.lost if "canary" not in each.backend and "-r" not in each.backend]
    assert lost == []


@each_way
def test_another_version_than_the_one_wanted_is_rolled_back_before_it_has_traffic(routing: str) -> None:
    pilot = begun(routing)
    change = {"spec": {"version": "v7"}}
    pilot.world.api.server.patch("InferenceRollout", NAMESPACE, NAME, change)
    pilot.apply(V2)
    assert pilot.settle() == "RolledBack"
    assert "v7" in pilot.status["history"][0]["reason"]
    assert pilot.traffic.record.count("v2") == 0


@each_way
def test_it_waits_for_a_person_where_it_is_told_to(routing: str) -> None:
    pilot = begun(routing, pauseBefore=[100])
    pilot.apply(V2)
    pilot.until(lambda: pilot.phase == "Paused", 300)
    pilot.run(120)
    assert (pilot.phase, pilot.weight) == ("Paused", 60)
    pilot.ask("promote")
    pilot.until(lambda: pilot.phase != "Paused", 30)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V2)]


@each_way
def test_it_pauses_where_it_is_and_goes_on(routing: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 20)
    pilot.ask("pause")
    pilot.until(lambda: pilot.phase == "Paused", 60)
    pilot.run(120)
    assert pilot.weight == 20
    pilot.ask("resume")
    pilot.until(lambda: pilot.phase == "Progressing", 30)
    assert pilot.settle() == "Healthy"


@each_way
def test_too_little_traffic_ends_it_in_time(routing: str) -> None:
    pilot = begun(routing, evidenceLimit="60s")
    pilot.traffic.start(0.5)
    pilot.apply(V2)
    assert pilot.settle() == "RolledBack"
    assert "no verdict within 1m" in pilot.status["history"][0]["reason"]


@each_way
def test_a_failure_pauses_where_it_is_told_to_and_a_person_decides(routing: str) -> None:
    pilot = begun(routing, onFailure="pause", behaviors={V2: Behavior(error_rate=0.5)})
    pilot.apply(V2)
    pilot.until(lambda: pilot.phase == "Paused", 300)
    pilot.run(60)
    assert (pilot.phase, pilot.weight) == ("Paused", 20)
    pilot.ask("resume")
    pilot.until(lambda: pilot.phase == "Progressing", 30)
    pilot.until(lambda: pilot.phase == "Paused", 300)
    pilot.ask("abort")
    pilot.until(lambda: pilot.phase == "RolledBack", 300)
    serves_only(pilot, "v1")


@each_way
def test_it_is_tried_again(routing: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 20)
    pilot.ask("abort")
    assert pilot.settle() == "RolledBack"
    pilot.ask("retry")
    pilot.until(lambda: pilot.phase == "Progressing", 60)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V2), ("Aborted", V2)]
    serves_only(pilot, "v2")


@each_way
@pytest.mark.parametrize("weight", [0, 20, 100])
def test_it_goes_on_after_the_api_server_was_away(routing: str, weight: int) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, weight)
    pilot.world.api.cut_api(120)
    pilot.run(120)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V2)]


@each_way
def test_it_takes_a_served_model_over_without_a_gap(routing: str) -> None:
    world = World(Clock(), seed=1)
    world.api.create(inference_service(NAME, V1, minReplicas=PODS, maxReplicas=2 * PODS))
    world.clock.advance(60)
    pilot = Pilot(world, rollout(routing, V1))
    pilot.traffic.start(50, long=8)
    pilot.run(5)
    assert pilot.settle(180) == "Healthy"
    pilot.run(60)
    serves_only(pilot, "v1")
    pilot.apply(V2)
    assert pilot.settle() == "Healthy"
    serves_only(pilot, "v2")


def test_requests_of_a_variant_without_weight_are_finished_before_its_pods_go() -> None:
    pilot = begun("pair", drain="40s")
    pilot.traffic.start(20, long=35)  # longer than pods drain
    pilot.apply(V2)
    assert pilot.settle() == "Healthy"
    serves_only(pilot, "v2")
