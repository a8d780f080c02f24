"""HTTP/1.1 over one connection, on llhttp (httptools): bytes to requests, responses to bytes, nothing without a bound.

One request of a connection is answered at a time; pipelined ones wait, most of them unread. A client that leaves ends
the work for it. Clients that are slow to send or to take are found by `check`, which the server calls once in a while
for each connection: that is cheaper than timers for each request.
"""

import asyncio
import time
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import httptools
import orjson

from predictors.serving.errors import InvalidInput, Overloaded
from predictors.serving.http import ClientDisconnected, Request, Response
from predictors.serving.http_wire import CONTINUE, LAST_CHUNK, chunk, decline_upgrade, head, target_path
from predictors.serving.telemetry import Call

if TYPE_CHECKING:
    from predictors.serving.http_server import HttpServer

MAX_HEAD_BYTES = 64 * 1024
# What is held of a body that nobody has asked for yet.
_MAX_UNASKED_BYTES = 64 * 1024
# What is read of a body after its answer, so that the client gets to see that, before the connection is closed.
_MAX_DISCARDED_BYTES = 64 * 2**20
# How long a connection is not read after a refusal, which asked its client to wait for ten times as long or more.
_REST_SECONDS = 0.1
_NOT_HTTP = "the request is not valid HTTP/1.1"


class _Pending(NamedTuple):
    request: Request
    keeps_alive: bool  # whether the connection may go on after it
    knows_chunks: bool  # HTTP/1.0 does not


