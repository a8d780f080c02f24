"""One request and its answer, and what of a connection it uses."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Protocol

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from predictors.serving.transport.request_head import parse_target

logger = logging.getLogger(__name__)

MOST_PIPELINED = 16
"""No more is read while as many requests wait behind the one that is being answered."""
_ASGI = {"version": "3.0", "spec_version": "2.3"}


class Owner(Protocol):
    """What is asked here of the connection that a request came by."""

    scope: Any
    transport: Any
    flow: Any
    server_state: Any
    parser: Any
    url: bytes
    headers: list[tuple[bytes, bytes]]
    expect_100_continue: bool
    pipeline: Any
    paused: bool
    unfed: bytes
    scheme: Any
    server: Any
    client: Any
    extensions: Any

    def on_response_complete(self) -> None:
        """An answer is written."""

    def closing(self) -> None:
        """It will be closed once the client has taken what is written."""

    def linger(self) -> bool:
        """Whether to take in the rest of a body before closing."""


class Flow(FlowControl):
    """Uvicorn's flow control, with more reasons not to read."""

    def __init__(self, transport: asyncio.Transport, connection: Owner) -> None:
        super().__init__(transport)
        self._connection = connection

    def resume_reading(self) -> None:
        """Read on, unless many pipelined requests wait: behind them, others would pile up without bound."""
        connection = self._connection
        few = len(connection.pipeline) < MOST_PIPELINED and not connection.unfed
        if self.read_paused and few and not connection.paused:
            super().resume_reading()


class Transport:
    """A transport whose closing lets the rest of a body come in first."""

    def __init__(self, transport: asyncio.Transport, connection: Owner) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.abort = transport.abort
        self.get_write_buffer_size = transport.get_write_buffer_size
        self._close = transport.close
        self._connection = connection

    def close(self) -> None:
        """Close, now or once the rest of a body has come."""
        if not self._connection.linger():
            self.close_now()

    def close_now(self) -> None:
        """Close, once the client has taken what is written."""
        self._close()
        self._connection.closing()


class Exchange:
    """One request and its answer.

    In place of Uvicorn's cycle, which makes an event and a task for each request, writes an answer's head and body
    apart, and searches each header for characters that must not be in it. Our headers are known, an answer that is sent
    whole is written in one piece, and what has come is received without waiting.

    Args:
        connection: where it came in.
        keep_alive: whether another request may follow.
    """

    __slots__ = (
        "_arrival",
        "_chunked",
        "_connection",
        "_start",
        "body",
        "broken",
        "default_headers",
        "disconnected",
        "flow",
        "keep_alive",
        "more_body",
        "response_complete",
        "scope",
        "transport",
        "waiting_for_100_continue",
    )

    def __init__(self, connection: Owner, keep_alive: bool) -> None:
        self.scope = connection.scope
        self.transport = connection.transport
        self.flow = connection.flow
        self.default_headers = connection.server_state.default_headers
        self.keep_alive = keep_alive
        self.waiting_for_100_continue: bool = connection.expect_100_continue
        self.body = bytearray()
        """What has come of the request's body and has not been received yet."""
        self.more_body = True
        self.broken = False
        """Whether the body is not valid HTTP."""
        self.disconnected = False
        self.response_complete = False
        self._connection = connection
        self._chunked = False
        self._start: Any = None  # the message that begins the answer, until the head is written
        self._arrival: asyncio.Future[None] | None = None  # while the application waits for a part of the body

    async def run(self, app: Any) -> None:
        """Run the application, which answers whatever happens; what it raises all the same is a bug of ours."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            logger.exception("the application failed")

    async def receive(self) -> Any:
        """Give what has come of the body, or wait for it."""
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        if self.more_body and not (self.body or self.broken or self.disconnected or self.response_complete):
            self.flow.resume_reading()
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body = bytes(self.body)
        self.body.clear()
        if self.flow.read_paused and not self.more_body:
            self.flow.resume_reading()  # to notice if the client leaves
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def wake(self) -> None:
        """Something has come, or nothing more will."""
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def send(self, message: Any) -> None:
        """Send a part of the answer, once the client has taken the parts before it."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            self._start = message
            self.waiting_for_100_continue = False
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        head, self._start = b"" if self._start is None else self._head(self._start), None
        if self.scope["method"] == "HEAD":
            body = b""
        elif self._chunked:
            body = _chunk(body, more)
        self.transport.write(head + body)
        if not more:
            self.response_complete = True
            self.wake()
            if not self.keep_alive:
                self.transport.close()
            self._connection.on_response_complete()

    def _head(self, start: Any) -> bytes:
        headers = self.default_headers + start["headers"]
        names = dict(headers)
        if names.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append((b"connection", b"close"))
        elif self.scope["http_version"] == "1.0":
            headers.append((b"connection", b"keep-alive"))
        if b"content-length" not in names:
            self._chunked = True
            headers.append((b"transfer-encoding", b"chunked"))
        return response_head(start["status"], headers)


def _chunk(body: bytes, more: bool) -> bytes:
    """A part of a body in chunks; an empty one would be the last."""
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return chunk if more else chunk + b"0\r\n\r\n"


def response_head(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write a status line and headers, up to where the body begins."""
    return STATUS_LINE[status] + b"\r\n".join([*map(b": ".join, headers), b"", b""])


def new_scope(connection: Owner, version: str) -> Any:
    """Describe the request whose head a connection has read, as ASGI does.

    Raises:
        ValueError, httptools.HttpParserError: its target is not valid.
    """
    method: bytes = connection.parser.get_method()
    path, raw_path, query = parse_target(connection.url, method)
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": version,
        "method": method.decode("ascii"),
        "scheme": connection.scheme,
        "path": path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": connection.headers,
        "server": connection.server,
        "client": connection.client,
        "extensions": connection.extensions,
    }
