"""Leaves an endpoint alone that keeps failing, so that nobody waits for it."""

import time
from collections.abc import Callable

_MOST_FAILURES = 3
_REST_SECONDS = 30.0


class Breaker:
    """Opens after some failures in a row; then one request tries again every half minute. Only for one thread.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_at = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether nothing may be sent now."""
        return self._clock() < self._closed_at

    def begin(self) -> None:
        """A request is being sent: if it is a trial, no other goes before its outcome."""
        if self._failures >= _MOST_FAILURES:
            self._closed_at = self._clock() + _REST_SECONDS

    def failed(self) -> bool:
        """A request failed; returns whether that opened the breaker."""
        self._failures += 1
        if self._failures >= _MOST_FAILURES:
            self._closed_at = self._clock() + _REST_SECONDS
        return self._failures == _MOST_FAILURES

    def succeeded(self) -> bool:
        """A request was answered; returns whether that closed the breaker."""
        was_open = self._failures >= _MOST_FAILURES
        self._failures, self._closed_at = 0, float("-inf")
        return was_open
