"""A listener on the loopback interface in this process, and an application that echoes requests."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import orjson
import uvloop
from prometheus_client import CollectorRegistry

from predictors.serving.errors import InvalidInput
from predictors.serving.protocols.http import AsgiApp, Header, Receive, Request, Scope, Send
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.call import Call, RequestIds
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.transport.connections import Connections
from predictors.serving.transport.listener import HttpListener
from tests.unit.serving.transport.client import Client, turns

T = TypeVar("T")

# Generous, since machines may be busy: a test must fail for what happened, not for when.
PATIENCE_SECONDS = 60.0
_MAX_BODY_BYTES = 2**20


async def respond(send: Send, body: bytes = b"", status: int = 200, headers: Iterable[Header] = ()) -> None:
    """Send a complete response."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with a description of the request; 400 if the body is not valid HTTP."""
    request = Request(scope, RequestIds().choose, _MAX_BODY_BYTES)
    request.receive, request.deadline = receive, time.monotonic() + PATIENCE_SECONDS
    try:
        body = await request.body()
    except InvalidInput as error:
        await respond(send, str(error).encode(), 400)
        return
    asked = {name: scope[name] for name in ("method", "path", "http_version")}
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    query = scope["query_string"].decode()
    await respond(send, orjson.dumps({**asked, "query": query, "body": body.decode("latin-1"), "headers": headers}))


class TlsSides(NamedTuple):
    """The TLS contexts of a server and its clients."""

    server: ssl.SSLContext
    client: ssl.SSLContext


class Loopback:
    """A running listener, and the loop that it runs on.

    Args:
        app: the application.
        send_buffer: size of the server sockets' send buffers, bytes; 0 is the system default.
        tls: contexts for TLS; None is plain text.
        settings: server settings that differ from the defaults.
    """

    def __init__(
        self, app: AsgiApp = echo, *, send_buffer: int = 0, tls: TlsSides | None = None, **settings: Any
    ) -> None:
        self._tls = tls
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.refused: list[Call] = []
        """Calls that never reached the application."""
        server_settings, ids = ServerSettings(**settings), RequestIds()
        self.connections = Connections(
            app, server_settings, self.metrics, lambda: Call(ids.choose(None), ""), self.refused.append
        )
        self.listener = HttpListener(self.connections, server_settings)
        self._socket = socket.create_server(("127.0.0.1", 0))
        if send_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        self._socket.setblocking(False)
        self.address: tuple[str, int] = self._socket.getsockname()
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)

    def run(self, scenario: Coroutine[Any, Any, T]) -> T:
        """Run a scenario on the listener's loop."""
        return self._runner.run(asyncio.wait_for(scenario, PATIENCE_SECONDS))

    def __enter__(self) -> "Loopback":
        self.run(self.listener.start(self._socket, self._tls.server if self._tls else None))
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.listener.stop(0, lambda: True))
        self._runner.close()
        self._socket.close()

    @asynccontextmanager
    async def client(self, receive_buffer: int = 0) -> AsyncIterator[Client]:
        """Open a connection until the block ends.

        Args:
            receive_buffer: size of the client socket's receive buffer, bytes; 0 is the system default.
        """
        raw = socket.socket()
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            raw.connect(self.address)
        except OSError:
            raw.close()
            raise
        raw.setblocking(False)
        context, name = (self._tls.client, "localhost") if self._tls else (None, None)
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(Client, sock=raw, ssl=context, server_hostname=name)
        try:
            yield client
        finally:
            client.transport.abort()
            await turns()

    @property
    def open(self) -> int:
        """Number of open connections."""
        return int(self.registry.get_sample_value("http_connections") or 0)

    def ended(self, reason: str) -> int:
        """Number of connections that the server has ended for a reason."""
        return int(self.registry.get_sample_value("http_connections_ended_total", {"reason": reason}) or 0)
