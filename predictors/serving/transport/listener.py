"""The HTTP listener: its connections, how many there may be, how long they may take, and their end."""

import asyncio
import logging
import resource
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import orjson
from uvicorn.config import Config
from uvicorn.server import ServerState

from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.transport.connection import Connection

logger = logging.getLogger(__name__)

BACKLOG = 2048
_POLL_SECONDS = 0.02
# For answers to requests that were cancelled to leave, seconds.
_FLUSH_SECONDS = 0.5
# Files that are no connections: models, logs, gRPC, the event loop's own.
_OTHER_FILES = 256


class HttpListener:
    """The HTTP side of a server.

    Args:
        app: the ASGI application.
        settings: for the limits.
        metrics: where connections are counted.
        new_call: makes the record of what is no request, such as a head that is not HTTP.
        finished: is told of such a record when it is answered.
    """

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
        self._settings = settings
        self._new_call = new_call
        self._finished = finished
        self._ended = metrics.connections_ended
        # Connections that are waited for, and since when, seconds on the clock of `time.monotonic`; the oldest first.
        self.idle: OrderedDict[Connection, float] = OrderedDict()
        """Nothing is under way on them."""
        self.heads: OrderedDict[Connection, float] = OrderedDict()
        """A part of a head has come, or the rest of an answered request's body is still coming."""
        # Clients that take nothing: since when, and bytes unsent then.
        self._stalled: OrderedDict[Connection, tuple[float, int]] = OrderedDict()
        self._swept = time.monotonic()
        metrics.connections.set_function(lambda: len(self.state.connections))

    async def start(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Take connections from now on.

        Args:
            listener: a listening socket, TCP or Unix.
            tls: encrypts them.
        """
        _allow_files(self._settings.max_connections + _OTHER_FILES)
        self.loop = asyncio.get_running_loop()
        self._refresh_date()
        create = self.loop.create_unix_server if listener.family == socket.AF_UNIX else self.loop.create_server
        self._server = await create(
            lambda: Connection(self),
            sock=listener,
            backlog=BACKLOG,
            ssl=tls,
            ssl_handshake_timeout=self.head_timeout_seconds if tls else None,
        )
        self._sweeping = asyncio.create_task(self._sweep_regularly())

    async def stop(self, grace_seconds: float, hurry: Callable[[], bool]) -> None:
        """Take no more connections, let running requests end, and cut off what then is left.

        Args:
            grace_seconds: the longest wait for requests.
            hurry: polled; true ends the wait.
        """
        self._server.close()
        for connection in self._connections():
            connection.shutdown()
        await self._drained(grace_seconds, hurry)
        for connection in self._connections():
            connection.cancel()
        await self._drained(_FLUSH_SECONDS, lambda: False)
        for connection in self._connections():
            connection.transport.abort()
        self._sweeping.cancel()

    def _connections(self) -> list[Connection]:
        return [each for each in self.state.connections if isinstance(each, Connection)]

    async def _drained(self, seconds: float, hurry: Callable[[], bool]) -> None:
        ends = time.monotonic() + seconds
        while self.state.connections and not hurry() and time.monotonic() < ends:
            await asyncio.sleep(_POLL_SECONDS)

    # Connections call these.

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

    def watch(self, connection: Connection, queue: OrderedDict[Connection, float] | None) -> None:
        """Move a connection to the end of `idle` or `heads`, unless it is there already, or out of both."""
        if connection.queue is queue:
            return
        if connection.queue is not None:
            del connection.queue[connection]
        if queue is not None:
            queue[connection] = time.monotonic()
        connection.queue = queue

    def stall(self, connection: Connection) -> None:
        """Its client takes nothing."""
        self._stalled.setdefault(connection, (time.monotonic(), connection.unsent))

    def flowing(self, connection: Connection) -> None:
        """Its client has taken enough."""
        self._stalled.pop(connection, None)

    def forget(self, connection: Connection) -> None:
        """It has ended."""
        self.watch(connection, None)
        self.flowing(connection)

    def refusal(self, status: int, message: str) -> tuple[str, bytes]:
        """Account for what is no request; gives the id and the body of the answer to it."""
        call = self._new_call()
        body = orjson.dumps(call.error_body(message, status, ""))
        call.code, call.bytes_out = str(status), len(body)
        self._finished(call)
        return call.id, body

    # Time.

    async def _sweep_regularly(self) -> None:
        settings = self._settings
        interval = min(settings.keep_alive_seconds, settings.head_timeout_seconds, settings.write_timeout_seconds) / 4
        while True:
            await asyncio.sleep(min(interval, 1.0))
            self._refresh_date()
            try:
                self._sweep(time.monotonic())
            except Exception:
                logger.exception("looking after the connections failed")

    def _refresh_date(self) -> None:
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
            if connection.unsent != unsent:
                self._stalled[connection] = now, connection.unsent  # it has taken something
            elif unsent:
                self._count("write_timeout")
                connection.transport.abort()
        self._swept = now

    def _find_stalled(self) -> None:
        """Find idle connections whose client has not taken an answer too small to pause writing; each is seen once."""
        for connection in reversed(self.idle):
            if self.idle[connection] < self._swept:
                break
            if connection.unsent:
                self.stall(connection)

    def _expired(self, queue: OrderedDict[Connection, float], before: float) -> list[Connection]:
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


def _allow_files(count: int) -> None:
    """Raise the limit of this process's open files, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < count:
        logger.warning("this process may open %d files; --max_connections asks for %d", wanted, count)
