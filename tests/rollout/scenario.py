"""The beginning, the middle and the end of a rollout, for tests of what may happen in between."""

from typing import Any

from tests.rollout.behavior import Behavior
from tests.rollout.clock import Clock
from tests.rollout.pilot import NAME, PODS, V1, Pilot, rollout
from tests.rollout.world import NAMESPACE, Flavor, World


def begun(
    routing: str, kserve: Flavor = "0.21", behaviors: dict[str, Behavior] | None = None, **strategy: Any
) -> Pilot:
    """A rollout whose first version serves all of the traffic."""
    world = World(Clock(), kserve=kserve, seed=1, behaviors=behaviors)
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


def deploy_by_hand(pilot: Pilot, uri: str) -> None:
    """Somebody writes another version into the InferenceService."""
    service = pilot.world.api.server.get("InferenceService", NAMESPACE, NAME)
    assert service is not None
    service["spec"]["predictor"]["model"]["storageUri"] = uri
    pilot.world.api.server.replace(service)
