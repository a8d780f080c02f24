"""Server-sent events: answers in parts (the HTML standard, 9.2.6)."""

from collections.abc import AsyncGenerator
from typing import Any

import orjson

from predictors.serving.protocols.http import Response
from predictors.serving.transport.http_wire import Header

HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # proxies of nginx's kind would hold parts back
)


def event(data: Any, name: str = "") -> bytes:
    """Encode one event; ``data`` becomes JSON, which has no line breaks."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n\n"


async def response(parts: AsyncGenerator[bytes, None]) -> Response:
    """Answer with a stream.

    Waits for the first part, so that whatever fails before it is an error like any other, with its status.
    """
    first = await anext(parts)
    return Response(200, first, list(HEADERS), parts)
