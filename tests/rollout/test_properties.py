"""Rollouts under random trouble: whatever happens, they end, lose no request of their own doing, and keep to the judge."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from predictors.rollout.kube.api import KubeError, Object
from tests.rollout.behavior import Behavior, Delays
from tests.rollout.clock import Clock
from tests.rollout.pilot import CHECKS, NAME, V1, V2, V3, Pilot, rollout
from tests.rollout.world import NAMESPACE, Flavor, World

SOUND = Behavior()
BAD = (
    Behavior(error_rate=0.6),
    Behavior(crash=0.3),  # before it can be ready
    Behavior(never_ready=True),
    Behavior(bad_digest=True),
    Behavior(no_image=True),
)
# What takes long in one cluster is quick in another.
SLOW = Delays(
    kserve=(1, 5),
    ingress=(0.5, 4),
    deployment=(0.5, 3),
    start=(10, 30),
    accept=(1, 5),
    program=(1, 5),
    endpoints=(1, 4),
)
HASTY = Delays(
    kserve=(0, 0.02),
    ingress=(0, 0.02),
    deployment=(0, 0.02),
    start=(0.5, 2),
    accept=(0, 0.1),
    program=(0, 0.1),
    endpoints=(0, 0.1),
)
# Seconds within which all trouble comes, and within which a rollout has then ended.
TROUBLED, BOUND = 120, 1200


@dataclass(frozen=True)
class Trouble:
    """Something that happens.

    Args:
        at: seconds after the new template.
        what: one of the names in `ALL`.
        number: that it is done with: seconds, or which pod.
    """

    at: int
    what: str
    number: int


def _service(pilot: Pilot, name: str = NAME) -> Object | None:
    return pilot.world.api.server.get("InferenceService", NAMESPACE, name)


def _crash(pilot: Pilot, number: int) -> None:
    left = [number % 5 + 1]

    def ends(_: str) -> bool:
        left[0] -= 1
        return left[0] == 0

    pilot.world.api.ends_after = ends


def _edit_weight(pilot: Pilot, number: int) -> None:
    """Somebody sets the canary's share, where KServe or the rollout's route has it."""
    service = _service(pilot)
    if service and service["spec"].get("canary"):
        service["spec"]["canary"][0]["trafficPercent"] = number % 101
        pilot.world.api.server.replace(service)
    route = pilot.world.api.server.get("HTTPRoute", NAMESPACE, f"{NAME}-rollout")
    if route and len(route["spec"]["rules"][0]["backendRefs"]) == 2:
        for rule in route["spec"]["rules"]:
            rule["backendRefs"][0]["weight"], rule["backendRefs"][1]["weight"] = 100 - number % 101, number % 101
        pilot.world.api.server.replace(route)


def _edit_uri(pilot: Pilot, number: int) -> None:
    """Somebody deploys another version by hand."""
    service = _service(pilot)
    if service:
        service["spec"]["predictor"]["model"]["storageUri"] = V3
        pilot.world.api.server.replace(service)


def _edit_size(pilot: Pilot, number: int) -> None:
    service = _service(pilot)
    if service:
        service["spec"]["predictor"]["minReplicas"] = number % 5 + 1
        pilot.world.api.server.replace(service)


def _remove_canary(pilot: Pilot, number: int) -> None:
    """Somebody removes the canary by hand."""
    service = _service(pilot)
    if service and service["spec"].pop("canary", None):
        pilot.world.api.server.replace(service)
    pilot.world.api.server.delete("InferenceService", NAMESPACE, f"{NAME}-canary")


def _pods(pilot: Pilot, number: int) -> list[str]:
    names = [each["metadata"]["name"] for each in pilot.world.pods()]
    return names[number % len(names) :][:1] if names else []


def _kill(pilot: Pilot, number: int) -> None:
    for name in _pods(pilot, number):
        pilot.world.kill_pod(name)


def _lose_node(pilot: Pilot, number: int) -> None:
    names = [each["metadata"]["name"] for each in pilot.world.pods()]
    pilot.world.lose_node(names[number % 2 :: 2])


def _refuse(pilot: Pilot, number: int) -> None:
    """The gateway does not take the routes for a while."""
    refused = pilot.world.gateway.refuses
    names = {NAME, f"{NAME}-predictor", f"{NAME}-rollout"}
    refused |= names
    pilot.world.clock.after(number % 90, partial(refused.difference_update, names))
    pilot.world.clock.after(number % 90, pilot.world.gateway.judge)
    pilot.world.gateway.judge()


def _load(pilot: Pilot, number: int) -> None:
    for thing in pilot.world.store.list("Deployment", NAMESPACE):
        pilot.world.loads[thing["metadata"]["name"]] = number % 7 + 1


def _stop_kserve(pilot: Pilot, number: int) -> None:
    """KServe's controller is away for a while; what is written meanwhile is done later."""
    pilot.world.kserve.away_until = pilot.world.clock.now + number % 90


