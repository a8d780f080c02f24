"""What is noted of a request's way while it is answered, and the W3C context that it belongs to.

Nothing here needs OpenTelemetry: spans are made of these notes once the answer is there, in `tracing.py`.
"""

import os
import re
from collections.abc import Iterable
from contextvars import ContextVar
from typing import NamedTuple

# W3C Trace Context, 3.2: version, trace id, parent id, flags. Versions after 00 may have more behind them; ff is none.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1


class Step(NamedTuple):
    """A part of the way: its name, and when it began and ended, seconds on the monotonic clock."""

    name: str
    begun: float
    ended: float


class Trace:
    """The trace that a request belongs to, and the steps of its way.

    Args:
        trace_id: 32 hexadecimal digits.
        parent_id: the caller's span, 16 hexadecimal digits; empty if the trace begins here.
        sampled: whether spans are made.
    """

    __slots__ = ("parent_id", "sampled", "span_id", "steps", "trace_id")

    def __init__(self, trace_id: str, parent_id: str, sampled: bool) -> None:
        self.trace_id, self.parent_id, self.sampled = trace_id, parent_id, sampled
        self.span_id = new_span_id()
        self.steps: list[Step] = []

    def step(self, name: str, begun: float, ended: float) -> None:
        """Note a step."""
        self.steps.append(Step(name, begun, ended))

    def steps_from(self, begun: float, parts: Iterable[tuple[str, float]]) -> None:
        """Note steps that followed each other, by their names and seconds."""
        for name, seconds in parts:
            self.step(name, begun, begun + seconds)
            begun += seconds

    @property
    def traceparent(self) -> str:
        """The header by which another server goes on with the trace."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)
"""The trace of the request that is being handled, for what is logged meanwhile. Only traced requests set it."""


def new_trace() -> Trace:
    """Begin a trace."""
    return Trace(os.urandom(16).hex(), "", sampled=True)


def continued(traceparent: str) -> Trace | None:
    """Go on with a caller's trace, sampled if it is; None for a header that is not as W3C demands."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or (found[1] == "00" and found[5]):
        return None
    return Trace(found[2], found[3], bool(int(found[4], 16) & _SAMPLED))


def new_span_id() -> str:
    """64 random bits in hex."""
    return os.urandom(8).hex()
