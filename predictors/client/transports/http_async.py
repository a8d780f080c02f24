"""HTTP for asyncio, which can end an attempt at any time."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpcore

from predictors.client.operations import Operation
from predictors.client.target import Connections, Target, Tls
from predictors.client.transports.attempt import Attempt, Line, headers_of, translated
from predictors.client.wire import rest
from predictors.client.wire.messages import HttpAnswer, HttpRequest


class AsyncHttpTransport:
    """Sends requests over a pool of connections; for one event loop.

    Args:
        target: the server.
        tls: what is trusted and shown.
        connections: how to connect.
        connect_timeout: for a connection to be made, seconds.
    """

    def __init__(self, target: Target, tls: Tls, connections: Connections, connect_timeout: float) -> None:
        self.line = Line(target, tls, connections)
        self._timeouts = {"connect": connect_timeout}
        self._pool = httpcore.AsyncConnectionPool(**self.line.pool_options())

    def prepare(self, operation: Operation) -> HttpRequest:
        """What every attempt sends.

        Raises:
            ConfigurationError: it cannot be sent.
        """
        return rest.encode(operation)

    async def call(self, operation: Operation, request: HttpRequest, attempt: Attempt) -> Any:
        """Make an attempt.

        Raises:
            ClientError: it failed.
        """
        return rest.decode(operation, await self._send(request, attempt), time.time())

    async def _send(self, request: HttpRequest, attempt: Attempt) -> HttpAnswer:
        with translated(attempt):
            async with _timeout(attempt.seconds):
                response = await self._open(request, attempt)
                try:
                    body = await self.line.join_async(response.aiter_stream())
                finally:
                    await response.aclose()
        return HttpAnswer(response.status, headers_of(response), body)

    @asynccontextmanager
    async def stream(
        self, request: HttpRequest, attempt: Attempt, idle: float
    ) -> AsyncIterator[tuple[HttpAnswer, AsyncIterator[bytes]]]:
        """Send a request; gives the head of the answer, and its body as it comes."""
        deadline = asyncio.get_running_loop().time() + attempt.seconds
        with translated(attempt):
            async with _timeout(min(attempt.seconds, idle)):
                response = await self._open(request, attempt)
        try:
            pieces = self._pieces(response, attempt, deadline, idle)
            yield HttpAnswer(response.status, headers_of(response), b""), pieces
        finally:
            await response.aclose()

    async def _pieces(
        self, response: httpcore.Response, attempt: Attempt, deadline: float, idle: float
    ) -> AsyncIterator[bytes]:
        pieces = aiter(response.aiter_stream())
        clock = asyncio.get_running_loop().time
        while True:
            with translated(attempt):
                async with _timeout(min(deadline - clock(), idle)):
                    piece = await anext(pieces, None)
            if piece is None:
                return
            yield piece

    async def _open(self, request: HttpRequest, attempt: Attempt) -> httpcore.Response:
        return await self._pool.handle_async_request(self.line.request(request, attempt, {"timeout": self._timeouts}))

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


def _timeout(seconds: float) -> asyncio.Timeout:
    return asyncio.timeout(None if math.isinf(seconds) else seconds)
