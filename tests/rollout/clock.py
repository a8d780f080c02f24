"""Virtual time: nothing here waits."""

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

START = 1_800_000_000.0


class Clock:
    """Seconds since the epoch, which pass only when `advance` is called; due work is done in order of time."""

    def __init__(self) -> None:
        self.now = START
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self.now - START

    @property
    def stamp(self) -> str:
        """The time as Kubernetes writes it."""
        return datetime.fromtimestamp(self.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Have work done later."""
        heapq.heappush(self._due, (self.now + seconds, next(self._order), work))

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            self.now, _, work = heapq.heappop(self._due)
            work()
        self.now = end


class Loop:
    """A controller's queue: work on an object is done a while after it was asked for, once however often it was asked for.

    Args:
        clock: that it lives by.
        delay: gives the seconds until the work is done.
        work: with the object's namespace and name.
    """

    def __init__(self, clock: Clock, delay: Callable[[], float], work: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._delay = delay
        self._work = work
        self._waiting: set[tuple[str, str]] = set()

    def wake(self, namespace: str, name: str) -> None:
        """Ask for the work."""
        self.wake_after(self._delay(), namespace, name)

    def wake_after(self, seconds: float, namespace: str, name: str) -> None:
        """Ask for the work at a later time, if it is not asked for already."""
        key = (namespace, name)
        if key not in self._waiting:
            self._waiting.add(key)
            self._clock.after(seconds, partial(self._run, key))

    def _run(self, key: tuple[str, str]) -> None:
        self._waiting.discard(key)
        self._work(*key)
