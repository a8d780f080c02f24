"""What takes events."""

from collections.abc import Sequence
from typing import Protocol

from predictors.serving.request_log.event import Event


class SinkError(Exception):
    """Events were not taken; says why, without anything of their content.

    Args:
        reason: as a part of a sentence.
        taken: how many were, the first ones.
    """

    def __init__(self, reason: str, taken: int = 0) -> None:
        super().__init__(reason)
        self.taken = taken


class EventSink(Protocol):
    """Takes events, on one thread."""

    at_once: int
    """From how many entries it takes the events at once."""

    def write(self, events: Sequence[Event]) -> None:
        """Take events.

        Raises:
            SinkError: it could not take them all.
        """

    def close(self) -> None:
        """Release what it holds; the same thread calls it, last."""
