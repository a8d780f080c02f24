"""The HTTP request and response that the REST endpoints work with, on bare ASGI."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from predictors.serving.deadline import HEADER, allowed_seconds
from predictors.serving.errors import DeadlineExceeded, TooLarge, UnsupportedMediaType
from predictors.serving.telemetry import Call

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")


class ClientDisconnected(Exception):  # an event, not a fault
    """The client went away before it had its answer."""


@dataclass(slots=True)
class Response:
    """What is sent back."""

    status: int
    body: bytes = b""
    headers: list[Header] = field(default_factory=list)
    stream: AsyncGenerator[bytes, None] | None = None
    """What follows the body, as it comes; without it the body is all."""

    @classmethod
    def json(cls, content: Any, status: int = 200) -> "Response":
        """A JSON answer."""
        return cls(status, orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), [JSON])


class Request:
    """One HTTP request.

    Args:
        scope: ASGI's connection scope.
        receive: ASGI's channel for the body.
        call: the record of this request.
        max_body_bytes: the limit for `body`.
        timeout_seconds: the longest time that the server allows.
    """

    __slots__ = ("_max_body_bytes", "_receive", "_timeout_seconds", "call", "headers", "params")

    def __init__(self, scope: Scope, receive: Receive, call: Call, max_body_bytes: int, timeout_seconds: float) -> None:
        self.headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))  # of equal ones the first counts
        self.call = call
        self.params: dict[str, str] = {}
        self._receive = receive
        self._max_body_bytes = max_body_bytes
        self._timeout_seconds = timeout_seconds
        # A client that waits for leave to send its body may or may not send it after an error.
        call.close = b"expect" in self.headers

    def header(self, name: bytes) -> str | None:
        """A header's value; ``name`` in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def deadline(self) -> float:
        """When the answer must be ready, seconds on the clock of `time.monotonic`.

        Raises:
            InvalidInput: ``x-request-timeout-ms`` is not a positive integer.
        """
        return self.call.started + allowed_seconds(self._timeout_seconds, self.header(HEADER.encode()))

    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty if there is none.

        Raises:
            UnsupportedMediaType: another charset than UTF-8, or a compressed body.
        """
        if self.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise UnsupportedMediaType("content-encoding is not supported; send the body uncompressed")
        media_type, _, rest = (self.header(b"content-type") or "").lower().partition(";")
        for parameter in rest.split(";"):
            key, _, value = parameter.partition("=")
            if key.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
                raise UnsupportedMediaType('the charset of "content-type" must be utf-8')
        return media_type.strip()

    def require_json(self) -> None:
        """Pass only a JSON body.

        Raises:
            UnsupportedMediaType: another type, or none.
        """
        if self.media_type() != "application/json":
            raise unsupported_media_type(self.header(b"content-type"))

    async def body(self, deadline: float) -> bytes:
        """Read the whole body, unless it is too large: then no more than the limit is ever held.

        Raises:
            TooLarge: over the limit, told by its head or by what came.
            DeadlineExceeded: it had not arrived by then.
            ClientDisconnected: the client went away.
        """
        declared = self.headers.get(b"content-length")
        if declared is not None and int(declared) > self._max_body_bytes:
            raise self._too_large()
        chunks, size = [], 0
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnected
                    chunk = message.get("body", b"")
                    size += len(chunk)
                    self.call.bytes_in = size
                    if size > self._max_body_bytes:
                        raise self._too_large()
                    chunks.append(chunk)
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            self.call.close = True  # what still comes would be taken for the next request
            raise DeadlineExceeded("the body did not arrive before the deadline") from None
        self.call.close = False
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is too large; at most {self._max_body_bytes} bytes are allowed")


def unsupported_media_type(given: str | None) -> UnsupportedMediaType:
    """Say what was sent and what is allowed."""
    what = f'the content-type "{given[:64]}" is not supported' if given else "the header content-type is missing"
    return UnsupportedMediaType(f"{what}; application/json is expected")
