"""An endpoint that answers as a test says, byte by byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import orjson

from tests.web import stream_server

Answer: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def chunk(text: str = "", reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": reason}
    return b"data: " + orjson.dumps({"object": "chat.completion.chunk", "choices": [choice]}) + b"\n\n"


def usage(read: int, written: int) -> bytes:
    counts = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return b"data: " + orjson.dumps({"choices": [], "usage": counts}) + b"\n\n"


def writes(*parts: bytes) -> Answer:
    """Sends these, then ends the connection."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return answer


def says(text: str, size: int = 3, reason: str = "stop") -> Answer:
    """Sends a text in pieces."""
    pieces = [chunk(text[start : start + size]) for start in range(0, len(text), size)]
    return writes(HEAD, *pieces, chunk("", reason), usage(11, 7), DONE)


class RawServer:
    """Gives each request its answer, and keeps what it asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.heads: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        [length] = [line.split(": ")[1] for line in head.lower().splitlines() if line.startswith("content-length")]
        self.heads.append(head)
        self.bodies.append(orjson.loads(await reader.readexactly(int(length))))
        await self.answer(writer)


@asynccontextmanager
async def raw_server(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """A server on a free port, until the block ends."""
    raw = RawServer(answer)
    async with stream_server(raw.serve, tls) as port:
        raw.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1"
        yield raw
