"""The time that a document of a request may take."""

import time
from collections.abc import Callable

from predictors.serving.model.types import Job

# What is kept back, so that the answer leaves before the deadline: a share of the time, seconds at least, and at most.
_KEPT_SHARE, _LEAST_KEPT, _MOST_KEPT = 0.1, 0.3, 2.0
# The share of the time in which a text is split and scored. Choosing what to say takes less.
_READING_SHARE = 0.6


class Allowance:
    """How long a document may take: an equal share of what is left until the deadline.

    Args:
        job: has the deadline.
        documents: how many share the time, this one included.
        clock: monotonic seconds.
    """

    def __init__(self, job: Job, documents: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        now = clock()
        left = job.deadline - now
        kept = min(max(_KEPT_SHARE * left, _LEAST_KEPT), _MOST_KEPT)
        self._share = max(left - kept, 0.0) / documents
        self._begun = now

    @property
    def left(self) -> float:
        """Seconds until the points have to be given; at least 0."""
        return max(self._begun + self._share - self._clock(), 0.0)

    def keep(self, seconds: float) -> None:
        """Keep back more time."""
        self._share -= seconds

    @property
    def may_read(self) -> bool:
        """Whether there is time to read on, and then to choose from what was read."""
        return self.left > (1 - _READING_SHARE) * self._share
