"""Server-sent events: answers in parts (the HTML standard, 9.2.6)."""

from collections.abc import AsyncGenerator
from typing import Any

import orjson

from predictors.serving.protocols.http import Header, Response

HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx and its like would hold parts back
)


def event(data: Any, name: str = "") -> bytes:
    """Encode one event; ``data`` becomes JSON."""
    return frame(orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY), name)


def frame(data: bytes, name: str = "") -> bytes:
    """Frame data without line breaks as one event."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + data + b"\n\n"


async def response(parts: AsyncGenerator[bytes, None]) -> Response:
    """Answer with a stream.

    Waits for the first part, so that an error before it has a status of its own.
    """
    first = await anext(parts)
    return Response(200, first, list(HEADERS), parts)
