"""The server of bytes that other tests rely on: it leaves no connection to the garbage collector, whenever that came."""

import asyncio
import gc
import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.unit.serving.transport.certificates import Authority
from tests.web import stream_server


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority().issue("server").write(folder))
    return context


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("rounds", range(6))
def test_connections_of_the_last_moment_are_closed(rounds: int, secure: bool, tmp_path: Path) -> None:
    context = _context(tmp_path) if secure else None

    async def scenario() -> None:
        with ExitStack() as clients:
            async with stream_server(_read, context) as port:
                for _ in range(3):
                    client = clients.enter_context(socket.socket())
                    client.setblocking(False)
                    client.connect_ex(("127.0.0.1", port))
                for _ in range(rounds):
                    await asyncio.sleep(0)
                if secure:  # its greeting never comes
                    clients.close()

    asyncio.run(asyncio.wait_for(scenario(), 60))
    gc.collect()  # what was left is told now, in this test


def test_a_fault_in_a_conversation_is_a_fault_of_the_test() -> None:
    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise KeyError("page")

    async def scenario() -> None:
        async with stream_server(fail) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()

    with pytest.raises(KeyError):
        asyncio.run(asyncio.wait_for(scenario(), 60))
