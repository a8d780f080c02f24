"""Calls in virtual time: a driver for courses whose attempts take as long as a test says."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from predictors.client.errors import DeadlineExceeded
from predictors.client.policy.breaker import Breaker
from predictors.client.policy.budget import Budget
from predictors.client.policy.course import Answered, Course, Failed, Outcome, Send, Shared, Wait
from predictors.client.policy.settings import Policy


class Play(NamedTuple):
    """What an attempt will do.

    Args:
        seconds: how long it takes.
        outcome: what comes of it.
    """

    seconds: float
    outcome: Outcome


@dataclass
class World:
    """A clock, and what is shared."""

    policy: Policy
    random: Callable[[], float] = lambda: 1.0
    now: float = 100.0
    sent: list[float] = field(default_factory=list)
    """When attempts were sent, in all calls."""

    def __post_init__(self) -> None:
        budget = Budget(self.policy.retry_ratio, self.policy.retry_burst)
        self.breaker = Breaker(self.policy.breaker)
        self.shared = Shared(self.policy, budget, self.breaker, self.random)

    def call(self, plays: list[Play], timeout: float | None = None, skew: Callable[[float], float] = float) -> Outcome:
        """Make a call; the last play is repeated.

        Args:
            plays: what each attempt does.
            timeout: of the call; the policy's by default.
            skew: what the clock shows at a time.
        """
        course = Course(self.shared, skew(self.now), self.policy.timeout if timeout is None else timeout)
        running: list[tuple[float, int, Outcome]] = []
        for _ in range(20_000):
            step = course.step(skew(self.now))
            match step:
                case Answered() | Failed():
                    course.close(skew(self.now))
                    return step
                case Send(number, seconds):
                    self.sent.append(self.now)
                    play = plays[min(number, len(plays) - 1)]
                    if play.seconds > seconds:
                        play = Play(seconds, Failed(DeadlineExceeded("too late")))
                    heapq.heappush(running, (self.now + play.seconds, number, play.outcome))
                case Wait(until):
                    later = self.now + max(until - skew(self.now), 1e-3 if skew is not float else 1e-9)
                    if running and running[0][0] <= later:
                        at, number, outcome = heapq.heappop(running)
                        self.now = max(self.now, at)
                        course.ended(number, outcome, skew(self.now))
                    else:
                        self.now = later
        raise AssertionError("the call never ends")
