"""Rollouts from the beginning to the end, in a simulated cluster."""

from typing import Any

import pytest

from tests.rollout.behavior import Behavior
from tests.rollout.clock import Clock
from tests.rollout.pilot import NAME, PODS, V1, V2, V3, Pilot, rollout
from tests.rollout.world import NAMESPACE, World, inference_service

in_each_way = pytest.mark.parametrize(("routing", "kserve"), [("canary", "0.21"), ("pair", "0.20"), ("pair", "0.21")])
each_way = pytest.mark.parametrize("routing", ["canary", "pair"])


def begun(routing: str, kserve: str = "0.21", behaviors: dict[str, Behavior] | None = None, **strategy: Any) -> Pilot:
    """A rollout whose first version serves all of the traffic."""
    world = World(Clock(), kserve=kserve, seed=1, behaviors=behaviors)  # type: ignore[arg-type]
    pilot = Pilot(world, rollout(routing, V1, **strategy))
    assert pilot.settle(120) == "Healthy"
    pilot.run(10)
    pilot.traffic.start(20)
    return pilot


def at_weight(pilot: Pilot, weight: int) -> Pilot:
    """The same, once its canary has a weight."""
    pilot.until(lambda: pilot.status.get("canary") is not None and pilot.weight == weight, 300)
    return pilot


def serves_only(pilot: Pilot, version: str) -> None:
    """From now on, all answers are a version's; nothing else is left in the cluster."""
    pilot.run(60)
    pilot.traffic.record.answered.clear()
    pilot.run(20)
    assert pilot.traffic.record.share(version) == 1
    assert pilot.world.store.get("InferenceService", NAMESPACE, f"{NAME}-canary") is None
    assert len(pilot.world.store.list("Deployment", NAMESPACE)) == 1
    assert len(pilot.world.store.list("HorizontalPodAutoscaler", NAMESPACE)) == 1
    assert len(pilot.world.pods()) == PODS


def results(pilot: Pilot) -> list[tuple[str, str]]:
    """Of the history, newest first, with the URIs; without the first version's."""
    return [(each["result"], each["storageUri"]) for each in pilot.status["history"]][:-1]


@in_each_way
def test_a_sound_version_is_promoted(routing: str, kserve: str) -> None:
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


# ---- Another hand, and the cluster's own faults


@each_way
def test_a_version_that_is_deployed_by_hand_meanwhile_is_taken_back(routing: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 20)
    service = pilot.world.api.server.get("InferenceService", NAMESPACE, NAME)
    assert service is not None
    service["spec"]["predictor"]["model"]["storageUri"] = V3
    pilot.world.api.server.replace(service)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V2)]
    serves_only(pilot, "v2")


@each_way
def test_a_share_that_is_raised_by_hand_is_lowered_again(routing: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 20)
    pilot.spared = True  # the canary's pods are too few for what the hand gives it
    if routing == "canary":
        service = pilot.world.api.server.get("InferenceService", NAMESPACE, NAME)
        assert service is not None
        service["spec"]["canary"][0]["trafficPercent"] = 90
        pilot.world.api.server.replace(service)
    else:
        route = pilot.world.api.server.get("HTTPRoute", NAMESPACE, f"{NAME}-rollout")
        assert route is not None
        for rule in route["spec"]["rules"]:
            rule["backendRefs"][0]["weight"], rule["backendRefs"][1]["weight"] = 10, 90
        pilot.world.api.server.replace(route)
    pilot.run(15)
    assert pilot.weight == 20
    assert pilot.settle() == "Healthy"
    serves_only(pilot, "v2")


@each_way
def test_a_canary_that_is_removed_by_hand_begins_again(routing: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 20)
    pilot.spared = True  # it had traffic
    service = pilot.world.api.server.get("InferenceService", NAMESPACE, NAME)
    assert service is not None
    if service["spec"].pop("canary", None):
        pilot.world.api.server.replace(service)
    pilot.world.api.server.delete("InferenceService", NAMESPACE, f"{NAME}-canary")
    at_weight(pilot, 60)
    assert pilot.settle() == "Healthy"
    serves_only(pilot, "v2")


@each_way
@pytest.mark.parametrize("variant", ["stable", "canary"])
def test_it_waits_for_pods_that_were_lost_with_their_node(routing: str, variant: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 60)
    pilot.spared = True
    is_canary = [("-canary-" in name or "-r" in name) for name in _names(pilot)]
    wanted = [name for name, new in zip(_names(pilot), is_canary, strict=True) if new == (variant == "canary")]
    pilot.world.lose_node(wanted[:1])
    pilot.run(15)
    assert pilot.weight == 60
    assert pilot.settle() == "Healthy"
    pilot.spared = False
    pilot.traffic.record.lost.clear()
    serves_only(pilot, "v2")


def _names(pilot: Pilot) -> list[str]:
    return [each["metadata"]["name"] for each in pilot.world.pods()]


@each_way
def test_a_canary_stays_until_the_gateway_has_taken_its_traffic_away(routing: str) -> None:
    pilot = begun(routing, progressDeadline="60s")
    pilot.apply(V2)
    at_weight(pilot, 20)
    pilot.world.gateway.stuck = True
    pilot.until(lambda: pilot.phase == "RollingBack", 300)
    pilot.run(120)
    assert pilot.phase == "RollingBack"
    assert pilot.status["canary"]["pods"]["ready"]
    pilot.world.gateway.stuck = False
    pilot.world.gateway.judge()
    pilot.until(lambda: pilot.phase == "RolledBack", 300)
    assert results(pilot) == [("RolledBack", V2)]
    serves_only(pilot, "v1")


@each_way
def test_stable_grows_with_its_load_meanwhile(routing: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 20)
    pilot.world.loads |= dict.fromkeys((f"{NAME}-predictor", f"{NAME}-canary-predictor"), 5)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V2)]


@each_way
def test_pods_are_scaled_by_the_rollouts_own_autoscalers(routing: str) -> None:
    thing = rollout(routing, V1)
    thing["spec"]["autoscaling"] = {"minReplicas": PODS, "maxReplicas": 6, "cpu": 70}
    thing["spec"]["template"]["metadata"]["annotations"].pop("serving.kserve.io/autoscalerClass")
    thing["spec"]["template"]["spec"]["predictor"].pop("minReplicas")
    thing["spec"]["template"]["spec"]["predictor"].pop("maxReplicas")
    pilot = Pilot(World(Clock(), seed=1), thing)
    assert pilot.settle(120) == "Healthy"
    pilot.run(30)
    pilot.traffic.start(20)
    pilot.apply(V2)
    at_weight(pilot, 60)
    assert pilot.settle() == "Healthy"
    serves_only(pilot, "v2")
    [scaler] = pilot.world.store.list("HorizontalPodAutoscaler", NAMESPACE)
    [deployment] = pilot.world.store.list("Deployment", NAMESPACE)
    assert scaler["metadata"]["name"] == f"{NAME}-rollout"
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
