"""A rollout as lines of a log: one for each thing that is new."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

# Numbers change all the time; a line for them alone comes so seldom, seconds.
_PATIENCE = 15.0
_NUMBERS = re.compile(r"[\d.,]+")


class Lines:
    """Writes lines.

    Args:
        write: takes each line, with its end.
        clock: seconds since the epoch.
    """

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._last: tuple[str, ...] = ()
        self._numbers = ""
        self._told = 0.0

    def show(self, status: dict[str, Any]) -> None:
        """Write a line, if a status says anything new."""
        phase, weights, message = status.get("phase"), _weights(status), _one_line(status.get("message"))
        now, news = self._clock(), (str(phase), weights, _NUMBERS.sub("", message))
        is_old = message == self._numbers or now - self._told < _PATIENCE
        if not phase or (news == self._last and is_old):
            return
        self._last, self._numbers, self._told = news, message, now
        when = datetime.fromtimestamp(now, UTC).strftime("%H:%M:%S")
        self._write(f"{when} {phase:<12} {weights:<14} {message}\n")


def _weights(status: dict[str, Any]) -> str:
    weight = status.get("weight") or {}
    if not status.get("canary"):
        return ""
    asked, seen = weight.get("asked", 0), weight.get("seen")
    return f"{asked}%" if asked == seen else f"{asked}% (seen {'?' if seen is None else f'{seen}%'})"


def _one_line(text: object) -> str:
    return " ".join(str(text or "").split())
