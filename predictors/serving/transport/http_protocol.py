"""One HTTP/1.1 connection: requests in their order, responses to bytes, nothing without a bound.

One request is answered at a time; pipelined ones wait, most of them unread. A client that leaves ends
the work for it. Clients that are slow to send or to take are found by `check`, which the server calls once in a while
for each connection: that is cheaper than timers for each request.
"""

import asyncio
import time
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from predictors.serving.errors import Overloaded
from predictors.serving.protocols.http import ClientDisconnected, Request, Response
from predictors.serving.transport.http_parser import Pending, RequestParser
from predictors.serving.transport.http_wire import CONTINUE, LAST_CHUNK, chunk, head
from predictors.serving.telemetry.call import Call

if TYPE_CHECKING:
    from predictors.serving.transport.http_server import HttpServer

# Pipelined requests of one connection; no more is read while so many wait.
_MOST_WAITING = 16
# What is held of a body that nobody has asked for yet.
_MAX_UNASKED_BYTES = 64 * 1024
# What is read of a body after its answer, so that the client gets to see that, before the connection is closed.
_MAX_DISCARDED_BYTES = 64 * 2**20
# How long a connection is not read after a refusal, which asked its client to wait for ten times as long or more.
_REST_SECONDS = 0.1


class HttpProtocol(asyncio.Protocol):
    """One connection.

    Args:
        server: that it belongs to.
    """

    def __init__(self, server: "HttpServer") -> None:
        self._server = server
        self._settings = server.settings
        self._parser = RequestParser(server.settings, self, self._ask)
        self._transport: asyncio.Transport | None = None
        # What is being answered.
        self._waiting: deque[Pending] = deque()
        self._current: Pending | None = None
        self._task: asyncio.Task[None] | None = None  # answers the current one, once it has begun
        self._closing = False  # after the current one
        self._hurries = False  # even if its body is still coming: its client may not see the answer, or sends no more
        # The client.
        self._reading = True
        self._resting = False
        self._writable: asyncio.Future[None] | None = None  # while the client takes too little
        self._since = time.monotonic()  # when the present wait for it began
        self._unsent, self._stalled_since = 0, 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._current is None and self._parser.idle

    @property
    def evictable(self) -> bool:
        """Whether nobody would miss it."""
        return (
            self.idle and not self.gone and self._transport is not None and not self._transport.get_write_buffer_size()
        )

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
        if self._current is not None:
            self._release(self._current.request)
        for pending in self._waiting:
            self._release(pending.request)
            self._server.app.lose(pending.request)
        self._waiting.clear()
        self.resume_writing()
        self.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self.idle:
            self._since = time.monotonic()
        if self._closing and self._parser.incoming is None:
            return  # nothing of it will be answered
        self._parser.feed(data)
        if self._waiting:
            self._update_reading()

    def pause_writing(self) -> None:
        """Answer and read nothing more until the client takes what there is."""
        self._writable = asyncio.get_running_loop().create_future()
        self._update_reading()

    def resume_writing(self) -> None:
        """Go on."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)
        self._next()
        self._update_reading()

    # The parser calls these.

    def received(self, pending: Pending) -> None:
        """A request is here, its body maybe not yet."""
        self._discarded = 0
        self._waiting.append(pending)
        self._next()

    def take(self, request: Request, part: bytes) -> None:
        """A part of its body is here."""
        if request.code:  # answered already
            self._discarded += len(part)
            if self._discarded > _MAX_DISCARDED_BYTES:
                self._close()
            return
        server, held = self._server, request.held
        if server.held + len(part) > server.settings.max_held_bytes:
            request.refuse(Overloaded("the server has too much to read already; try again in 1 s", 1))
        request.feed(part)
        server.held += request.held - held
        if request.held > _MAX_UNASKED_BYTES:
            self._update_reading()

    def completed(self, request: Request) -> None:
        """It is all here."""
        if self._current is None:
            self._since = time.monotonic()
            self._next()  # it may be time to close
        if not self._reading:
            self._update_reading()

    def broken(self, request: Request | None) -> None:
        """Nothing that follows can be understood."""
        if request is not None:
            self._release(request)
        self._next()

    # The way of a request.

    def _next(self) -> None:
        """Begin with the next request, if the last one is done and its answer taken."""
        server = self._server
        while self._waiting and self._current is None and self._writable is None and not self._closing:
            self._current = self._waiting.popleft()
            request = self._current.request
            if server.queued < server.most_queued or not server.app.turn_away(request, self, server.queued):
                server.queued += 1
                asyncio.get_running_loop().create_task(server.app.answer(request, self), name="answer")
                return
            self._release(request)
            self._current = None
            self._rest()
        over = self._closing or (self._parser.ended and not self._waiting)
        if over and self._current is None and (self._parser.incoming is None or self._hurries):
            self._close(*self._parser.last_words or ())

    def begun(self) -> None:
        """The current request's answer is being made, by the current task.

        Raises:
            ClientDisconnected: for nobody.
        """
        self._server.queued -= 1
        self._task = asyncio.current_task()
        if self.gone:
            raise ClientDisconnected

    def done(self, request: Request) -> None:
        """The current request is answered."""
        self._task = self._current = None
        self._release(request)
        self._since = time.monotonic()
        if self._waiting or self._closing or self._parser.ended:
            self._next()
        if not self._reading:
            self._update_reading()

    def _ask(self) -> None:
        """The body of the current request is waited for."""
        self._update_reading()
        current, request = self._current, self._parser.incoming
        if current is None or current.request is not request or self._transport is None:
            return
        if current.knows_chunks and b"expect" in request.headers:
            self._transport.write(CONTINUE)

    def _rest(self) -> None:
        """Read nothing for a while: a client that comes back at once takes the time of those that are served."""
        self._resting = True
        self._update_reading()
        asyncio.get_running_loop().call_later(_REST_SECONDS, self._rested)

    def _rested(self) -> None:
        self._resting = False
        self._update_reading()

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
        self._hurries = request.close or self._server.closing
        if request.close or self._server.closing or not current.keeps_alive or (streams and not current.knows_chunks):
            self._closing = True
        extra = [b"connection: close\r\n"] if self._closing else []
        if not (current.knows_chunks or self._closing):
            extra.append(b"connection: keep-alive\r\n")
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
        self._closing = self._hurries = True
        self._next()

    def check(self, now: float) -> None:
        """Give up a client that has kept the server waiting for too long.

        Args:
            now: the present, on the clock of `time.monotonic`.
        """
        if self._transport is None:
            return
        unsent = self._transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent, self._stalled_since = unsent, now
        settings, waited = self._settings, now - self._since
        if unsent:
            if now - self._stalled_since > settings.write_timeout_seconds:
                self._server.count("write_timeout")
                self.abort()
        elif self.idle:
            if waited > settings.keep_alive_seconds:
                self._close()
        elif self._current is None and waited > settings.head_timeout_seconds:
            self._server.count("head_timeout")
            if self._parser.incoming is not None:  # answered already
                self._close()
            else:
                self._close(408, f"the request's head did not arrive within {settings.head_timeout_seconds:g} s")

    def abort(self) -> None:
        """Drop the connection, and what the client has not taken."""
        if self._transport is not None:
            self._transport.abort()

    def _close(self, status: int = 0, message: str = "") -> None:
        """Close once all is sent, after an answer to what is no request where a status is given."""
        self._closing = True
        if self._transport is None or self._transport.is_closing():
            return
        if status:
            call = Call("", None, "")
            call.code, body = str(status), orjson.dumps(call.error_body(message, status, ""))
            call.bytes_out = len(body)
            headers = [(b"content-type", b"application/json"), (b"x-request-id", call.id.encode())]
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                headers.append((b"retry-after", b"1"))
            parts = head(status, self._server.date_line(), headers, len(body), b"connection: close\r\n")
            self._transport.write(b"".join([*parts, body]))
            self._server.app.telemetry.finish(call)
        self._transport.close()

    def _update_reading(self) -> None:
        """Read on unless there is enough to do already, or nobody knows yet what to do with it."""
        if self._transport is None or self._transport.is_closing():
            return
        body = self._parser.incoming
        unasked = body is not None and not body.asked and body.held > _MAX_UNASKED_BYTES
        reading = not (len(self._waiting) >= _MOST_WAITING or self._resting or unasked or self._writable is not None)
        if reading is not self._reading:
            self._reading = reading
            (self._transport.resume_reading if reading else self._transport.pause_reading)()
