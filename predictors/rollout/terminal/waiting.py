"""Waits until a rollout is where a pipeline wants it."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from predictors.rollout.engine.state import Phase
from predictors.rollout.kube.api import Api, Object, Unavailable
from predictors.rollout.routing.target import revision
from predictors.rollout.terminal.requests import rollout_of

_LOOK_SECONDS = 2.0


class Goal(StrEnum):
    """What is waited for: the new version has all of the traffic, a person is needed, or the end, whichever it is."""

    PROMOTED = "promoted"
    PAUSED = "paused"
    ENDED = "ended"


class Waited(StrEnum):
    """What came of it."""

    REACHED = "reached"
    MISSED = "missed"
    ROLLED_BACK = "rolled back"
    NEEDS_A_PERSON = "needs a person"
    TIMED_OUT = "timed out"


class Outcome(NamedTuple):
    """What came of a waiting.

    Args:
        waited: in one word.
        message: in one sentence.
    """

    waited: Waited
    message: str


def state_of(rollout: Object, goal: Goal) -> Outcome | None:
    """What an InferenceRollout that is there means for a goal; None: it has to be waited for."""
    status = rollout.get("status") or {}
    phase, message = status.get("phase", ""), str(status.get("message", ""))
    if status.get("observedGeneration") != rollout["metadata"].get("generation"):
        return None
    if phase == Phase.HEALTHY and (status.get("stable") or {}).get("revision") == _wanted(rollout):
        return Outcome(Waited.MISSED if goal is Goal.PAUSED else Waited.REACHED, f"promoted: {message}")
    if phase == Phase.ROLLED_BACK:
        return Outcome(Waited.ROLLED_BACK, message)
    if phase == Phase.PAUSED and goal is not Goal.ENDED:
        return Outcome(Waited.REACHED if goal is Goal.PAUSED else Waited.NEEDS_A_PERSON, message)
    if phase == Phase.BLOCKED and goal is not Goal.ENDED:
        return Outcome(Waited.NEEDS_A_PERSON, message)
    return None


class Waiting:
    """Waits for rollouts.

    Args:
        api: the API server.
        report: is told each new thing that is seen, as a status.
        clock: seconds, on any clock that does not jump.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        api: Api,
        report: Callable[[Object], None],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._api = api
        self._report = report
        self._clock = clock
        self._sleep = sleep

    def wait(self, namespace: str, name: str, goal: Goal, limit: float) -> Outcome:
        """Wait for a goal, for so many seconds at most. An API server that is away is waited for too.

        Raises:
            Refused: there is no such InferenceRollout, or it may not be read.
        """
        deadline = self._clock() + limit
        last = ""
        while True:
            try:
                rollout = rollout_of(self._api, namespace, name)
            except Unavailable as error:
                last = str(error)
            else:
                self._report(rollout.get("status") or {})
                if (outcome := state_of(rollout, goal)) is not None:
                    return outcome
                last = _where(rollout)
            if self._clock() >= deadline:
                return Outcome(Waited.TIMED_OUT, last)
            self._sleep(_LOOK_SECONDS)


def _wanted(rollout: Object) -> str:
    return revision(rollout["spec"]["template"]["spec"]["predictor"])


def _where(rollout: Object) -> str:
    status = rollout.get("status") or {}
    if status.get("observedGeneration") != rollout["metadata"].get("generation"):
        return "no controller has looked at its template yet; is rollout-controller running?"
    return f"{status.get('phase', '')}: {status.get('message', '')}"
