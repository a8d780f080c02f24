"""The HTTP listener: it takes connections, and ends them."""

import asyncio
import logging
import resource
import socket
import ssl
import time
from collections.abc import Callable

from predictors.serving.settings import ServerSettings
from predictors.serving.transport.connection import Connection
from predictors.serving.transport.connections import Connections
from predictors.serving.transport.sockets import BACKLOG

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.02
# For a client's part in ending TLS.
_GOODBYE_SECONDS = 1.0
# For answers to requests that were cancelled to leave, seconds.
_FLUSH_SECONDS = 0.5
# Files that are no connections: models, logs, gRPC, the event loop's own.
_OTHER_FILES = 256


class HttpListener:
    """The HTTP side of a server.

    Args:
        connections: will hold its connections.
        settings: for the limits.
    """

    def __init__(self, connections: Connections, settings: ServerSettings) -> None:
        self._connections = connections
        self._settings = settings
        self.ending = False
        """Whether requests are cancelled since the server ends."""

    async def start(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Take connections from now on.

        Args:
            listener: a listening socket, TCP or Unix.
            tls: encrypts them.
        """
        _allow_files(self._settings.max_connections + _OTHER_FILES)
        connections, loop = self._connections, asyncio.get_running_loop()
        connections.loop = loop
        connections.refresh_date()
        create = loop.create_unix_server if listener.family == socket.AF_UNIX else loop.create_server
        self._server = await create(
            lambda: Connection(connections),
            sock=listener,
            backlog=BACKLOG,
            ssl=tls,
            ssl_handshake_timeout=self._settings.head_timeout_seconds if tls else None,
            ssl_shutdown_timeout=_GOODBYE_SECONDS if tls else None,
        )
        self._sweeping = asyncio.create_task(connections.sweep_regularly())

    def drain(self) -> None:
        """Have each answer be the last of its connection."""
        self._connections.draining = True
        for connection in self._open():
            connection.drain()

    async def stop(self, grace_seconds: float, hurry: Callable[[], bool]) -> None:
        """Take no more connections, let running requests end, and cut off what then is left.

        Args:
            grace_seconds: the longest wait for requests.
            hurry: polled; true ends the wait.
        """
        self._server.close()
        for connection in self._open():
            connection.shutdown()
        await self._drained(grace_seconds, hurry)
        self.ending = True
        for connection in self._open():
            connection.cancel()
        await self._drained(_FLUSH_SECONDS, lambda: False)
        for connection in self._open():
            connection.abort()
        self._sweeping.cancel()

    def _open(self) -> list[Connection]:
        return [each for each in self._connections.state.connections if isinstance(each, Connection)]

    async def _drained(self, seconds: float, hurry: Callable[[], bool]) -> None:
        ends = time.monotonic() + seconds
        while self._connections.state.connections and not hurry() and time.monotonic() < ends:
            await asyncio.sleep(_POLL_SECONDS)


def _allow_files(count: int) -> None:
    """Raise the limit of this process's open files, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < count:
        logger.warning("this process may open %d files; --max_connections asks for %d", wanted, count)
