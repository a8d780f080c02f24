"""An application whose requests do what their path says, for tests of a connection's life."""

import asyncio

from predictors.serving.protocols.http import AsgiApp, Receive, Scope, Send
from tests.unit.serving.transport.loopback import echo, respond

PARTS = [b"first", b"", b"second" * 1000]
LARGE = 64 * 2**20


class Scripted:
    """Answers by the path of a request; what has no script is echoed.

    Args:
        scripts: more of them.
    """

    def __init__(self, **scripts: AsgiApp) -> None:
        self.gate = asyncio.Event()
        """Opens for those that wait."""
        self.begun: list[str] = []
        """Paths of the requests that have begun."""
        self.cancelled: list[str] = []
        """Paths of those that were cancelled."""
        self._scripts: dict[str, AsgiApp] = {
            "/wait": self._wait,
            "/read-later": self._read_later,
            "/read-and-wait": self._read_and_wait,
            "/count-later": self._count_later,
            "/never-read": self._never_read,
            "/stream": self._stream,
            "/close": self._close,
            "/large": self._large,
            "/fail": self._fail,
            **{f"/{name}": script for name, script in scripts.items()},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(scope["path"])
        try:
            await self._scripts.get(scope["path"], echo)(scope, receive, send)
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
    """Read a body; gives its length."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    return size
