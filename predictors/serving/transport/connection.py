"""One HTTP/1.1 connection: Uvicorn's, with the bounds that it lacks.

Uvicorn parses, runs the application, writes the answers and pauses reading while nobody asks for a body. Added here:

- Time limits for a request's head and for a client that takes nothing of its answer. A connection is always in at most
  one of two queues, which are ordered by time, so that watching it costs the same however many there are.
- Heads are bounded, and those that RFC 9112 forbids are refused: they may be meant to smuggle a second request.
- A client that leaves cancels the work for it.
- Errors in HTTP itself are answered after the answers to the requests before them, in the form of all other errors.
- Offers to upgrade (h2c, which some clients send with every first request) are declined without losing the body.
- A connection that is to end after an early answer takes in the rest of the body first. Closing it at once would reset
  it, and the client would not see the answer.
"""

import asyncio
import logging
from collections import deque
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from predictors.serving.protocols.http import CONNECTION
from predictors.serving.transport.connections import Connections, Queue
from predictors.serving.transport.exchange import MOST_PIPELINED, Exchange, Flow, Transport, new_scope, response_head
from predictors.serving.transport.request_head import (
    MAX_HEAD_BYTES,
    check_head,
    head_bytes,
    head_of_body,
)

logger = logging.getLogger(__name__)

# Parsed at once.
_SLICE_BYTES = 4096
# Read of a body after its answer, before the connection is closed.
_MAX_DISCARDED_BYTES = 64 * 2**20
# How long a connection is not read after its request was refused for overload, seconds.
_PAUSE_SECONDS = 0.1
_TOO_LARGE = f"the request's head is too large; at most {MAX_HEAD_BYTES} bytes are allowed"


