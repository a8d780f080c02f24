"""A small internet on this machine: names lead to public addresses, and servers of ours stand there."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import httpx

from predictors.serving.fetching.fetcher import Document, Fetcher
from tests.live import PATIENCE_SECONDS
from tests.unit.serving.transport.certificates import Authority
from tests.web import stream_server

T = TypeVar("T")
Answer: TypeAlias = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]

PUBLIC = "93.184.216.34"
OTHER = "2606:2800:220:1:248:1893:25c8:1946"
MOST_BYTES = 100_000


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """An answer whose connection ends with it."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, PATIENCE_SECONDS))


class Internet:
    """What there is, and what was asked of it.

    Args:
        names: the addresses of each host, one list for each time that it is resolved; the last stays.
        pages: what is answered, by path.
    """

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]], pages: Mapping[str, Answer]) -> None:
        self._names = {name: list(answers) for name, answers in names.items()}
        self._pages = pages
        self._ports: dict[tuple[str, int], int] = {}
        self.resolved: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self.requests: list[bytes] = []
        self.server_names: list[str | None] = []
        self.trusted: ssl.SSLContext | None = None
        self.fetcher = Fetcher(MOST_BYTES, self.resolve, lambda: _Wire(self))

    async def resolve(self, host: str) -> Sequence[str]:
        self.resolved.append(host)
        if host not in self._names:
            raise OSError("no such name")
        answers = self._names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @contextlib.asynccontextmanager
    async def open(self, folder: Path | None = None) -> AsyncIterator["Internet"]:
        """Start the servers; that at 443 only if there is a folder for its certificate, which is for ``localhost``."""
        async with contextlib.AsyncExitStack() as servers:
            self._place(80, await servers.enter_async_context(stream_server(self._answer)))
            if folder is not None:
                self._place(
                    443, await servers.enter_async_context(stream_server(self._answer, self._certificate(folder)))
                )
            yield self

    def _place(self, port: int, local: int) -> None:
        for address in (PUBLIC, OTHER):
            self._ports[address, port] = local

    def _certificate(self, folder: Path) -> ssl.SSLContext:
        authority = Authority()
        self.trusted = ssl.create_default_context(cadata=authority.certificate.decode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("server").write(folder))
        context.sni_callback = lambda _, name, __: self.server_names.append(name)
        return context

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(request)
        page = self._pages[request.split()[1].decode()]
        if isinstance(page, bytes):
            writer.write(page)
        else:
            await page(writer)

    def local_port(self, address: str, port: int) -> int | None:
        self.dialled.append((address, port))
        return self._ports.get((address, port))

    async def fetch(self, address: str, seconds: float = PATIENCE_SECONDS) -> Document:
        return await self.fetcher.fetch(address, time.monotonic() + seconds)


class _Wire(httpx.AsyncBaseTransport):
    """Real connections, to where the servers of this internet really are."""

    def __init__(self, internet: Internet) -> None:
        self._internet = internet
        self._real = httpx.AsyncHTTPTransport(verify=internet.trusted or False, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        port = request.url.port or {"http": 80, "https": 443}[request.url.scheme]
        local = self._internet.local_port(request.url.host, port)
        if local is None:
            raise httpx.ConnectError("nobody is there")
        request.url = request.url.copy_with(host="127.0.0.1", port=local)
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()
