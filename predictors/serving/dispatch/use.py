"""Who uses a model: what decides whether it may be unloaded, and which one first."""

import time
from collections.abc import Callable
from weakref import WeakSet


class Use:
    """The requests to one model.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        # A request ends in many ways, and in all of them its object is freed at once: nothing has to say so.
        self._requests: WeakSet[object] = WeakSet()
        self._clock = clock
        self.last: float | None = None
        """When the last request began, seconds on the clock; None if none has."""

    def begin(self, request: object) -> None:
        """Count a request, for as long as its object exists."""
        self._requests.add(request)
        self.last = self._clock()

    def __len__(self) -> int:
        """The number of requests that have begun and not ended."""
        return len(self._requests)
