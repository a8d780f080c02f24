"""Small HTTP servers of the tests."""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TypeAlias

Talk: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class _Web(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        # Who asks may leave before the end: some tests are about that.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def web_server(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run a server that logs nothing, with TLS if it has a context for that, until the block ends; gives its port."""
    quiet = type(handler.__name__, (handler,), {"log_message": lambda *_: None})
    web = _Web(("127.0.0.1", 0), quiet)
    if context is not None:
        web.socket = context.wrap_socket(web.socket, server_side=True)
    thread = Thread(target=web.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield web.server_port
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


@asynccontextmanager
async def stream_server(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Hold a conversation with each connection until the block ends; gives the port.

    At its end all connections are closed, one too that is made at that very moment: nothing is left to the garbage
    collector. (A handshake of TLS that a client leaves open is waited for, 60 seconds.) A conversation that the other
    side, or the end of the block, breaks off is over; any other error in it fails the test.
    """
    conversations: set[asyncio.Task[None]] = set()
    failures: list[BaseException] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            await talk(reader, writer)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    def ended(conversation: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
        conversations.discard(conversation)
        writer.transport.abort()
        if not conversation.cancelled() and (failure := conversation.exception()) is not None:
            failures.append(failure)

    def began(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.get_running_loop().create_task(hold(reader, writer))
        conversations.add(conversation)
        conversation.add_done_callback(lambda task: ended(task, writer))

    server = await asyncio.start_server(began, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        # Python 3.11 forgets connections that it has accepted but not yet made when its server is closed. So nothing more
        # is accepted, then those are made. And it waits for connections only if it does so before the server is closed.
        asyncio.get_running_loop().remove_reader(server.sockets[0].fileno())
        closed = asyncio.ensure_future(server.wait_closed())
        await asyncio.sleep(0)
        server.close()
        while not closed.done():
            for conversation in conversations:
                conversation.cancel()
            await asyncio.wait([closed, *conversations], timeout=0.02)
    if failures:
        raise failures[0]
