"""Python's garbage collector, kept off the event loop's time."""

import gc
import time
from collections.abc import Callable

# Objects made before the garbage collector looks at them, and how many such looks before it looks at older ones too.
# Requests leave no cycles, but a few dozen in flight exceed Python's 700 again and again: that took up to a tenth of a
# small request's time.
_THRESHOLDS = (5_000, 20, 100)
# The time from one look at everything to the next, seconds. Each stalls all requests for 50 to 200 ms, and models that
# are unloaded are freed without it: it is for the few cycles that libraries leave behind.
_SWEEP_SECONDS = 600.0


class Garbage:
    """Has the garbage collector skip what stays: to look at all of it took 50 ms of some requests' time.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sweep_at = float("-inf")

    def exempt(self) -> None:
        """Have it skip what is there now; look at all of that before, unless that was done a short while ago."""
        if (now := self._clock()) >= self._sweep_at:
            gc.unfreeze()
            gc.collect()
            self._sweep_at = now + _SWEEP_SECONDS
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
