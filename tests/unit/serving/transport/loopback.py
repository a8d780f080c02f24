"""A listener on the loopback interface in this process, an application that says what it was asked, and a client."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
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

T = TypeVar("T")

# Generous, since machines may be busy: a test must fail for what happened, not for when.
PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.005
_MAX_BODY_BYTES = 2**20


def get(path: str = "/", *headers: str, version: str = "1.1") -> bytes:
    """A request without a body."""
    lines = (f"GET {path} HTTP/{version}", "host: x", *headers)
    return "\r\n".join((*lines, "\r\n")).encode()


def post(path: str, length: int, *headers: str) -> bytes:
    """The head of a request with a body."""
    lines = (f"POST {path} HTTP/1.1", "host: x", f"content-length: {length}", *headers)
    return "\r\n".join((*lines, "\r\n")).encode()


async def respond(send: Send, body: bytes = b"", status: int = 200, headers: Iterable[Header] = ()) -> None:
    """Send a whole answer."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what was asked; 400 if the body is not valid HTTP."""
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


async def turns(count: int = 3) -> None:
    """Let the event loop turn, so that the server reads what was sent; the loopback interface itself is instant."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition."""
    while not condition():
        await asyncio.sleep(_POLL_SECONDS)


class Answer(NamedTuple):
    """One answer; the names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        """What `echo` was asked, all of it."""
        assert self.status == 200, self
        return orjson.loads(self.body)

    @property
    def asked(self) -> tuple[str, str, bytes]:
        """What `echo` was asked: the method, the path and the body."""
        told = self.told
        return told["method"], told["path"], told["body"].encode("latin-1")

    @property
    def closes(self) -> bool:
        """Whether it says that it is the last of its connection."""
        return self.headers.get("connection") == "close"


class Client(asyncio.Protocol):
    """One connection to the listener."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.ended = False
        """Whether the server has closed the connection."""
        self.received = bytearray()
        """What has come and was not read yet."""
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        self.received += data
        self._news.set()

    def eof_received(self) -> bool:
        self.ended = True
        self._news.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.eof_received()

    async def send(self, *segments: bytes) -> None:
        """Send segments one by one, each once the server has read the last, until it has had enough."""
        for segment in segments:
            if self.ended:
                return
            self.transport.write(segment)
            await turns()

    async def answer(self, *, to_head: bool = False) -> Answer:
        """Read one answer.

        Args:
            to_head: whether the request was HEAD, so that no body follows.
        """
        status_line, *lines = (await self._take_until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        assert len(headers) == len(lines), "a header stands twice"
        return Answer(int(status), headers, b"" if to_head or status == "100" else await self._body(headers))

    async def answers(self, count: int) -> list[Answer]:
        """Read some answers."""
        return [await self.answer() for _ in range(count)]

    async def rest(self) -> bytes:
        """What comes until the server closes."""
        while not self.ended:
            await self._more()
        return bytes(self.received)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            assert "transfer-encoding" not in headers
            return await self._take(int(headers["content-length"]))
        assert headers["transfer-encoding"] == "chunked"
        body = b""
        while size := int(await self._take_until(b"\r\n"), 16):
            body += await self._take(size)
            assert await self._take(2) == b"\r\n"
        assert await self._take(2) == b"\r\n"
        return body

    async def _take_until(self, end: bytes) -> bytes:
        while end not in self.received:
            await self._more()
        text, _, self.received = self.received.partition(end)
        return bytes(text)

    async def _take(self, count: int) -> bytes:
        while len(self.received) < count:
            await self._more()
        text, self.received = self.received[:count], self.received[count:]
        return bytes(text)

    async def _more(self) -> None:
        assert not self.ended, f"the server closed the connection; it sent {bytes(self.received)!r}"
        self._news.clear()
        await self._news.wait()


class TlsSides(NamedTuple):
    """TLS as a server and its clients speak it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


class Loopback:
    """A running listener, and the loop that it runs on.

    Args:
        app: the application.
        send_buffer: of the server's sockets, bytes; 0 is the system's default.
        tls: the sides of the server and of its clients, which then speak TLS.
        settings: the server's, apart from the defaults.
    """

    def __init__(
        self, app: AsgiApp = echo, *, send_buffer: int = 0, tls: TlsSides | None = None, **settings: Any
    ) -> None:
        self._tls = tls
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.refused: list[Call] = []
        """Records of what never reached the application."""
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
            receive_buffer: of the client's socket, bytes; 0 is the system's default.
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
        tls = {"ssl": self._tls.client, "server_hostname": "localhost"} if self._tls else {}
        _, client = await asyncio.get_running_loop().create_connection(Client, sock=raw, **tls)
        try:
            yield client
        finally:
            client.transport.abort()
            await turns()

    @property
    def open(self) -> int:
        """How many connections are open."""
        return int(self.registry.get_sample_value("http_connections") or 0)

    def ended(self, reason: str) -> int:
        """How many connections the server has ended for a reason."""
        return int(self.registry.get_sample_value("http_connections_ended_total", {"reason": reason}) or 0)
