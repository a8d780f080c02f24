"""What a client may be told about deadlines, retries, hedging and its circuit breaker."""

import math
from dataclasses import dataclass, field, fields

from predictors.client.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When a client stops calling a server that fails.

    Args:
        failure_rate: share of the calls within the window that must have failed, 0 to 1; above 1 it never opens.
        minimum_calls: how many there must have been at least.
        window: how long they count, seconds.
        open_for: how long nothing is sent, seconds; then one call is, as a probe.
    """

    failure_rate: float = 0.5
    minimum_calls: int = 20
    window: float = 10.0
    open_for: float = 5.0

    def __post_init__(self) -> None:
        _check_positive(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long calls may take, and what happens when they fail.

    Args:
        timeout: for a whole call with its retries, seconds; infinite if it has no deadline.
        attempt_timeout: for each attempt, seconds. The default leaves one attempt all the time there is.
        connect_timeout: for a connection to be made, seconds.
        idle_timeout: longest time between two parts of a stream, seconds.
        attempts: how often a call is sent at most.
        backoff_base: upper bound of the wait before the first retry, seconds; it doubles with each.
        backoff_cap: the most it may be, seconds.
        retry_ratio: how many retries and hedges there may be per call in the long run.
        retry_burst: how many beyond that.
        hedge_after: seconds after which a call that has no answer yet is sent a second time; None: never.
        breaker: when to stop calling.
    """

    timeout: float = 30.0
    attempt_timeout: float = math.inf
    connect_timeout: float = 5.0
    idle_timeout: float = math.inf
    attempts: int = 4
    backoff_base: float = 0.1
    backoff_cap: float = 2.0
    retry_ratio: float = 0.2
    retry_burst: int = 10
    hedge_after: float | None = None
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    def __post_init__(self) -> None:
        _check_positive(self, may_be_zero=("timeout", "retry_ratio", "retry_burst", "hedge_after"))


def check_timeout(seconds: float) -> float:
    """Pass a timeout that can be one.

    Raises:
        ConfigurationError: it is negative or not a number.
    """
    if not seconds >= 0:
        raise ConfigurationError(f"timeout is {seconds}; give seconds, 0 or more")
    return seconds


def _check_positive(settings: BreakerPolicy | Policy, may_be_zero: tuple[str, ...] = ()) -> None:
    for each in fields(settings):
        value = getattr(settings, each.name)
        if isinstance(value, (int, float)) and not (value >= 0 if each.name in may_be_zero else value > 0):
            allowed = "0 or more" if each.name in may_be_zero else "more than 0"
            raise ConfigurationError(f"{each.name} is {value}; {allowed} is expected")
