"""Rollouts driven from a terminal, in a simulated cluster."""

from typing import Any

import pytest

from predictors.rollout.kube.api import Object
from predictors.rollout.spec import Strategy
from predictors.rollout.terminal.drive import End, Ending, Terminal, is_failed
from predictors.rollout.terminal.order import Order, job_of
from tests.rollout.behavior import Behavior
from tests.rollout.clock import Clock
from tests.rollout.traffic import Traffic
from tests.rollout.world import NAMESPACE, World, WorldPods, inference_service

NAME = "iris"
V1, V2 = "pvc://models/iris/v1", "pvc://models/iris/v2"
STRATEGY: dict[str, Any] = {
    "steps": [{"weight": 20, "hold": "10s"}, {"weight": 60, "hold": "10s"}, {"weight": 100}],
    "checks": [{"type": "errors", "bound": 0.15}],
    "drain": "20s",
}
each_way = pytest.mark.parametrize("routing", ["canary", "pair"])


class Person:
    """Looks on, and leaves after so many looks.

    Args:
        patience: number of looks; None: stays.
        answer: to every question.
    """

    def __init__(self, patience: int | None = None, answer: bool = False) -> None:
        self.seen: list[Object] = []
        self.warnings: list[str] = []
        self.questions: list[str] = []
        self._patience = patience
        self._answer = answer

    def show(self, status: Object) -> None:
        self.seen.append(status)
        if len(self.seen) == self._patience:
            raise KeyboardInterrupt

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def agrees(self, question: str) -> bool:
        self.questions.append(question)
        return self._answer


class Scene:
    """An InferenceService that serves its first version, with users."""

    def __init__(self, routing: str, behaviors: dict[str, Behavior] | None = None) -> None:
        self.world = World(Clock(), seed=1, behaviors=behaviors)
        self.routing = routing
        self.world.api.server.create(inference_service(NAME, V1, minReplicas=3, maxReplicas=6))
        self.world.clock.advance(60)
        self.traffic: Traffic = self.world.traffic(NAME)
        self.traffic.start(20)

    def drive(self, uri: str, person: Person, promotions: int = 0, **strategy: Any) -> End:
        wanted = Strategy.model_validate(STRATEGY | {"routing": self.routing} | strategy)
        job = job_of(self.world.api, Order(NAMESPACE, NAME, wanted, uri))
        clock = self.world.clock
        terminal = Terminal(self.world.api, WorldPods(self.world), person, lambda: clock.now, clock.advance)
        return terminal.drive(job, promotions)

    @property
    def service(self) -> Object:
        found = self.world.store.get("InferenceService", NAMESPACE, NAME)
        assert found is not None
        return found

    def serves_only(self, version: str) -> None:
        """All answers are a version's, no request was lost, and nothing else is left."""
        assert not self.traffic.record.lost
        self.world.clock.advance(60)
        self.traffic.record.answered.clear()
        self.world.clock.advance(20)
        assert self.traffic.record.share(version) == 1
        assert self.world.store.get("InferenceService", NAMESPACE, f"{NAME}-canary") is None
        assert "canary" not in self.service["spec"]
        predictor = self.service["spec"]["predictor"]
        assert (predictor["minReplicas"], predictor["maxReplicas"]) == (3, 6)
        assert len(self.world.pods()) == 3


@each_way
def test_a_sound_version_is_promoted(routing: str) -> None:
    scene = Scene(routing)
    person = Person()
    assert scene.drive(V2, person).ending is Ending.DONE
    weights = [status["weight"]["asked"] for status in person.seen if status["canary"]]
    assert {20, 60, 100} <= set(weights)
    scene.serves_only("v2")


@each_way
@pytest.mark.parametrize("looks", range(2, 40, 6))
def test_what_is_interrupted_goes_on(routing: str, looks: int) -> None:
    scene = Scene(routing)
    with pytest.raises(KeyboardInterrupt):
        scene.drive(V2, Person(patience=looks))
    scene.world.clock.advance(30)
    assert scene.drive(V2, Person()).ending is Ending.DONE
    scene.serves_only("v2")


@each_way
def test_a_version_that_is_there_already_needs_nothing(routing: str) -> None:
    scene = Scene(routing)
    scene.drive(V2, Person())
    before = scene.service["metadata"]["generation"]
    assert scene.drive(V2, Person()).ending is Ending.DONE
    assert scene.service["metadata"]["generation"] == before