class HttpProtocol(asyncio.Protocol):
    """One connection.

    Args:
        server: that it belongs to.
    """

    def __init__(self, server: "HttpServer") -> None:
        self._server = server
        self._settings = server.settings
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._url = b""
        self._headers: dict[bytes, bytes] | None = None  # of the head being read
        self._incoming: Request | None = None  # whose body is being read
        self._waiting: deque[_Pending] = deque()
        self._current: _Pending | None = None  # being answered
        self._task: asyncio.Task[None] | None = None  # answers it, once it has begun
        self._unused = 0  # bytes since the parser last made something of them
        self._discarded = 0  # of the body being read
        self._reading = True
        self._writable: asyncio.Future[None] | None = None  # while the client takes too little
        self._closing = False  # after the current request
        self._last_words: tuple[int, str] | None = None  # to be said before that
        self._since = time.monotonic()  # when the present wait for the client began
        self._unsent = 0  # what `check` saw last

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._current is None and self._incoming is None and self._headers is None and not self._unused

    # The event loop calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, if there is room."""
        self._transport = transport  # type: ignore[assignment]  # TCP gives an asyncio.Transport
        if not self._server.admit(self):
            self._close(503, "the server has too many connections; try again later")

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop working for a client that is gone."""
        self._transport = None
        self._server.forget(self)
        pending = [self._current, *self._waiting] if self._current else [*self._waiting]
        for request, _, _ in pending:
            self._release(request)
        self._waiting.clear()
        self.resume_writing()
        self.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._closing:
            if self._incoming is None:
                return  # nothing that follows will be answered
        elif self._current is None and self.idle:
            self._since = time.monotonic()
        if self._incoming is None:
            data = decline_upgrade(data)
        self._unused += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._break(400, _NOT_HTTP)
        else:
            if self._unused > MAX_HEAD_BYTES:
                self._break(431, f"the request's head is too large; at most {MAX_HEAD_BYTES} bytes are allowed")

    def pause_writing(self) -> None:
        """Answer nothing more until the client takes what there is."""
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Go on."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)
        self._next()

    # The parser calls these.

    def on_message_begin(self) -> None:
        """A head begins."""
        self._url = b""
        self._headers = {}

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, the first of its name; or a trailer, which nobody wants."""
        if self._headers is not None:
            self._headers.setdefault(name.lower(), value)

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._unused = self._discarded = 0
        parser, settings, headers = self._parser, self._settings, self._headers or {}
        method = parser.get_method().decode("ascii")
        request = Request(
            method,
            target_path(self._url),
            headers,
            settings.max_body_bytes,
            settings.request_timeout_seconds,
            self._ask,
        )
        self._headers = None
        self._incoming = request
        self._waiting.append(_Pending(request, parser.should_keep_alive(), parser.get_http_version() != "1.0"))
        self._next()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._unused = 0
        request = self._incoming
        assert request is not None  # noqa: S101  # a head came before
        if request.code:  # answered already
            self._discarded += len(body)
            if self._discarded > _MAX_DISCARDED_BYTES:
                self._close()
            return
        held = request.held
        if self._server.held + len(body) > self._settings.max_held_bytes:
            request.refuse(Overloaded("the server has too much to read already; try again in 1 s", 1))
        request.feed(body)
        self._server.held += request.held - held
        if request.held > _MAX_UNASKED_BYTES and not request.asked:
            self._set_reading(False)

    def on_message_complete(self) -> None:
        """The request is all here."""
        self._unused = 0
        request, self._incoming = self._incoming, None
        assert request is not None  # noqa: S101
        request.end()
        if request.held > _MAX_UNASKED_BYTES:
            self._set_reading(True)  # or a client that leaves would not be seen
        if self._current is None:
            self._since = time.monotonic()
        elif self._waiting:
            self._set_reading(False)  # the parser has what came already; no more of them

    # The way of a request.

    def _next(self) -> None:
        """Begin with the next request, if the last one is done and its answer taken."""
        if self._current is not None or self._writable is not None or not self._waiting or self._closing:
            return
        self._current = self._waiting.popleft()
        if not self._waiting:
            self._set_reading(True)
        request = self._current.request
        queued = self._server.queued
        if queued >= self._server.most_queued and self._server.app.turn_away(request, self, queued):
            self._done()
            self._rest()
            return
        self._server.queued += 1
        asyncio.get_running_loop().create_task(self._answer(request))

    def _rest(self) -> None:
        """Read nothing for a while: a client that comes back at once takes the time of those that are served."""
        self._set_reading(False)
        asyncio.get_running_loop().call_later(_REST_SECONDS, self._set_reading, True)

    async def _answer(self, request: Request) -> None:
        self._server.queued -= 1
        self._task = asyncio.current_task()
        await self._server.app.answer(request, self)
        self._task = None
        self._done()

    def _ask(self) -> None:
        """The body of the current request is waited for."""
        self._set_reading(True)
        if self._transport is not None and self._incoming and b"expect" in self._incoming.headers:
            self._transport.write(CONTINUE)

    def _done(self) -> None:
        if self._current is not None:
            self._release(self._current.request)
        self._current = None
        self._since = time.monotonic()
        if self._closing:
            self._close(*self._last_words or ())
        else:
            self._next()

    def _release(self, request: Request) -> None:
        self._server.held -= request.held
        request.drop()

    def cancel(self) -> None:
        """Stop answering the current request; one that has yet to begin sees by itself that nobody waits."""
        if self._task is not None:
            self._task.cancel()

    # The way of an answer.

    @property
    def gone(self) -> bool:
        """Whether the client has left."""
        return self._transport is None or self._transport.is_closing()

    def respond(self, response: Response) -> None:
        """Answer the current request, with a whole body or the first part of one.

        Raises:
            ClientDisconnected: nobody is there.
        """
        current = self._current
        if current is None or self._transport is None or self._transport.is_closing():
            raise ClientDisconnected
        request, streams = current.request, response.stream is not None
        if request.close or self._server.closing or not current.keeps_alive or (streams and not current.knows_chunks):
            self._closing = True
        extra = [b"connection: close\r\n"] if self._closing else []
        body = response.body
        if streams and current.knows_chunks:
            extra.append(b"transfer-encoding: chunked\r\n")
            body = chunk(body)
        length = None if streams else len(body)
        parts = head(response.status, self._server.date_line(), response.headers, length, *extra)
        if request.method != "HEAD":
            parts.append(body)
        self._transport.write(b"".join(parts))

    async def send(self, part: bytes) -> None:
        """Send a further part of a streamed body, once the client has taken the last ones.

        Raises:
            ClientDisconnected: nobody is there.
        """
        if self._writable is not None:
            await self._writable
        if self._current is None or self._transport is None or self._transport.is_closing():
            raise ClientDisconnected
        self._transport.write(chunk(part) if self._current.knows_chunks else part)

    def end(self) -> None:
        """End a streamed body."""
        if self._current is not None and self._transport is not None and self._current.knows_chunks:
            self._transport.write(LAST_CHUNK)

    # The end of a connection.

    def finish(self) -> None:
        """Close after the current request."""
        self._closing = True
        if self._current is None:
            self._close()

    def check(self, now: float) -> None:
        """Give up a client that has kept the server waiting for too long.

        Args:
            now: the present, on the clock of `time.monotonic`.
        """
        if self._transport is None:
            return
        unsent = self._transport.get_write_buffer_size()
        if unsent:
            if unsent != self._unsent:
                self._unsent, self._since = unsent, now
            elif now - self._since > self._settings.write_timeout_seconds:
                self._server.count("write_timeout")
                self.abort()
        elif self._current is None:
            waited = now - self._since
            if self.idle:
                if waited > self._settings.keep_alive_seconds:
                    self._close()
            elif waited > self._settings.head_timeout_seconds:
                self._server.count("head_timeout")
                seconds = self._settings.head_timeout_seconds
                self._close(
                    *(() if self._incoming else (408, f"the request's head did not arrive within {seconds:g} s"))
                )

    def abort(self) -> None:
        """Drop the connection, and what the client has not taken."""
        if self._transport is not None:
            self._transport.abort()

    def _break(self, status: int, message: str) -> None:
        """What came is not HTTP: nothing that follows can be understood."""
        self._closing = True
        if self._incoming is not None:  # its body is at fault
            self._incoming.close = True
            self._incoming.refuse(InvalidInput("the body is not valid HTTP/1.1"))
            self._incoming = None
        elif self._current is None:
            self._close(status, message)
        else:
            self._last_words = status, message

    def _close(self, status: int = 0, message: str = "") -> None:
        """Close once all is sent, after an answer to what is no request where a status is given."""
        self._closing = True
        if self._transport is None or self._transport.is_closing():
            return
        if status:
            call = Call("", None, "")
            call.code, body = str(status), orjson.dumps({"error": message})
            call.bytes_out = len(body)
            headers = [(b"content-type", b"application/json"), (b"x-request-id", call.id.encode())]
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                headers.append((b"retry-after", b"1"))
            parts = head(status, self._server.date_line(), headers, len(body), b"connection: close\r\n")
            self._transport.write(b"".join([*parts, body]))
            self._server.app.telemetry.finish(call)
        self._transport.close()

    def _set_reading(self, reading: bool) -> None:
        if reading is self._reading or self._transport is None or self._transport.is_closing():
            return
        self._reading = reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
