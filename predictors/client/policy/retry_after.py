"""How long to wait: what the server asks for, and full jitter where it asks for nothing."""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

# More digits than any time to wait has; `int` refuses thousands of them, slowly.
_MAX_DIGITS = 12


def parse_retry_after(value: str | None, wall_clock: float) -> float | None:
    """Read ``Retry-After`` (RFC 9110, 10.2.3).

    Args:
        value: the header's value: seconds, or an HTTP date.
        wall_clock: seconds since 1970, now.

    Returns:
        Seconds from now, at least 0; None if there is no value, or none that can be read.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value) if len(value) <= _MAX_DIGITS else math.inf
    try:
        date = parsedate_to_datetime(value)
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max(0.0, date.timestamp() - wall_clock)
    except (ValueError, OverflowError, IndexError):
        return None


def full_jitter(attempt: int, base: float, cap: float, random: float) -> float:
    """Seconds to wait before the next attempt.

    ``random · min(cap, base · 2^attempt)``: "full jitter" of Marc Brooker, "Exponential Backoff And Jitter", AWS
    Architecture Blog, 2015, where it needs the least work of all clients together.

    Args:
        attempt: retries before this one.
        base, cap: bounds, seconds.
        random: 0 to 1.
    """
    return random * min(cap, math.ldexp(base, min(attempt, 64)))
