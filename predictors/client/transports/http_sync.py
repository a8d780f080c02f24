"""HTTP for threads.

A blocking socket takes a timeout for each read, so that a server that trickles could hold a caller for ever. Here, each
read and write of an attempt gets what is left of its time, and another thread can end it.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import httpcore

from predictors.client.operations import Operation
from predictors.client.target import Connections, Target, Tls
from predictors.client.transports.attempt import Attempt, Line, headers_of, translated
from predictors.client.wire import rest
from predictors.client.wire.messages import HttpAnswer, HttpRequest


class Bounds:
    """Until when an attempt may take, and how it is ended before.

    Args:
        seconds: from now on.
        idle: the longest that one read may take, seconds.
        cancellable: whether another thread may end it.
    """

    def __init__(self, seconds: float, idle: float, cancellable: bool) -> None:
        self.cancellable = cancellable
        self._deadline = time.monotonic() + seconds
        self._idle = idle
        self._end: Callable[[], object] | None = None
        self._cancelled = False
        self._connection: _Stream | None = None

    def seconds(self, at_most: float | None = None) -> float | None:
        """What is left for the next step; None if that is unlimited.

        Raises:
            httpcore.ReadTimeout: nothing is, or the attempt was cancelled.
        """
        left = min(self._deadline - time.monotonic(), self._idle, float("inf") if at_most is None else at_most)
        if left <= 0 or self._cancelled:
            raise httpcore.ReadTimeout
        return None if left == float("inf") else left

    def interrupt_by(self, end: Callable[[], object]) -> None:
        """Say how what is under way can be ended from another thread."""
        self._end = end

    def use(self, connection: "_Stream") -> None:
        """Take a connection."""
        self._connection = connection
        self.interrupt_by(lambda: connection.interrupt(self))

    def release(self) -> None:
        """Give it up, if nobody else has it by now."""
        if self._connection is not None and self._connection.user is self:
            self._connection.user = None

    def cancel(self) -> None:
        """End the attempt, from another thread."""
        self._cancelled = True
        end = self._end
        if end is not None:
            end()


_bounds: ContextVar[Bounds | None] = ContextVar("bounds", default=None)


@contextmanager
def within(bounds: Bounds) -> Iterator[None]:
    """Let what this thread reads and writes keep to these bounds."""
    token = _bounds.set(bounds)
    try:
        yield
    finally:
        _bounds.reset(token)
        bounds.release()


class _Stream(httpcore.NetworkStream):
    """A connection whose steps keep to the bounds of the attempt that uses it."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self.user: Bounds | None = None
        """The attempt that it serves."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._left(timeout)))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        found = self._stream.get_extra_info(info)
        if info == "is_readable":
            # By this, httpcore finds out whether an idle connection was closed. It may take for idle what another
            # thread has just been given, so that an answer that comes quickly would look like an end.
            return found and self.user is None
        return found

    def _left(self, timeout: float | None) -> float | None:
        bounds = _bounds.get()
        if bounds is None:
            return timeout
        if self.user is not bounds:
            self.user = bounds
            bounds.use(self)
        return bounds.seconds(timeout)

    def interrupt(self, user: Bounds) -> None:
        """End what another thread does with it, if it is still this attempt's."""
        connection = self._stream.get_extra_info("socket")
        if isinstance(connection, socket.socket) and self.user is user:
            with suppress(OSError):  # it is closed already
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # a TLS socket's own shutdown is for its owner


class _Backend(httpcore.NetworkBackend):
    """Makes such connections."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        bounds = _bounds.get()
        left = timeout if bounds is None else bounds.seconds(timeout)
        return _Stream(self._backend.connect_tcp(host, port, left, local_address, socket_options))


class HttpTransport:
    """Sends requests over a pool of connections; for any number of threads.

    Args:
        target: the server.
        tls: what is trusted and shown.
        connections: how to connect.
        connect_timeout: for a connection to be made, seconds.
    """

    def __init__(self, target: Target, tls: Tls, connections: Connections, connect_timeout: float) -> None:
        self.line = Line(target, tls, connections)
        self._connect_timeout = connect_timeout
        self._pool = httpcore.ConnectionPool(network_backend=_Backend(), **self.line.pool_options())

    def prepare(self, operation: Operation) -> HttpRequest:
        """What every attempt sends.

        Raises:
            ConfigurationError: it cannot be sent.
        """
        return rest.encode(operation)

    def call(self, operation: Operation, request: HttpRequest, attempt: Attempt, bounds: Bounds) -> Any:
        """Make an attempt.

        Raises:
            ClientError: it failed.
        """
        return rest.decode(operation, self._send(request, attempt, bounds), time.time())

    def _send(self, request: HttpRequest, attempt: Attempt, bounds: Bounds) -> HttpAnswer:
        with translated(attempt), within(bounds):
            response = self._open(request, attempt)
            try:
                body = self.line.join(response.iter_stream())
            finally:
                response.close()
        return HttpAnswer(response.status, headers_of(response), body)

    @contextmanager
    def stream(
        self, request: HttpRequest, attempt: Attempt, bounds: Bounds
    ) -> Iterator[tuple[HttpAnswer, Iterator[bytes]]]:
        """Send a request; gives the head of the answer, and its body as it comes."""
        with translated(attempt), within(bounds):
            response = self._open(request, attempt)
        try:
            yield HttpAnswer(response.status, headers_of(response), b""), self._pieces(response, attempt, bounds)
        finally:
            response.close()

    def _pieces(self, response: httpcore.Response, attempt: Attempt, bounds: Bounds) -> Iterator[bytes]:
        pieces = response.iter_stream()
        while True:
            with translated(attempt), within(bounds):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    def _open(self, request: HttpRequest, attempt: Attempt) -> httpcore.Response:
        bounds = _bounds.get()
        timeouts = {"connect": self._connect_timeout, "pool": bounds.seconds() if bounds else None}
        return self._pool.handle_request(self.line.request(request, attempt, {"timeout": timeouts}))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()
