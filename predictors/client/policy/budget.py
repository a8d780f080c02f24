"""How many retries and hedges all calls of a client may make together, so that they do not multiply an outage."""

import threading


class Budget:
    """A bucket that each call fills a little, and each retry or hedge empties by one.

    With a ratio of 0.2, a server that fails every call gets at most 1.2 times the calls, whatever the number of
    attempts; a few failures among many good calls are always retried.

    Args:
        ratio: what a call adds.
        burst: what is there at the start, and the most there can be, except that calls always may save up one retry.
    """

    def __init__(self, ratio: float, burst: int) -> None:
        self._ratio, self._most = ratio, max(burst, 1.0)
        self._left = float(burst)
        self._lock = threading.Lock()

    def add_call(self) -> None:
        """A call begins."""
        with self._lock:
            self._left = min(self._most, self._left + self._ratio)

    def take(self) -> bool:
        """Whether one more retry or hedge may be sent; if so, it is taken."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True
