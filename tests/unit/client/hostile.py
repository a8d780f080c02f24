"""A server of raw sockets, which does to its clients what a test says."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self, TypeAlias

from tests.waiting import until

Behavior: TypeAlias = Callable[[socket.socket], bool]
"""What becomes of a request; gives whether the connection is kept."""

IRIS = {
    "model_name": "iris",
    "model_version": "1",
    "outputs": [
        {"name": "predict", "datatype": "INT64", "shape": [1], "data": [0]},
        {"name": "label", "datatype": "BYTES", "shape": [1], "data": ["setosa"]},
        {"name": "predict_proba", "datatype": "FP64", "shape": [1, 3], "data": [1.0, 0.0, 0.0]},
    ],
}


def reply(status: int, body: Any = b"", kind: str = "application/json", **headers: str) -> Behavior:
    """An answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": kind, "content-length": str(len(raw))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return send(f"HTTP/1.1 {status} So\r\n{head}\r\n".encode() + raw)


def send(raw: bytes, keep: bool = True) -> Behavior:
    """Any bytes."""

    def behave(connection: socket.socket) -> bool:
        connection.sendall(raw)
        return keep

    return behave


def stream(*pieces: bytes, ended: bool = True) -> Behavior:
    """Server-sent events, in chunks; without its end the connection breaks off."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return send(head + chunks + (b"0\r\n\r\n" if ended else b""), keep=ended)


def silent(connection: socket.socket) -> bool:
    """Nothing, until the client leaves."""
    with suppress(OSError):
        connection.recv(1)
    return False


def trickle(raw: bytes) -> Behavior:
    """The bytes, and then one more again and again, until the client leaves."""

    def behave(connection: socket.socket) -> bool:
        connection.settimeout(0.02)
        connection.sendall(raw)
        while True:
            connection.sendall(b"a")
            try:
                if not connection.recv(1):
                    return False
            except TimeoutError:
                continue

    return behave


def endless(connection: socket.socket) -> bool:
    """A body without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"a" * 65_536 + b"\r\n")


good = reply(200, IRIS)


class Hostile:
    """The server. Each request meets the next behavior; the last is repeated.

    Args:
        behaviors: in order.
    """

    def __init__(self, *behaviors: Behavior) -> None:
        self._behaviors = [*behaviors]
        self.heads: list[str] = []
        """The head of each request, in lower case."""
        self.accepted = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self.hang_up()
        self.wait_closed()

    def hang_up(self) -> None:
        """Close all connections."""
        for connection in [*self._open]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def behave(self, behavior: Behavior) -> None:
        """Do this from now on."""
        with self._lock:
            self._behaviors = [behavior]

    def wait_closed(self, but: int = 0) -> None:
        """Wait until only so many connections are open."""
        until(lambda: len(self._open) <= but, "the connections to close", pause=0.01)

    def header(self, name: str, request: int = -1) -> str:
        """A header's value of one request; empty if it has none."""
        lines = self.heads[request].split("\r\n")
        return next((line.partition(": ")[2] for line in lines if line.startswith(name + ":")), "")

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,)).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while self._read(connection) and self._next()(connection):
                pass
        with suppress(OSError):
            connection.close()
        self._open.discard(connection)

    def _next(self) -> Behavior:
        with self._lock:
            return self._behaviors.pop(0) if len(self._behaviors) > 1 else self._behaviors[0]

    def _read(self, connection: socket.socket) -> bool:
        """Read a request; gives whether there was one."""
        raw = b""
        while b"\r\n\r\n" not in raw:
            part = connection.recv(65_536)
            if not part:
                return False
            raw += part
        head, _, body = raw.partition(b"\r\n\r\n")
        self.heads.append(head.decode().lower())
        missing = int(self.header("content-length") or 0) - len(body)
        while missing > 0:
            missing -= len(connection.recv(65_536))
        return True