def _restart(pilot: Pilot, number: int) -> None:
    for name in _pods(pilot, number):
        if (NAMESPACE, name) in pilot.world.kubelet.processes:
            pilot.world.restart_pod(name)


HARMLESS: dict[str, Callable[[Pilot, int], None]] = {
    "API server away": lambda pilot, number: pilot.world.api.cut_api(number % 120),
    "conflicts": lambda pilot, number: pilot.world.api.refuse_writes(number % 4 + 1),
    "crash": _crash,
    "load": _load,
    "KServe away": _stop_kserve,
}
PEOPLE: dict[str, Callable[[Pilot, int], None]] = {
    "newer template": lambda pilot, _: pilot.apply(V3),
    "template of before": lambda pilot, _: pilot.apply(V1),
    "the same template": lambda pilot, _: pilot.apply(V2),
    "abort": lambda pilot, _: pilot.ask("abort"),
    "retry": lambda pilot, _: pilot.ask("retry"),
    "pause": lambda pilot, _: pilot.ask("pause"),
    "resume": lambda pilot, _: pilot.ask("resume"),
    "promote": lambda pilot, _: pilot.ask("promote"),
}
HARMFUL: dict[str, Callable[[Pilot, int], None]] = {
    "kill a pod": _kill,
    "restart a container": _restart,
    "lose a node": _lose_node,
    "gateway refuses": _refuse,
    "edit the weight": _edit_weight,
    "remove the canary": _remove_canary,
}
# Edits of the InferenceService that take pods away, which Kubernetes does without losing requests.
HANDS: dict[str, Callable[[Pilot, int], None]] = {"edit the URI": _edit_uri, "edit the size": _edit_size}
ALL = HARMLESS | PEOPLE | HANDS | HARMFUL


def troubles(*kinds: dict[str, Callable[[Pilot, int], None]]) -> st.SearchStrategy[list[Trouble]]:
    names = [name for kind in kinds for name in kind]
    one = st.builds(Trouble, st.integers(0, TROUBLED), st.sampled_from(names), st.integers(0, 1000))
    return st.lists(one, max_size=5)