@each_way
def test_a_bad_version_is_rolled_back(routing: str) -> None:
    scene = Scene(routing, {V2: Behavior(error_rate=0.9)})
    end = scene.drive(V2, Person())
    assert end.ending is Ending.ROLLED_BACK
    assert "errors" in end.message
    scene.serves_only("v1")


@each_way
def test_nobody_is_there_to_promote(routing: str) -> None:
    scene = Scene(routing)
    end = scene.drive(V2, Person(), pauseBefore=[100])
    assert end.ending is Ending.WAITING
    assert not is_failed(end.status)
    assert scene.drive(V2, Person(), promotions=1, pauseBefore=[100]).ending is Ending.DONE
    scene.serves_only("v2")


def test_one_promotion_is_for_one_weight() -> None:
    scene = Scene("pair")
    end = scene.drive(V2, Person(), promotions=1, pauseBefore=[60, 100])
    assert end.ending is Ending.WAITING
    assert end.status["weight"]["seen"] == 60


def test_a_person_promotes() -> None:
    scene = Scene("canary")
    person = Person(answer=True)
    assert scene.drive(V2, person, pauseBefore=[60, 100]).ending is Ending.DONE
    assert ["60%" in person.questions[0], "100%" in person.questions[1]] == [True, True]
    scene.serves_only("v2")


def test_a_failure_that_pauses_asks() -> None:
    scene = Scene("pair", {V2: Behavior(error_rate=0.9)})
    person = Person()
    end = scene.drive(V2, person, onFailure="pause")
    assert end.ending is Ending.WAITING
    assert is_failed(end.status)
    assert "errors" in person.questions[0]


@each_way
@pytest.mark.parametrize("weight", [20, 60, 100])
def test_what_was_left_is_taken_back(routing: str, weight: int) -> None:
    scene = Scene(routing)
    person = Person()
    with pytest.raises(KeyboardInterrupt):
        _leave_at(scene, person, weight)
    assert scene.drive("", Person()).ending is Ending.DONE
    scene.serves_only("v1")


def _leave_at(scene: Scene, person: Person, weight: int) -> None:
    def show(status: Object) -> None:
        if status["canary"] and status["weight"]["seen"] == weight:
            raise KeyboardInterrupt

    person.show = show  # type: ignore[method-assign]
    scene.drive(V2, person)


def test_an_api_server_that_is_away_is_waited_for() -> None:
    scene = Scene("canary")
    person = Person()
    clock = scene.world.clock
    clock.after(30, lambda: scene.world.api.cut_api(60))
    assert scene.drive(V2, person).ending is Ending.DONE
    assert "trying again" in person.warnings[0]
    scene.serves_only("v2")


@each_way
def test_another_hand_stops_it(routing: str) -> None:
    scene = Scene(routing)
    person = Person()
    with pytest.raises(KeyboardInterrupt):
        _leave_at(scene, person, 20)
    watcher = Person()
    shown = watcher.show

    def edit(status: Object) -> None:
        shown(status)
        if len(watcher.seen) == 3:
            change = {"spec": {"predictor": {"serviceAccountName": "other", "model": {"storageUri": "pvc://else"}}}}
            scene.world.api.server.patch("InferenceService", NAMESPACE, NAME, change)

    watcher.show = edit  # type: ignore[method-assign]
    end = scene.drive(V2, watcher)
    assert end.ending is Ending.BLOCKED
    assert "somebody else" in end.message


class Rival(Person):
    """Looks on while another hand writes, once, what the rollout is about to write."""

    def __init__(self, scene: Scene, weight: int) -> None:
        super().__init__()
        self._scene = scene
        self._weight = weight

    def show(self, status: Object) -> None:
        super().show(status)
        if status["phase"] == "RollingBack" and status["weight"]["asked"] == self._weight and not self._met:
            self._scene.world.api.refuse_writes(1)
            self._met = True

    _met = False


@each_way
def test_a_rollback_that_met_a_conflict_goes_on(routing: str) -> None:
    scene = Scene(routing, {V2: Behavior(error_rate=0.6)})
    assert scene.drive(V2, Rival(scene, 20)).ending is Ending.ROLLED_BACK
    scene.serves_only("v1")