class Connection(HttpToolsProtocol):
    """One connection.

    Args:
        connections: all of the listener's.
    """

    # With more than thirty attributes in its dictionary, CPython no longer caches the look-up of an object's methods.
    __slots__ = (
        "_begun",
        "_connections",
        "_discarded",
        "_ended",
        "_fields",
        "_hurries",
        "_idle",
        "_in_head",
        "_large",
        "_last_words",
        "_receiving",
        "_resuming",
        "_running",
        "_task",
        "_unparsed",
        "_upgrading",
        "ahead",
        "extensions",
        "paused",
        "queue",
        "unfed",
    )

    transport: Transport  # type: ignore[assignment]  # what Uvicorn uses of a transport
    cycle: Exchange | None  # type: ignore[assignment]  # the last request whose head has been read
    flow: Flow
    pipeline: deque[Exchange]  # type: ignore[assignment]  # requests that wait for the one that is being answered

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections.config, connections.state, {}, connections.loop)
        self.parser = httptools.HttpRequestParser(self)  # Uvicorn's lets data follow the last request
        self._connections = connections
        self.extensions = {CONNECTION: self}
        # The request that is being answered.
        self._running: Exchange | None = None
        self._begun = False  # whether the application has been called for it
        self._task: asyncio.Task[None] | None = None  # answers all requests, from the first on
        self._idle: asyncio.Future[None] | None = None  # what the task waits for between two requests
        # What is being read.
        self._receiving = False  # between a request's first byte and its last
        self._in_head = False
        self.url, self.headers = b"", []
        self._fields: dict[bytes, bytes] = {}  # of the last head
        self._unparsed = 0  # bytes since the parser last made something of them
        self._large = False  # whether what has come may hold too large a head
        self.unfed = b""
        """What has been read and waits to be parsed."""
        self._upgrading = False  # the request offers to go on in another protocol
        self._resuming = False  # after such an offer
        self._discarded = 0
        # How it ends.
        self._ended = False  # nothing that follows what is being read will be answered
        self._hurries = False  # nor will the rest of a body be waited for
        self._last_words: tuple[int, str] | None = None
        self.paused = False
        """Whether nothing is read for a while."""
        self.queue: Queue | None = None
        """The queue of `Connections` that it is in."""
        self.ahead = 0
        """Requests that waited for the event loop when the running one arrived."""

    # The event loop calls these.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as Uvicorn has it
        """Take the connection, if there is room."""
        if not self._connections.admit():
            self.transport = Transport(transport, self)
            self._refuse(503, "the server has too many connections; try again later")
            return
        super().connection_made(transport)
        self.transport, self.flow = Transport(transport, self), Flow(transport, self)
        self.settle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop working for a client that has left."""
        running, self._running = self._running, None
        self._connections.forget(self)
        self.connections.discard(self)
        if self.flow is not None:
            self.flow.resume_writing()
        if running is not None:
            running.disconnected = True
            if not self._begun:
                self._connections.waiting -= 1
                self.pipeline.append(running)
        if self._task is not None:
            self._task.cancel()
        while self.pipeline:
            self._connections.lose(self.pipeline.pop().scope["path"])

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._ended and not self._receiving:
            return
        if self.unfed or len(data) > _SLICE_BYTES:
            self.unfed += data
            self._feed()
        else:
            self._parse(data)
        self.settle()

    def _feed(self) -> None:
        """Parse what has been read, a slice at a time, while few enough requests wait: a read may hold thousands."""
        unfed, at = memoryview(self.unfed), 0
        while at < len(unfed) and len(self.pipeline) < MOST_PIPELINED and (self._receiving or not self._ended):
            self._parse(unfed[at : at + _SLICE_BYTES])
            at += _SLICE_BYTES
        self.unfed = bytes(unfed[at:]) if self._receiving or not self._ended else b""
        if self.unfed:
            self.flow.pause_reading()

    def _parse(self, rest: bytes | memoryview) -> None:
        self._unparsed += len(rest)
        self._large = self._in_head or self._unparsed > MAX_HEAD_BYTES
        while rest:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                rest = memoryview(rest)[offer.args[0] :]
                self._decline_upgrade()
                continue
            except httptools.HttpParserError as error:
                _log_unforeseen(error)
                self._break()
            else:
                if self._unparsed > MAX_HEAD_BYTES:
                    self._break()
            break

    def pause_writing(self) -> None:
        """Write nothing more until the client takes what there is."""
        super().pause_writing()
        self._connections.stall(self)

    def resume_writing(self) -> None:
        """Go on."""
        self._connections.flowing(self)
        super().resume_writing()

    # The parser calls these.

    def on_message_begin(self) -> None:
        """A head begins."""
        if self._resuming:
            return
        if self._ended:
            raise ValueError("no request may follow")
        self._receiving = self._in_head = True
        self._discarded = 0
        self.url, self.headers = b"", []

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        if not self._resuming:
            self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; a trailer is dropped."""
        if self._in_head:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """A head is here: answer the request, or queue it behind the one that is being answered."""
        if self._resuming:
            self._resuming = False
            return
        parser, version = self.parser, self.parser.get_http_version()
        fields = self._fields = dict(reversed(self.headers))
        check_head(version, self.headers, fields)
        if self._large and head_bytes(self.url, self.headers) > MAX_HEAD_BYTES:
            raise ValueError("too large")
        self.scope = new_scope(self, version)
        self._in_head, self._unparsed = False, 0  # what is raised above is the head's fault
        self._upgrading = parser.should_upgrade()
        keep_alive = parser.should_keep_alive() and not self._connections.draining
        if version == "1.0" and b"transfer-encoding" in fields:
            keep_alive = False
        self._ended = not keep_alive
        self.expect_100_continue = version != "1.0" and fields.get(b"expect", b"").lower() == b"100-continue"
        last, self.cycle = self.cycle, Exchange(self, keep_alive)
        if last is None or last.response_complete:
            self._start(self.cycle)
        else:
            self.pipeline.appendleft(self.cycle)
            if len(self.pipeline) >= MOST_PIPELINED:
                self.flow.pause_reading()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._unparsed = 0
        cycle = self.cycle
        assert cycle is not None  # noqa: S101  # it is whose body this is
        if cycle.response_complete:
            self._discarded += len(body)
            if self._discarded > _MAX_DISCARDED_BYTES:
                self.transport.close_now()
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.wake()

    def on_message_complete(self) -> None:
        """A request is all here."""
        if self._upgrading:  # as the parser sees it; its body follows
            return
        self._unparsed = 0
        self._receiving = False
        cycle = self.cycle
        assert cycle is not None  # noqa: S101  # it is what is complete
        cycle.more_body = False
        cycle.wake()
        if self._ended:
            self._end_if_done()

    def _decline_upgrade(self) -> None:
        """Go on in HTTP/1.1: to take no notice of an offer is to decline it (RFC 9110, 7.8).

        The parser takes the request for complete and what follows for another protocol, so a new one is made, and told
        which body to expect.
        """
        self._upgrading, self._resuming = False, True
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(head_of_body(self._fields))

    def _break(self) -> None:
        """Nothing that follows can be understood."""
        cycle = self.cycle
        if self._receiving and not self._in_head and cycle is not None:
            cycle.broken, cycle.keep_alive = True, False
            cycle.wake()  # whoever waits for the body finds out
        elif not self._ended:
            large = max(head_bytes(self.url, self.headers), self._unparsed) > MAX_HEAD_BYTES
            self._last_words = (431, _TOO_LARGE) if large else (400, "the request is not valid HTTP/1.1")
        self._ended, self._receiving = True, False
        self._end_if_done()

    # The way of a request.

    def _start(self, exchange: Exchange) -> None:
        """Have the connection's task answer a request when its turn comes."""
        self._running = exchange
        self.ahead = self._connections.waiting
        self._connections.waiting += 1
        if self._task is None:
            self._task = self.loop.create_task(self._answer_all())
        elif self._idle is not None:
            self._idle.set_result(None)

    async def _answer_all(self) -> None:
        """Answer one request after the other: a task per connection is cheaper than one per request."""
        while (exchange := self._running) is not None:
            self._connections.waiting -= 1
            self._begun = True
            await exchange.run(self.app)
            if self._running is exchange:  # the application has failed to answer
                self.transport.close_now()
                return
            self._begun = False
            if self._running is not None:  # a pipelined one, which waits for its turn like all others
                await asyncio.sleep(0)
            elif not self.transport.is_closing():
                self._idle = self.loop.create_future()
                await self._idle
                self._idle = None

    def on_response_complete(self) -> None:
        """An answer is written: begin with the next request, or wait for one."""
        self._running = None
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start(self.pipeline.pop())
        if self.unfed:
            self._feed()
        if self._running is None:
            self._end_if_done()
        self.flow.resume_reading()
        self.settle()

    def pause(self) -> None:
        """Read nothing for a while: a client that comes back at once takes time from those that are served."""
        self.paused = True
        self.flow.pause_reading()
        self.loop.call_later(_PAUSE_SECONDS, self._unpause)

    def _unpause(self) -> None:
        self.paused = False
        if not self.transport.is_closing():
            self.flow.resume_reading()

    @property
    def body_is_here(self) -> bool:
        """Whether the whole body of the request that is being answered has come."""
        return self._running is not None and not self._running.more_body

    @property
    def body_is_broken(self) -> bool:
        """Whether the body of the request that is being answered is not valid HTTP."""
        return self._running is not None and self._running.broken

    # The end of a connection.

    @property
    def unsent(self) -> int:
        """Bytes that the client has not taken."""
        return self.transport.get_write_buffer_size()

    def settle(self) -> None:
        """Be in the queue for what is waited for."""
        connections = self._connections
        if self._running is not None or self.transport.is_closing():
            connections.watch(self, None)
        elif self._receiving or self._unparsed:
            connections.watch(self, connections.heads)
        else:
            connections.watch(self, connections.idle)

    def closing(self) -> None:
        """See to it that a client that takes nothing more does not keep its place."""
        if self.unsent:
            self._connections.stall(self)

    def linger(self) -> bool:
        """Whether to take in the rest of a body before closing."""
        return self._ended and self._receiving and not self._hurries and not self.transport.is_closing()

    def shutdown(self) -> None:
        """End after the request that is being answered."""
        self._ended = self._hurries = True
        self.unfed = b""
        if self._running is None:
            self.transport.close_now()
        else:
            self._running.keep_alive = False

    def drain(self) -> None:
        """Let no request follow those whose heads have come."""
        if self._running is not None and self.cycle is not None and not self._in_head:
            self._ended, self.cycle.keep_alive = True, False

    def abort(self) -> None:
        """Drop it, and what the client has not taken."""
        self.transport.abort()

    def cancel(self) -> None:
        """Stop answering."""
        if self._task is not None and self._begun:
            self._task.cancel()

    def head_timed_out(self) -> None:
        """Give up a client that takes too long to send."""
        if self._receiving and not self._in_head:  # answered already
            self.transport.close_now()
        else:
            self._refuse(408, f"the request's head did not arrive within {self._connections.head_timeout_seconds:g} s")

    def _end_if_done(self) -> None:
        """Close, once nothing is left to answer or to read."""
        if not self._ended or self._running is not None or self.pipeline or (self._receiving and not self._hurries):
            return
        if self._last_words is not None:
            self._refuse(*self._last_words)
        else:
            self.transport.close_now()

    def _refuse(self, status: int, message: str) -> None:
        """Answer what is no request, and close."""
        self._ended, self._receiving = True, False
        if self.transport.is_closing():
            return
        request_id, body = self._connections.refusal(status, message)
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"x-request-id", request_id.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append((b"retry-after", b"1"))
        self.transport.write(response_head(status, headers) + body)
        self.transport.close_now()


def _log_unforeseen(error: httptools.HttpParserError) -> None:
    """Log what a callback raised by mistake; what it raises on purpose is a ValueError."""
    cause = error.__context__
    if isinstance(error, httptools.HttpParserCallbackError) and not isinstance(
        cause, (ValueError, httptools.HttpParserError)
    ):
        logger.error("reading a request failed", exc_info=cause)