def go(routing: str, seed: int, delays: Delays, behavior: Behavior, happening: list[Trouble]) -> Pilot:
    """A rollout to the second version, with all that happens, until it rests."""
    flavor: Flavor = "0.21" if routing == "canary" or seed % 2 else "0.20"
    world = World(Clock(), flavor, {V2: behavior}, seed, delays)
    pilot = Pilot(world, rollout(routing, V1, checks=CHECKS[:1]))
    assert pilot.settle(300) == "Healthy"
    pilot.run(30)
    pilot.spared = any(each.what in HARMFUL or each.what in HANDS for each in happening)
    pilot.traffic.start(10)
    pilot.apply(V2)
    passed = 0
    for each in sorted(happening, key=lambda each: each.at):
        pilot.run(each.at - passed)
        passed = each.at
        with suppress(KubeError):  # what a person writes may be refused
            ALL[each.what](pilot, each.number)
    pilot.run(1)
    if any(each.what == "pause" for each in happening):
        pilot.run(20)
        pilot.ask("resume")
    pilot.settle(BOUND)
    pilot.run(90)  # longer than any trouble lasts that a test makes
    pilot.settle(BOUND)
    lost = len(pilot.traffic.record.lost)
    assert not lost or any(each.what in HARMFUL for each in happening), pilot.traffic.record.lost[-3:]
    pilot.run(30)
    assert len(pilot.traffic.record.lost) == lost, f"it rests and loses requests: {pilot.traffic.record.lost[-3:]}"
    return pilot


def serves(pilot: Pilot) -> set[str]:
    """Versions that answer now."""
    pilot.traffic.record.answered.clear()
    pilot.run(10)
    return {version for version, _ in pilot.traffic.record.answered}


routings = st.sampled_from(["canary", "pair", "knative"])
seeds = st.integers(0, 10_000)
delays = st.sampled_from([Delays(), SLOW, HASTY])
quick = settings(
    deadline=None,
    max_examples=8,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@quick
@given(routings, seeds, delays, troubles(HARMLESS))
def test_a_sound_version_is_always_promoted(
    routing: str, seed: int, slowness: Delays, happening: list[Trouble]
) -> None:
    pilot = go(routing, seed, slowness, SOUND, happening)
    assert pilot.phase == "Healthy"
    assert pilot.status["history"][0]["result"] == "Promoted"
    assert serves(pilot) == {"v2"}


@quick
@given(routings, seeds, delays, st.sampled_from(BAD), troubles(HARMLESS))
def test_a_bad_version_is_never_promoted(
    routing: str, seed: int, slowness: Delays, bad: Behavior, happening: list[Trouble]
) -> None:
    pilot = go(routing, seed, slowness, bad, happening)
    assert pilot.phase == "RolledBack"
    assert pilot.status["history"][0]["result"] == "RolledBack"
    assert serves(pilot) == {"v1"}


@quick
@given(routings, seeds, delays, troubles(HARMLESS, PEOPLE, HANDS))
def test_no_request_is_lost_whatever_people_do(
    routing: str, seed: int, slowness: Delays, happening: list[Trouble]
) -> None:
    pilot = go(routing, seed, slowness, SOUND, happening)
    assert pilot.phase in ("Healthy", "RolledBack")


def ends_well(routing: str, seed: int, slowness: Delays, behavior: Behavior, happening: list[Trouble]) -> None:
    """With the template's version if it is sound, or with the one before; with one of them alone.

    Knative makes a revision of every edit by hand, at once, and it may be the only one that is ready: docs/rollouts.md.
    """
    assume(routing != "knative" or all(trouble.what != "edit the URI" for trouble in happening))
    pilot = go(routing, seed, slowness, behavior, happening)
    template = pilot.rollout["spec"]["template"]["spec"]["predictor"]["model"]["storageUri"]
    version = template.rpartition("/")[2]
    if pilot.phase == "Healthy":
        assert serves(pilot) == {version}
    elif pilot.phase == "RolledBack":
        assert version not in serves(pilot)
    else:
        raise AssertionError(f"{pilot.phase}: {pilot.status['message']}")
    if behavior is not SOUND:
        assert ("Promoted", V2) not in [(each["result"], each["storageUri"]) for each in pilot.status["history"]]


whatever = given(routings, seeds, delays, st.sampled_from([SOUND, *BAD]), troubles(HARMLESS, PEOPLE, HANDS, HARMFUL))
test_whatever_happens_it_ends_well = quick(whatever(ends_well))
test_whatever_happens_it_ends_well_many_times = pytest.mark.slow(settings(quick, max_examples=120)(whatever(ends_well)))
