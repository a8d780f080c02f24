"""A circuit breaker: a server that fails most calls is left alone for a while, then tried with one.

```text
closed ──most of the window's calls failed──▶ open ──open_for is over──▶ half-open
   ▲                                            ▲                           │ one call is let through
   └────────────── it was answered ─────────────┴────────── it failed ──────┘
```
"""

import threading
from collections import deque
from typing import NamedTuple

from predictors.client.policy.settings import BreakerPolicy

# The window moves in parts, so that it takes constant memory however many calls there are.
_PARTS = 10


class Permit(NamedTuple):
    """The leave to send one attempt, to be given back with its outcome.

    Args:
        era: how often the breaker had changed. What was sent before the last change says nothing about the time since.
    """

    era: int


class _Part:
    __slots__ = ("begun", "calls", "failures")

    def __init__(self, begun: float) -> None:
        self.begun, self.calls, self.failures = begun, 0, 0


class Breaker:
    """The state of one server, as one client sees it; for any number of threads.

    Args:
        policy: when it opens, and for how long.
    """

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._parts: deque[_Part] = deque(maxlen=_PARTS + 1)
        self._opened: float | None = None
        self._probing = False
        self._era = 0
        self._lock = threading.Lock()

    def admit(self, now: float) -> Permit | float:
        """Ask to send an attempt.

        Args:
            now: reading of a steady clock, seconds.

        Returns:
            A permit for `report`; or seconds until one may be had.
        """
        with self._lock:
            if self._opened is None:
                return Permit(self._era)
            self._opened = min(self._opened, now)  # a clock that was set back must not keep it open for longer
            wait = self._opened + self._policy.open_for - now
            if wait > 0 or self._probing:
                return max(wait, 0.0)
            self._probing = True
            return Permit(self._era)

    def report(self, permit: Permit, now: float, failed: bool | None) -> None:
        """Give a permit back.

        Args:
            permit: as `admit` gave it.
            now: reading of the clock.
            failed: whether the server failed; None if the attempt was given up before that was known.
        """
        with self._lock:
            if permit.era != self._era:
                return
            if self._opened is not None:
                self._probing = False
                if failed is not None:
                    self._change(now if failed else None)
            elif failed is not None and self._count(now, failed):
                self._change(now)

    def _change(self, opened: float | None) -> None:
        self._opened = opened
        self._era += 1
        self._parts.clear()

    def _count(self, now: float, failed: bool) -> bool:
        """Add a call; gives whether too many failed."""
        policy, parts = self._policy, self._parts
        if not parts or not 0 <= now - parts[-1].begun < policy.window / _PARTS:
            if parts and now < parts[-1].begun:
                parts.clear()  # the clock was set back: what was counted has no time any more
            parts.append(_Part(now))
        while parts[0].begun <= now - policy.window:
            parts.popleft()
        parts[-1].calls += 1
        parts[-1].failures += failed
        calls = sum(part.calls for part in parts)
        return calls >= policy.minimum_calls and sum(part.failures for part in parts) >= policy.failure_rate * calls
