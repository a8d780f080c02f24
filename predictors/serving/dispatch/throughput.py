"""How fast a model answers, which tells refused callers when to retry."""

import math
import time
from collections.abc import Callable

# Weight of the latest interval between two answers, so about the last ten count.
_WEIGHT = 0.2


class Throughput:
    """The time between two answers while the model is at work, as a moving average. Not thread-safe.

    Args:
        clock: gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._under_way = 0
        self._last = clock()
        self._gap: float | None = None

    def begin(self) -> None:
        """Work on a batch has begun."""
        if self._under_way == 0:
            self._last = self._clock()  # idle time is not counted
        self._under_way += 1

    def end(self, answers: int = 1) -> None:
        """Work on a batch has ended, with a number of answers; refused and cancelled requests do not count."""
        self._under_way -= 1
        if not answers:
            return
        now = self._clock()
        gap, self._last = (now - self._last) / answers, now
        self._gap = gap if self._gap is None else self._gap + _WEIGHT * (gap - self._gap)

    def seconds_for(self, answers: int) -> int:
        """How long a number of answers will take: whole seconds, at least 1."""
        return max(1, math.ceil(self.expected_seconds(answers)))

    def expected_seconds(self, answers: int) -> float:
        """The same, not rounded; 0 while nothing is known."""
        return answers * (self._gap or 0.0)
