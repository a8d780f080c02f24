"""The trace that a call belongs to, in the headers that W3C's Trace Context names."""

from collections.abc import Callable
from typing import TypeAlias

from predictors.client.errors import ConfigurationError

Trace: TypeAlias = Callable[[dict[str, str]], object]
"""Puts the headers of the caller's trace, if there is one, into a dictionary, as OpenTelemetry's `inject` does."""

TraceHeaders: TypeAlias = tuple[tuple[str, str], ...]

_NAMES = ("traceparent", "tracestate")


def trace_headers(trace: Trace | None) -> TraceHeaders:
    """What is sent of the caller's trace; what else `trace` puts there is not.

    Raises:
        ConfigurationError: a value cannot be in a header.
    """
    if trace is None:
        return ()
    given: dict[str, str] = {}
    trace(given)
    sent = tuple((name, given[name]) for name in _NAMES if given.get(name))
    for name, value in sent:
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise ConfigurationError(f"`trace` gave {value!a:.100} as {name}; a header's value is printable ASCII")
    return sent
