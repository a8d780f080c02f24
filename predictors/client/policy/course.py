"""The course of one call: what to do next, from what has happened so far.

A driver asks `Course.step` what to do, does it, tells `Course.ended` what came of it, and asks again. The course reads
no clock and sends nothing, so that tests take it through hours in an instant.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from predictors.client.errors import CircuitOpen, ClientError, DeadlineExceeded, DeadlinePassed
from predictors.client.policy.breaker import Breaker, Permit
from predictors.client.policy.budget import Budget
from predictors.client.policy.retry_after import full_jitter
from predictors.client.policy.settings import Policy


class Send(NamedTuple):
    """Send an attempt.

    Args:
        number: of the attempt, from 0.
        seconds: how long it may take.
    """

    number: int
    seconds: float


class Wait(NamedTuple):
    """Wait until an attempt ends, but no longer than this.

    Args:
        until: reading of the clock.
    """

    until: float


class Answered(NamedTuple):
    """What the first good attempt gave; attempts that still run are to be cancelled."""

    value: Any


class Failed(NamedTuple):
    """The call is given up; attempts that still run are to be cancelled."""

    error: ClientError


Step: TypeAlias = Send | Wait | Answered | Failed
Outcome: TypeAlias = Answered | Failed


@dataclass(frozen=True, slots=True)
class Shared:
    """What all calls of a client share.

    Args:
        policy: its settings.
        budget: of retries.
        breaker: of the server.
        random: gives numbers from 0 to 1.
    """

    policy: Policy
    budget: Budget
    breaker: Breaker
    random: Callable[[], float]


class Course:
    """One call.

    Args:
        shared: what it has in common with the client's other calls.
        now: reading of the clock.
        timeout: seconds for all of it.
        request_id: by which its errors are known, where no server gave one.
    """

    def __init__(self, shared: Shared, now: float, timeout: float, request_id: str = "") -> None:
        self._shared = shared
        self._timeout = timeout
        self._request_id = request_id
        self._latest = now
        self._deadline = now + timeout
        hedge_after = shared.policy.hedge_after
        self.concurrent = hedge_after is not None
        """Whether attempts may have to run beside each other."""
        self._hedge_after = math.inf if hedge_after is None else hedge_after
        self._hedge_at = math.inf
        self._send_at = now
        self._sent = 0
        self._running: dict[int, Permit] = {}
        self._end: Outcome | None = None
        self._failure: ClientError | None = None
        shared.budget.add_call()

    def step(self, now: float) -> Step:
        """What to do next.

        Args:
            now: reading of the clock; one that went back counts as one that stood still.
        """
        now = self._latest = max(now, self._latest)
        if self._end is not None:
            return self._end
        if now >= self._deadline:
            return self._expire(now)
        if self._running:
            if now >= self._hedge_at:
                self._hedge_at = math.inf
                if self._sent < self._shared.policy.attempts and self._shared.budget.take():
                    return self._send(now)
            return Wait(min(self._hedge_at, self._deadline))
        return self._send(now) if now >= self._send_at else Wait(self._send_at)

    def ended(self, number: int, outcome: Outcome, now: float) -> None:
        """Take the outcome of an attempt."""
        now = self._latest = max(now, self._latest)
        error = outcome.error if isinstance(outcome, Failed) else None
        permit = self._running.pop(number, None)
        if permit is None or self._end is not None:
            return
        self._shared.breaker.report(permit, now, _unhealthy(outcome))
        if error is None:
            self._end = outcome
            return
        if not error.retryable:
            self._fail(error)
            return
        self._failure = error
        if not self._running:
            self._schedule(error, now)

    def close(self, now: float) -> None:
        """End the call, whatever still runs: nobody waits for it any more."""
        for permit in self._running.values():
            self._shared.breaker.report(permit, max(now, self._latest), None)
        self._running.clear()

    def _send(self, now: float) -> Step:
        permit = self._shared.breaker.admit(now)
        if not isinstance(permit, Permit):
            if self._running:  # a hedge: the first attempt goes on without it
                return Wait(self._deadline)
            closed = CircuitOpen("too many calls failed, so none is sent for now", retry_after=permit)
            return self._fail(self._failure or closed)
        number = self._sent
        self._sent += 1
        self._running[number] = permit
        if len(self._running) == 1:
            self._hedge_at = now + self._hedge_after
        return Send(number, min(self._shared.policy.attempt_timeout, self._deadline - now))

    def _schedule(self, error: ClientError, now: float) -> None:
        """Plan the next attempt, or give up if there can be none in time."""
        policy = self._shared.policy
        wait = full_jitter(self._sent - 1, policy.backoff_base, policy.backoff_cap, self._shared.random())
        self._send_at = now + wait + (error.retry_after or 0.0)
        self._hedge_at = math.inf
        if self._sent >= policy.attempts or self._send_at >= self._deadline or not self._shared.budget.take():
            self._fail(error)

    def _expire(self, now: float) -> Failed:
        if not self._sent:
            return self._fail(DeadlinePassed(f"the call had {self._timeout:g} s, over before it could be sent"))
        for permit in self._running.values():
            self._shared.breaker.report(permit, now, True)
        self._running.clear()
        late = DeadlineExceeded(f"there was no answer within {self._timeout:g} s")
        late.__cause__ = self._failure
        return self._fail(late)

    def _fail(self, error: ClientError) -> Failed:
        error.attempts = self._sent
        error.request_id = error.request_id or self._request_id
        self._end = Failed(error)
        return self._end


def _unhealthy(outcome: Outcome) -> bool | None:
    """Whether an attempt shows that the server fails; None if it says nothing about that."""
    if isinstance(outcome, Failed):
        return outcome.error.unhealthy
    # "Not ready" is a good answer to who asks for it, again and again while a model loads, but no sign of health.
    return None if outcome.value is False else False
