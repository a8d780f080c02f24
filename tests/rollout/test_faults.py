"""Rollouts while another hand writes too, and while the cluster has its own faults."""

import pytest

from tests.rollout.clock import Clock
from tests.rollout.pilot import NAME, PODS, V1, V2, V3, Pilot, rollout
from tests.rollout.scenario import at_weight, begun, deploy_by_hand, results, serves_only
from tests.rollout.world import NAMESPACE, World

each_way = pytest.mark.parametrize("routing", ["canary", "pair"])


@each_way
def test_a_version_that_is_deployed_by_hand_meanwhile_is_taken_back(routing: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 20)
    deploy_by_hand(pilot, V3)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V2)]
    serves_only(pilot, "v2")


@each_way
def test_what_is_edited_while_a_canary_goes_does_not_take_its_service_away(routing: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 20)
    pilot.world.kserve.away_until = pilot.world.clock.now + 20  # so the routes follow late
    pilot.apply(V1)
    pilot.run(3)
    deploy_by_hand(pilot, V3)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Superseded", V2)]
    serves_only(pilot, "v1")


@each_way
def test_a_version_that_is_deployed_by_hand_and_by_the_template_is_rolled_out(routing: str) -> None:
    pilot = begun(routing)
    deploy_by_hand(pilot, V3)
    pilot.apply(V3)
    pilot.until(lambda: pilot.phase != "Healthy", 30)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V3)]
    serves_only(pilot, "v3")


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


def test_a_canary_that_kserve_cannot_make_is_taken_away() -> None:
    pilot = begun("canary", progressDeadline="60s")
    pilot.world.kserve.broken_runtimes.add("not-there")
    change = {"spec": {"template": {"spec": {"predictor": {"model": {"runtime": "not-there"}}}}}}
    pilot.world.api.server.patch("InferenceRollout", NAMESPACE, NAME, change)
    pilot.apply(V2)
    assert pilot.settle() == "RolledBack"
    serves_only(pilot, "v1")
