"""Waiting for what comes later."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# Machines may be busy: a test must fail for what happened, not for when.
PATIENCE_SECONDS = 300.0


def until(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS, *, pause: float = 0.25) -> T:
    """Look until there is something true.

    Args:
        look: gives what was seen; falsy: not yet.
        what: what is waited for, for the message.
        seconds: how long.
        pause: between two looks, seconds.
    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(pause)
    return seen


def stays(look: Callable[[], T], expected: T, seconds: float) -> None:
    """Check that what is seen stays as it is for some time: that something does not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = look()
        assert seen == expected, f"{seen!r} was seen; {expected!r} was to stay"
        time.sleep(1)
