"""The HTTP server: its connections, how many there may be, and their end."""

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import TYPE_CHECKING

from predictors.serving.transport.http_protocol import HttpProtocol
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.settings import ServerSettings

if TYPE_CHECKING:
    from predictors.serving.app.rest import RestApp

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.02
# For answers to requests that were ended to leave, seconds.
_FLUSH_SECONDS = 0.5
# Files that are no connections: models, logs, gRPC, the event loop's own.
_OTHER_FILES = 256


class HttpServer:
    """The HTTP side of a server.

    Args:
        app: answers the requests.
        settings: for the limits.
        metrics: where connections are counted.
    """

    def __init__(self, app: "RestApp", settings: ServerSettings, metrics: Metrics) -> None:
        self.app = app
        self.settings = settings
        self.closing = False
        self.queued = 0
        """Requests that wait for the event loop to begin with them."""
        self.most_queued = app.least_queue
        """From so many on, some model may have too many."""
        self.held = 0
        """Bytes of requests' bodies in memory."""
        self._connections: dict[HttpProtocol, None] = {}  # in the order in which they came
        self._ended = metrics.connections_ended
        self._date, self._date_line = 0, b""
        metrics.connections.set_function(lambda: len(self._connections))
        metrics.bytes_held.set_function(lambda: self.held)

    async def start(self, listener: socket.socket) -> None:
        """Take connections from now on."""
        _allow_files(self.settings.max_connections + _OTHER_FILES)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: HttpProtocol(self), sock=listener, backlog=2048)
        self._sweeping = asyncio.create_task(self._sweep())

    async def stop(self, grace_seconds: float, hurry: Callable[[], bool]) -> None:
        """Take no more connections, let the requests under way end, and end what then is left.

        Args:
            grace_seconds: how long to wait for requests at the most.
            hurry: asked again and again whether to wait no longer.
        """
        self.closing = True
        self._listener.close()
        for connection in list(self._connections):
            connection.finish()
        await self._drained(grace_seconds, hurry)
        for connection in list(self._connections):
            connection.cancel()
        await self._drained(_FLUSH_SECONDS, lambda: False)
        for connection in list(self._connections):
            connection.abort()
        self._sweeping.cancel()

    async def _drained(self, seconds: float, hurry: Callable[[], bool]) -> None:
        ends = time.monotonic() + seconds
        while self._connections and not hurry() and time.monotonic() < ends:
            await asyncio.sleep(_POLL_SECONDS)

    def admit(self, connection: HttpProtocol) -> bool:
        """Add a connection; for one too many an idle one is closed, or it is refused if there is none."""
        if len(self._connections) >= self.settings.max_connections:
            idle = next((other for other in self._connections if other.evictable), None)
            self.count("refused" if idle is None else "evicted")
            if idle is None:
                return False
            idle.finish()
        self._connections[connection] = None
        return True

    def forget(self, connection: HttpProtocol) -> None:
        """A connection has ended."""
        self._connections.pop(connection, None)

    def count(self, reason: str) -> None:
        """Count a connection that the server ended."""
        self._ended.labels(reason).value += 1

    def date_line(self) -> bytes:
        """The header that says what time it is."""
        now = int(time.time())
        if now != self._date:
            self._date, self._date_line = now, f"date: {formatdate(now, usegmt=True)}\r\n".encode()
        return self._date_line

    async def _sweep(self) -> None:
        settings = self.settings
        interval = min(settings.keep_alive_seconds, settings.head_timeout_seconds, settings.write_timeout_seconds) / 4
        while True:
            await asyncio.sleep(min(interval, 1.0))
            now = time.monotonic()
            for connection in list(self._connections):
                try:
                    connection.check(now)
                except Exception:
                    logger.exception("checking a connection failed")


def _allow_files(count: int) -> None:
    """Raise the number of files that this process may open, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < count:
        logger.warning("this process may open %d files; --max_connections asks for %d", wanted, count)
