"""Requests to the controller, and waiting for rollouts; with a controller that turns while others sleep."""

import pytest

from predictors.rollout.kube.api import Object, Refused
from predictors.rollout.terminal.requests import DONE, NoAnswer, Requests, rollout_of
from predictors.rollout.terminal.revisions import earlier, kept, restore
from predictors.rollout.terminal.waiting import Goal, Outcome, Waited, Waiting
from tests.rollout.clock import Clock
from tests.rollout.pilot import NAME, V1, V2, V3, Pilot, rollout
from tests.rollout.world import NAMESPACE, World


class Scene:
    """A rollout that has promoted its first version, its users, and a controller."""

    def __init__(self) -> None:
        self.world = World(Clock(), seed=1)
        self.pilot = Pilot(
            self.world, rollout("pair", V1, pauseBefore=[100], checks=[{"type": "errors", "bound": 0.2}])
        )
        assert self.pilot.settle(120) == "Healthy"
        self.pilot.run(10)
        self.pilot.traffic.start(20)
        self.seen: list[Object] = []

    def sleep(self, seconds: float) -> None:
        self.pilot.run(max(1.0, seconds))

    def now(self) -> float:
        return self.world.clock.now

    def ask(self, do: str) -> str:
        return Requests(self.world.api, self.now, self.sleep).send(NAMESPACE, NAME, do)

    def wait(self, goal: Goal = Goal.PROMOTED, limit: float = 300) -> Outcome:
        return Waiting(self.world.api, self.seen.append, self.now, self.sleep).wait(NAMESPACE, NAME, goal, limit)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_person_promotes(scene: Scene) -> None:
    scene.pilot.apply(V2)
    assert scene.wait(Goal.PAUSED).waited is Waited.REACHED
    assert scene.wait().waited is Waited.NEEDS_A_PERSON
    assert scene.ask("promote") == DONE
    outcome = scene.wait()
    assert outcome.waited is Waited.REACHED
    assert scene.wait(Goal.PAUSED).waited is Waited.MISSED
    assert scene.pilot.status["stable"]["storageUri"] == V2


def test_what_is_applied_is_waited_for_at_once(scene: Scene) -> None:
    scene.pilot.apply(V2)
    assert scene.pilot.phase == "Healthy"
    assert scene.wait(limit=1).waited is Waited.TIMED_OUT


def test_an_abort_is_a_rollback_and_a_retry_begins_again(scene: Scene) -> None:
    scene.pilot.apply(V2)
    scene.wait(Goal.PAUSED)
    assert scene.ask("abort") == DONE
    assert scene.wait().waited is Waited.ROLLED_BACK
    assert scene.ask("retry") == DONE
    assert scene.wait(Goal.PAUSED).waited is Waited.REACHED


@pytest.mark.parametrize("do", ["promote", "abort"])
def test_what_follows_a_request_does_not_find_the_pause(scene: Scene, do: str) -> None:
    scene.pilot.apply(V2)
    scene.wait(Goal.PAUSED)
    assert scene.ask(do) == DONE
    assert scene.pilot.phase != "Paused"


def test_the_end_is_past_a_pause(scene: Scene) -> None:
    scene.pilot.apply(V2)
    scene.wait(Goal.PAUSED)
    assert scene.wait(Goal.ENDED, limit=60).waited is Waited.TIMED_OUT
    scene.ask("abort")
    assert scene.wait(Goal.ENDED).waited is Waited.ROLLED_BACK


def test_what_does_not_fit_is_said(scene: Scene) -> None:
    assert "not RolledBack" in scene.ask("retry")


def test_no_controller_answers(scene: Scene) -> None:
    requests = Requests(scene.world.api, scene.now, scene.world.clock.advance)
    with pytest.raises(NoAnswer, match="rollout-controller"):
        requests.send(NAMESPACE, NAME, "pause")


def test_an_api_server_that_is_away_is_waited_for(scene: Scene) -> None:
    scene.pilot.apply(V2)
    scene.world.api.cut_api(20)
    assert scene.wait(Goal.PAUSED).waited is Waited.REACHED


def test_there_must_be_one(scene: Scene) -> None:
    with pytest.raises(Refused, match="no InferenceRollout nobody"):
        rollout_of(scene.world.api, NAMESPACE, "nobody")


# ---- Going back


def promoted(scene: Scene, uri: str) -> None:
    scene.pilot.apply(uri)
    scene.wait(Goal.PAUSED)
    scene.ask("promote")
    assert scene.wait().waited is Waited.REACHED


def test_undo_goes_to_the_version_before(scene: Scene) -> None:
    promoted(scene, V2)
    scene.pilot.apply(V3)
    scene.wait(Goal.PAUSED)
    scene.ask("abort")
    scene.wait()
    # V3 was never promoted: from it one goes back to V2, which was, and from there to V1.
    assert earlier(scene.world.api, scene.pilot.rollout).storage_uri == V2
    scene.pilot.apply(V2)
    scene.wait()
    assert earlier(scene.world.api, scene.pilot.rollout).storage_uri == V1
    assert {each.storage_uri for each in kept(scene.world.api, scene.pilot.rollout)} == {V1, V2, V3}


def test_the_template_is_replaced_as_a_whole(scene: Scene) -> None:
    added = {"spec": {"template": {"spec": {"predictor": {"serviceAccountName": "new", "model": {"storageUri": V2}}}}}}
    scene.world.api.server.patch("InferenceRollout", NAMESPACE, NAME, added)
    scene.wait(Goal.PAUSED)
    found = scene.pilot.rollout
    restore(scene.world.api, found, earlier(scene.world.api, found).template)
    predictor = scene.pilot.rollout["spec"]["template"]["spec"]["predictor"]
    assert predictor["model"]["storageUri"] == V1
    assert "serviceAccountName" not in predictor
    assert scene.wait().waited is Waited.REACHED


def test_a_revision_is_named_by_its_first_digits(scene: Scene) -> None:
    promoted(scene, V2)
    found = scene.pilot.rollout
    newest, oldest = kept(scene.world.api, found)
    assert earlier(scene.world.api, found, oldest.revision[:4]) == oldest
    with pytest.raises(Refused, match="is the template that it has"):
        earlier(scene.world.api, found, newest.revision)
    with pytest.raises(Refused, match="there is no revision zzz"):
        earlier(scene.world.api, found, "zzz")


def test_without_another_revision_there_is_no_way_back(scene: Scene) -> None:
    with pytest.raises(Refused, match="no other revision"):
        earlier(scene.world.api, scene.pilot.rollout)
