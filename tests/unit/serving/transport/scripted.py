"""A test application that behaves as the request path says."""

import asyncio

from predictors.serving.protocols.http import AsgiApp, Receive, Scope, Send
from tests.unit.serving.transport.loopback import echo, respond

PARTS = [b"first", b"", b"second" * 1000]
LARGE = 64 * 2**20


class Scripted:
    """Dispatches requests to scripts by path; the default is `echo`.

    Args:
        scripts: additional scripts.
    """

    def __init__(self, **scripts: AsgiApp) -> None:
        self.gate = asyncio.Event()
        """Lets waiting requests continue."""
        self.begun: list[str] = []
        """Paths of the requests that have begun."""
        self.cancelled: list[str] = []
        """Paths of the requests that were cancelled."""
        self.scripts: dict[str, AsgiApp] = {
            "/wait": self._wait,
            "/read-later": self._read_later,
            "/read-and-wait": self._read_and_wait,
            "/count-later": self._count_later,
            "/never-read": self._never_read,
            "/refuse-later": self._refuse_later,
            "/stream": self._stream,
            "/close": self._close,
            "/large": self._large,
            "/fail": self._fail,
            **{f"/{name}": script for name, script in scripts.items()},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(scope["path"])
        try:
            await self.scripts.get(scope["path"], echo)(scope, receive, send)
        except asyncio.CancelledError:
            self.cancelled.append(scope["path"])
            raise

    async def _wait(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gate.wait()
        await respond(send, b"waited")

    async def _read_later(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gate.wait()
        await echo(scope, receive, send)

    async def _count_later(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gate.wait()
        await respond(send, b"%d" % await _count(receive))

    async def _read_and_wait(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _count(receive)
        await self._wait(scope, receive, send)

    async def _never_read(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"refused", 404)

    async def _refuse_later(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gate.wait()
        await self._never_read(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in PARTS:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    async def _close(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"closed", headers=[(b"connection", b"close")])

    async def _large(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, bytes(LARGE))

    async def _fail(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("unforeseen")


async def _count(receive: Receive) -> int:
    """Read a body; returns its length."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    return size
