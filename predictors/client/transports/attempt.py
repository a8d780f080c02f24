"""One attempt at a call, and what both kinds of HTTP transports have in common."""

import importlib
import math
from collections.abc import AsyncIterable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import httpcore

from predictors.client.errors import (
    BadAnswer,
    ConfigurationError,
    ConnectionLost,
    DeadlineExceeded,
    DeadlinePassed,
    Unreachable,
)
from predictors.client.target import Connections, Target, Tls
from predictors.client.trace import TraceHeaders
from predictors.client.wire.messages import HttpRequest

_LONGEST_MS = 24 * 3600 * 1000  # the most that servers take
TIMEOUT_HEADER = "x-request-timeout-ms"


class Attempt(NamedTuple):
    """What an attempt is given.

    Args:
        seconds: how long it may take.
        request_id: of the call.
        authorization: the header's value; empty for none.
        trace: the headers of the caller's trace.
    """

    seconds: float
    request_id: str
    authorization: str
    trace: TraceHeaders

    @property
    def timeout_ms(self) -> str:
        """What the server is told of the deadline; empty if there is none."""
        if math.isinf(self.seconds):
            return ""
        return str(min(max(math.ceil(self.seconds * 1000), 1), _LONGEST_MS))


class Line:
    """How HTTP reaches one server: what is the same for all its requests.

    Args:
        target: the server.
        tls: what is trusted and shown.
        connections: how to connect.
    """

    def __init__(self, target: Target, tls: Tls, connections: Connections) -> None:
        self._target, self._connections = target, connections
        self._origin = (target.scheme.encode(), target.host.encode(), target.port)
        self.host = connections.host or target.address
        self._headers = [
            (b"host", self.host.encode("ascii", "replace")),
            (b"accept-encoding", b"identity"),
            (b"user-agent", b"predictors-client"),
        ]
        self._tls = tls
        self.most_bytes = connections.most_bytes

    def pool_options(self) -> dict[str, Any]:
        """What httpcore's pools take.

        Raises:
            ConfigurationError: files of TLS, or the environment's proxy, cannot be used.
        """
        target, connections = self._target, self._connections
        options: dict[str, Any] = {
            "max_connections": connections.most,
            "max_keepalive_connections": connections.most,
            "keepalive_expiry": connections.keep_alive,
        }
        if target.secure:
            options["ssl_context"] = self._tls.context()
        address = target.proxy()
        if address:
            options["proxy"] = _proxy(address)
        return options

    def request(self, request: HttpRequest, attempt: Attempt, extensions: dict[str, Any]) -> httpcore.Request:
        """What httpcore sends."""
        headers = [*self._headers, (b"x-request-id", attempt.request_id.encode("ascii", "replace"))]
        if attempt.timeout_ms:
            headers.append((TIMEOUT_HEADER.encode(), attempt.timeout_ms.encode()))
        if attempt.authorization:
            headers.append((b"authorization", attempt.authorization.encode()))
        for name, value in attempt.trace:
            headers.append((name.encode(), value.encode()))
        if request.body:
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(request.body))]
        if self._target.secure and self._connections.host:
            extensions["sni_hostname"] = self._connections.host.partition(":")[0]
        path = (self._target.path + request.path).encode()
        url = httpcore.URL(scheme=self._origin[0], host=self._origin[1], port=self._origin[2], target=path)
        return httpcore.Request(request.method, url, headers=headers, content=request.body, extensions=extensions)

    def join(self, pieces: Iterable[bytes]) -> bytes:
        """A whole body.

        Raises:
            BadAnswer: it is too large.
        """
        body = _Body(self.most_bytes)
        for piece in pieces:
            body.add(piece)
        return body.whole()

    async def join_async(self, pieces: AsyncIterable[bytes]) -> bytes:
        """A whole body, as `join` gives it."""
        body = _Body(self.most_bytes)
        async for piece in pieces:
            body.add(piece)
        return body.whole()


class _Body:
    """A body that comes in pieces, as far as it is not too large.

    Args:
        most_bytes: the largest that is taken.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Take a piece.

        Raises:
            BadAnswer: the body is too large.
        """
        self._size += len(piece)
        if self._size > self._most_bytes:
            raise BadAnswer(f"the answer is larger than {self._most_bytes} bytes, the client's `most_bytes`")
        self._pieces.append(piece)

    def whole(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)


def headers_of(response: httpcore.Response) -> dict[str, str]:
    """Names in lower case, and values; of several with one name the first."""
    return {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in reversed(response.headers)}


def _proxy(address: str) -> httpcore.Proxy:
    try:
        url = httpcore.URL(address)
        known = {b"http", b"https", b"socks5", b"socks5h"}
        if url.scheme not in known:
            raise ValueError(f"unknown scheme {url.scheme.decode()!r}")
        if url.scheme.startswith(b"socks"):
            importlib.import_module("socksio")
        named = urlsplit(address)
        auth = None if named.username is None else (unquote(named.username), unquote(named.password or ""))
        return httpcore.Proxy(url, auth=auth)
    except (ImportError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"the proxy that the environment names cannot be used: {error}; unset it, or name the host in NO_PROXY"
        ) from None


@contextmanager
def translated(attempt: Attempt) -> Iterator[None]:
    """Turn the errors of httpcore and of asyncio's timeouts into ours."""
    named = attempt.request_id
    try:
        yield
    except httpcore.PoolTimeout:
        raise DeadlinePassed(
            "no connection became free in time, which `Connections.most` limits", request_id=named
        ) from None
    except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError) as error:
        raise Unreachable(f"no connection: {_reason(error)}", request_id=named) from None
    except (httpcore.TimeoutException, TimeoutError):
        raise DeadlineExceeded(f"there was no answer within {attempt.seconds:.3g} s", request_id=named) from None
    except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol) as error:
        raise ConfigurationError(f"the request cannot be sent: {_reason(error)}") from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise ConnectionLost(f"the connection ended: {_reason(error)}", request_id=named) from None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
