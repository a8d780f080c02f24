"""Drives a rollout from a terminal until it ends, or waits for a person who is not there.

All that is to be known is in the cluster: what is interrupted goes on when it is driven again. Only holds, verdicts and
promotions by a person are not written there; they begin again at the weight that the routes have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from predictors.rollout.controller.status import status_of
from predictors.rollout.driver import Driver, Job, Turn
from predictors.rollout.engine.requests import promote, resume
from predictors.rollout.engine.state import Memo, Phase
from predictors.rollout.kube.api import Api, Conflict, Object, Pods, Unavailable

# Between two turns, and at most between two tries while the API server is away, seconds.
TURN_SECONDS = 2.0
_LONGEST_BACKOFF = 60.0


class Ending(StrEnum):
    """How driving ends."""

    DONE = "done"
    ROLLED_BACK = "rolled back"
    WAITING = "waiting for a person"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class End:
    """How driving ended.

    Args:
        ending: in one word.
        message: in one sentence.
        status: as an InferenceRollout's would be.
    """

    ending: Ending
    message: str
    status: Object


class Person(Protocol):
    """Whoever sits at the terminal."""

    def show(self, status: Object) -> None:
        """See where the rollout is."""

    def warn(self, message: str) -> None:
        """Read about something that is tried again."""

    def agrees(self, question: str) -> bool:
        """Answer a question; no, if nobody is there."""


class Terminal:
    """Drives one rollout.

    Args:
        api: the API server.
        pods: the way to the pods.
        person: who looks on, and answers.
        clock: seconds since the epoch.
        sleep: waits for so many seconds.
    """

    def __init__(
        self, api: Api, pods: Pods, person: Person, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._driver = Driver(api, pods, clock)
        self._person = person
        self._clock = clock
        self._sleep = sleep
        self._status: Object = {}

    def drive(self, job: Job, promotions: int = 0) -> End:
        """Turn until the end.

        Args:
            job: the rollout.
            promotions: how many of the weights that a person lets it go on to it may go on to without a question.

        Raises:
            Refused: the API server does not allow it.
        """
        memo, backoff = Memo(), TURN_SECONDS
        while True:
            try:
                turn = self._driver.turn(job, memo)
                memo = turn.decision.memo
                self._show(job, turn)
                if (end := self._end(turn)) is not None:
                    return end
                if turn.decision.phase is Phase.PAUSED:
                    answer = self._ask(job, turn, promotions)
                    if answer is None:
                        return End(Ending.WAITING, turn.decision.message, self._status)
                    memo, promotions = answer, promotions - 1
                    continue
                self._driver.act(job, turn)
                backoff = TURN_SECONDS
            except Conflict:
                pass  # somebody else wrote it meanwhile: the next turn sees what
            except Unavailable as error:
                backoff = min(2 * backoff, _LONGEST_BACKOFF)
                self._person.warn(f"{error}; the traffic stays as it is, trying again in {backoff:.0f}s")
            self._sleep(backoff)

    def _show(self, job: Job, turn: Turn) -> None:
        self._status = status_of(job, turn, self._status, 0, self._clock())
        self._person.show(self._status)

    def _end(self, turn: Turn) -> End | None:
        decision = turn.decision
        if decision.phase is Phase.BLOCKED:
            return End(Ending.BLOCKED, decision.message, self._status)
        if decision.phase is Phase.HEALTHY and decision.action is None:
            return End(Ending.DONE, decision.message, self._status)
        if decision.phase is Phase.ROLLED_BACK:
            return End(Ending.ROLLED_BACK, decision.message, self._status)
        return None

    def _ask(self, job: Job, turn: Turn, promotions: int) -> Memo | None:
        """What is remembered once the person has agreed; None if not."""
        decision = turn.decision
        arguments = (job.plan, decision.memo, turn.look.seen, decision.phase)
        if decision.memo.failed:
            if not self._person.agrees(f"{decision.message}. Judge it anew and go on?"):
                return None
            self._driver.forget()
            return resume(*arguments)
        if promotions < 1 and not self._person.agrees(f"{decision.message}. Promote?"):
            return None
        return promote(*arguments)


def is_failed(status: Object) -> bool:
    """Whether a failure paused a rollout, and not a step that waits for a person."""
    return bool((status.get("engine") or {}).get("failed"))
