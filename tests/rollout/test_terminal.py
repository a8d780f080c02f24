"""`predictors rollout run` in a simulated cluster: without an InferenceRollout, and interrupted anywhere."""

import pytest

from predictors.rollout.kube.api import Object
from predictors.rollout.spec import Strategy
from predictors.rollout.terminal.drive import End, Ending, Terminal
from predictors.rollout.terminal.order import Order, job_of
from tests.rollout.behavior import Behavior
from tests.rollout.clock import Clock
from tests.rollout.frail import Crash
from tests.rollout.pilot import CHECKS, NAME, PODS, STEPS, V1, V2, keeps_requests
from tests.rollout.world import NAMESPACE, World, WorldPods, inference_service


class Nobody:
    """Who sits at no terminal."""

    def show(self, status: Object) -> None:
        pass

    def warn(self, message: str) -> None:
        pass

    def agrees(self, question: str) -> bool:
        return False


class Console:
    """A terminal in virtual time, at an InferenceService that serves already."""

    def __init__(self, routing: str, behaviors: dict[str, Behavior] | None = None) -> None:
        self.world = World(Clock(), behaviors=behaviors, seed=1)
        self.world.api.create(inference_service(NAME, V1, minReplicas=PODS, maxReplicas=2 * PODS))
        self.world.clock.advance(60)
        self.traffic = self.world.traffic(NAME)
        self.traffic.start(20)
        strategy = {"routing": routing, "steps": STEPS, "checks": CHECKS, "drain": "20s"}
        self._order = Order(NAMESPACE, NAME, Strategy.model_validate(strategy), V2)
        self.interrupted = 0

    def run(self) -> End:
        """The command; run again whenever it was interrupted."""
        while True:
            try:
                terminal = Terminal(
                    self.world.api, WorldPods(self.world), Nobody(), lambda: self.world.clock.now, self._sleep
                )
                return terminal.drive(job_of(self.world.api, self._order))
            except Crash:
                self.interrupted += 1
                self._sleep(5)

    def _sleep(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.world.clock.advance(1)
            keeps_requests(self.world, self.traffic)
        assert self.world.clock.elapsed < 3000

    def share(self, version: str) -> float:
        """Of the answers from now on."""
        self._sleep(60)
        self.traffic.record.answered.clear()
        self._sleep(10)
        return self.traffic.record.share(version)


class EachOther:
    """Ends after some writes, and again after as many, and so on."""

    def __init__(self, every: int, first: int) -> None:
        self._every = every
        self._count = -first

    def __call__(self, write: str) -> bool:
        self._count += 1
        return self._count % self._every == 0


@pytest.mark.parametrize("routing", ["canary", "pair"])
@pytest.mark.parametrize("first", [None, 0, 1, 2])
def test_it_promotes_though_it_is_interrupted(routing: str, first: int | None) -> None:
    console = Console(routing)
    if first is not None:
        console.world.api.ends_after = EachOther(3, first)
    assert console.run().ending is Ending.DONE
    assert console.share("v2") == 1
    assert (console.interrupted > 2) == (first is not None)


@pytest.mark.parametrize("routing", ["canary", "pair"])
def test_it_takes_a_bad_version_back(routing: str) -> None:
    console = Console(routing, {V2: Behavior(error_rate=0.6)})
    assert console.run().ending is Ending.ROLLED_BACK
    assert console.share("v1") == 1
