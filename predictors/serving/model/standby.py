"""What answers in a model's place while it cannot: the contract between a predictor and the server."""

from abc import ABC, abstractmethod
from collections import Counter
from enum import StrEnum

from predictors.serving.model.types import Batch, Job, Outputs


class Reason(StrEnum):
    """Why the model itself does not answer."""

    OVERLOADED = "overloaded"
    NOT_READY = "not_ready"
    SLOW = "slow"
    """It is expected to answer after the deadline."""


class Outcome(StrEnum):
    """What became of a request that the model itself does not answer."""

    ANSWERED = "answered"
    FAILED = "failed"
    """The endpoint was not reached, or gave no answer that could be used."""
    LATE = "late"
    """It did not answer before the deadline."""
    OPEN = "open"
    """It failed so often that it is left alone for a while."""
    SPENT = "spent"
    """The budget of the hour is used up."""
    BUSY = "busy"
    """As many requests are under way there as may be."""
    UNFIT = "unfit"
    """Requests of this kind are not handed over."""
    DECLINED = "declined"
    """The caller does not want it."""


class StandbyFailed(Exception):  # an event, which leads to the error that there would have been without it
    """There is no answer.

    Args:
        outcome: how it failed.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome


class Standby(ABC):
    """Answers in a model's place. All methods run on the event loop, and none may block it."""

    def __init__(self) -> None:
        self.counts = Counter[tuple[Reason, Outcome]]()
        """Requests that the model itself did not answer."""

    @abstractmethod
    def unable(self) -> Outcome | None:
        """Why it cannot answer anything now; None if it may be able to."""

    @abstractmethod
    async def answer(self, batch: Batch, job: Job, reason: Reason) -> Outputs:
        """Answer a batch that the model has checked; parts may be passed to the job's ``emit``.

        Raises:
            StandbyFailed: there is no answer.
            InvalidInput, TooLarge: what only reading the batch can detect.
        """

    def count(self, reason: Reason, outcome: Outcome) -> None:
        """Count a request."""
        self.counts[reason, outcome] += 1

    @abstractmethod
    async def close(self) -> None:
        """Release what it holds, when the server ends."""
