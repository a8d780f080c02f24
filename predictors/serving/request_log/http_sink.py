"""A sink that takes CloudEvents over HTTP, in the binary content mode, each in a request of its own.

It asks by http.client: of the clients at hand the one that takes the least time of the CPU, a third of httpx's.
"""

import re
import socket
import ssl
import time
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from threading import Event as Flag
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from predictors.serving.errors import StartupError
from predictors.serving.request_log.event import Event
from predictors.serving.request_log.sink import SinkError

_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)
# For connecting, for sending an event, and for its whole answer.
_TIMEOUT_SECONDS = 3.0
# Waits before a further try, seconds.
_PAUSES = (0.1, 0.5)
# More of an answer is not read; its connection is closed instead.
_MAX_ANSWER_BYTES = 64 * 1024


class Address(NamedTuple):
    """Where a sink is.

    Args:
        tls: whether it is asked over TLS.
        host, port: of the sink; the port is None for the scheme's own.
        target: path and query.
    """

    tls: bool
    host: str
    port: int | None
    target: str

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read a URL.

        Raises:
            StartupError: it is none.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not _URL.fullmatch(url):
            raise StartupError("--request_log_url must be an address such as http://broker.events.svc/default")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme == "https", host, port, target)

    def connection(self) -> HTTPConnection:
        """A connection that is not open yet."""
        if self.tls:
            context = ssl.create_default_context()
            connection: HTTPConnection
            connection = HTTPSConnection(self.host, self.port, timeout=_TIMEOUT_SECONDS, context=context)
        else:
            connection = HTTPConnection(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        connection.response_class = _Answer
        return connection


class _Answer(HTTPResponse):
    """An answer that must be whole in time; the socket's own timeout is that of each read."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = BufferedReader(_Timed(sock, self.fp))


class _Timed(RawIOBase):
    """Reads what a socket receives, until a time from now.

    Args:
        sock: the socket.
        file: reads it, and has read nothing yet.
    """

    def __init__(self, sock: socket.socket, file: BufferedReader) -> None:
        super().__init__()
        self._socket, self._file = sock, file
        self._deadline = time.monotonic() + _TIMEOUT_SECONDS

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there, or wait for it.

        Raises:
            TimeoutError: it is too late.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        try:
            return self._file.raw.readinto(buffer)
        finally:
            self._socket.settimeout(_TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


class HttpSink:
    """Posts events to a sink over one connection.

    Args:
        address: of the sink.
        ending: is set when there is no time left for further tries.
    """

    at_once = 1

    def __init__(self, address: Address, ending: Flag) -> None:
        self._target = address.target
        self._connection = address.connection()
        self._ending = ending

    def write(self, events: Sequence[Event]) -> None:
        """Post events, one after the other.

        Raises:
            SinkError: the sink was not reached, or refuses one.
        """
        for taken, event in enumerate(events):
            if reason := self._deliver(event):
                raise SinkError(reason, taken)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _deliver(self, event: Event) -> str:
        """Post an event, again if that may help; gives why it failed, or nothing."""
        for pause in (*_PAUSES, 0.0):
            reason, again = self._post(event)
            if not again or self._ending.is_set():
                break
            self._ending.wait(pause)
        return reason

    def _post(self, event: Event) -> tuple[str, bool]:
        """Post an event once; gives why it failed, if it did, and whether to try again."""
        try:
            self._connection.request("POST", self._target, event.data, event.headers())
            with self._connection.getresponse() as answer:
                if len(answer.read(_MAX_ANSWER_BYTES)) == _MAX_ANSWER_BYTES:
                    self._connection.close()
        except (OSError, HTTPException) as error:
            self._connection.close()
            return f"was not reached: {type(error).__name__}", True
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return "", False
        again = answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return f"answered {answer.status}", again
