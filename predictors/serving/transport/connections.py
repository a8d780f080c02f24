"""All connections of a listener: how many there may be, and how long their clients may take."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, Protocol, TypeAlias

import orjson
from uvicorn.config import Config
from uvicorn.server import ServerState

from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.call import CLIENT_CLOSED_REQUEST, Call
from predictors.serving.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

# A process that wakes so much later than it asked for was suspended, as Cloud Run suspends one between two requests.
_SUSPENDED_SECONDS = 1.0


class Watched(Protocol):
    """What is asked of a connection here."""

    queue: "Queue | None"

    @property
    def unsent(self) -> int:
        """Bytes that the client has not taken."""

    def shutdown(self) -> None:
        """End after the request that is being answered."""

    def head_timed_out(self) -> None:
        """Give up a client that takes too long to send."""

    def settle(self) -> None:
        """Be in the queue for what is waited for."""

    def abort(self) -> None:
        """Drop it, and what the client has not taken."""


Queue: TypeAlias = OrderedDict[Watched, float]
"""Connections, and since when they are waited for: seconds on the clock of `time.monotonic`, the oldest first."""


class Connections:
    """Connections, what they share, and the limits of number and time.

    Args:
        app: the ASGI application.
        settings: for the limits.
        metrics: where connections are counted.
        new_call: makes the record of what is no request, such as a head that is not HTTP.
        finished: is told of such a record when it is answered.
    """

    loop: asyncio.AbstractEventLoop

    def __init__(
        self,
        app: Any,
        settings: ServerSettings,
        metrics: Metrics,
        new_call: Callable[[], Call],
        finished: Callable[[Call], None],
    ) -> None:
        self.config = Config(
            app, interface="asgi3", lifespan="off", ws="none", proxy_headers=False, access_log=False, log_config=None
        )
        self.config.load()
        self.state = ServerState()
        self.draining = False
        """Whether each answer is the last of its connection."""
        self.waiting = 0
        """Requests that wait for the event loop to begin with them."""
        self.head_timeout_seconds = settings.head_timeout_seconds
        self.idle: Queue = OrderedDict()
        """Nothing is under way on them."""
        self.heads: Queue = OrderedDict()
        """A part of a head has come, or the rest of an answered request's body is still coming."""
        # Clients that take nothing: since when, and bytes unsent then.
        self._stalled: OrderedDict[Watched, tuple[float, int]] = OrderedDict()
        self._swept = time.monotonic()
        self._settings = settings
        self._new_call = new_call
        self._finished = finished
        self._ended = metrics.connections_ended
        metrics.connections.set_function(lambda: len(self.state.connections))

    def admit(self) -> bool:
        """Make room for a connection, by closing the one that has been idle for the longest; false if none is idle."""
        if len(self.state.connections) < self._settings.max_connections:
            return True
        while self.idle:
            connection = next(iter(self.idle))
            self.watch(connection, None)
            if connection.unsent:
                self.stall(connection)
                continue
            self._count("evicted")
            connection.shutdown()
            return True
        self._count("refused")
        return False

    def watch(self, connection: Watched, queue: Queue | None) -> None:
        """Move a connection to the end of `idle` or `heads`, unless it is there already, or out of both."""
        if connection.queue is queue:
            return
        if connection.queue is not None:
            del connection.queue[connection]
        if queue is not None:
            queue[connection] = time.monotonic()
        connection.queue = queue

    def stall(self, connection: Watched) -> None:
        """Its client takes nothing."""
        self._stalled.setdefault(connection, (time.monotonic(), connection.unsent))

    def flowing(self, connection: Watched) -> None:
        """Its client has taken most of it."""
        self._stalled.pop(connection, None)
        if connection.unsent:
            self.stall(connection)

    def forget(self, connection: Watched) -> None:
        """It has ended."""
        self.watch(connection, None)
        self._stalled.pop(connection, None)

    def refusal(self, status: int, message: str) -> tuple[str, bytes]:
        """Account for what is no request; gives the id and the body of the answer to it."""
        call = self._new_call()
        body = orjson.dumps(call.error_body(message, status, ""))
        call.code, call.bytes_out = str(status), len(body)
        self._finished(call)
        return call.id, body

    def lose(self, path: str) -> None:
        """Account for a request whose client left before its turn came."""
        call = self._new_call()
        call.path, call.code = path, CLIENT_CLOSED_REQUEST
        self._finished(call)

    # Time.

    async def sweep_regularly(self) -> None:
        """Give up clients that keep the server waiting, for ever."""
        settings = self._settings
        interval = min(settings.keep_alive_seconds, settings.head_timeout_seconds, settings.write_timeout_seconds) / 4
        while True:
            due = time.monotonic() + min(interval, 1.0)
            await asyncio.sleep(due - time.monotonic())
            self.refresh_date()
            now = time.monotonic()
            if now - due > _SUSPENDED_SECONDS:
                continue  # what clients have sent meanwhile is still unread; it is not they who kept the server waiting
            try:
                self._sweep(now)
            except Exception:
                logger.exception("looking after the connections failed")

    def refresh_date(self) -> None:
        """Set the header that says what time it is; it is the same for all answers of a second."""
        self.state.default_headers = [(b"date", formatdate(usegmt=True).encode())]

    def _sweep(self, now: float) -> None:
        """Give up clients that have kept the server waiting for too long. Looks at no connection that has not."""
        self._find_stalled()
        for connection in self._expired(self.idle, now - self._settings.keep_alive_seconds):
            connection.shutdown()
        for connection in self._expired(self.heads, now - self._settings.head_timeout_seconds):
            self._count("head_timeout")
            connection.head_timed_out()
        while self._stalled:
            connection, (since, unsent) = next(iter(self._stalled.items()))
            if now - since <= self._settings.write_timeout_seconds:
                break
            del self._stalled[connection]
            left = connection.unsent
            if not left:
                connection.settle()
            elif left != unsent:
                self._stalled[connection] = now, left  # it has taken something
            else:
                self._count("write_timeout")
                connection.abort()
        self._swept = now

    def _find_stalled(self) -> None:
        """Find idle connections whose client has not taken an answer too small to pause writing; each is seen once."""
        for connection in reversed(self.idle):
            if self.idle[connection] < self._swept:
                break
            if connection.unsent:
                self.stall(connection)

    def _expired(self, queue: Queue, before: float) -> list[Watched]:
        """Take what has waited since before a time out of a queue."""
        expired = []
        while queue:
            connection, since = next(iter(queue.items()))
            if since >= before:
                break
            self.watch(connection, None)
            expired.append(connection)
        return expired

    def _count(self, reason: str) -> None:
        self._ended.labels(reason).value += 1
