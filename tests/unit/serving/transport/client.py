"""A raw HTTP client: sends bytes segment by segment, and reads the responses one by one."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

_POLL_SECONDS = 0.005


def get(path: str = "/", *headers: str, version: str = "1.1") -> bytes:
    """A request without a body."""
    lines = (f"GET {path} HTTP/{version}", "host: x", *headers)
    return "\r\n".join((*lines, "\r\n")).encode()


def post(path: str, length: int, *headers: str) -> bytes:
    """The head of a request with a body."""
    lines = (f"POST {path} HTTP/1.1", "host: x", f"content-length: {length}", *headers)
    return "\r\n".join((*lines, "\r\n")).encode()


async def turns(count: int = 3) -> None:
    """Run some iterations of the event loop, so that the server reads what was sent; loopback itself has no delay."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition."""
    while not condition():
        await asyncio.sleep(_POLL_SECONDS)


class Answer(NamedTuple):
    """One response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        """The whole content of a response of `echo`."""
        assert self.status == 200, self
        return orjson.loads(self.body)

    @property
    def asked(self) -> tuple[str, str, bytes]:
        """The method, the path and the body that `echo` received."""
        told = self.told
        return told["method"], told["path"], told["body"].encode("latin-1")

    @property
    def closes(self) -> bool:
        """Whether it announces the end of the connection."""
        return self.headers.get("connection") == "close"


class Client(asyncio.Protocol):
    """One connection to the listener."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.ended = False
        """Whether the server has closed the connection."""
        self.received = bytearray()
        """Bytes received and not read yet."""
        self.full = False
        """Whether the transport asked to pause writing."""
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

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False

    async def send(self, *segments: bytes) -> None:
        """Send segments one by one, each after the server has read the last; stops when the server closes."""
        for segment in segments:
            if self.ended:
                return
            self.transport.write(segment)
            await turns()

    async def answer(self, *, to_head: bool = False) -> Answer:
        """Read one response.

        Args:
            to_head: whether the request was HEAD, so no body follows.
        """
        status_line, *lines = (await self._take_until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        assert len(headers) == len(lines), "a header stands twice"
        return Answer(int(status), headers, b"" if to_head or status == "100" else await self._body(headers))

    async def answers(self, count: int) -> list[Answer]:
        """Read several responses."""
        return [await self.answer() for _ in range(count)]

    async def check_goes_on(self) -> None:
        """Check that the connection serves another request (by `echo`)."""
        await self.send(get("/on"))
        assert (await self.answer()).asked == ("GET", "/on", b"")

    async def check_ends(self) -> None:
        """Check that the server closes the connection and sends nothing more."""
        assert await self.rest() == b""

    async def rest(self) -> bytes:
        """Read until the server closes."""
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
