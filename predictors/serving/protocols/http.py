"""HTTP requests and responses, as the protocols see them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from predictors.serving.errors import DeadlineExceeded, InvalidInput, TooLarge, UnsupportedMediaType
from predictors.serving.protocols.consent import NO_FALLBACK, keeps_here
from predictors.serving.telemetry.call import Call

Header: TypeAlias = tuple[bytes, bytes]
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

CONNECTION = "predictors.connection"
"""Under this name a request finds its connection in the scope's ``extensions``, where the transport is ours."""
_NO_FALLBACK = NO_FALLBACK.encode()
JSON: Header = (b"content-type", b"application/json")


class ClientDisconnected(Exception):  # an event, not a fault
    """The client left before it had its answer."""


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
        """Make a JSON answer."""
        return cls(status, orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), [JSON])


class Request(Call):
    """One HTTP request.

    Args:
        scope: ASGI's.
        choose_id: makes the request's id out of the caller's, if any.
        max_body_bytes: the limit for `body`.
    """

    __slots__ = ("_max_body_bytes", "close", "connection", "headers", "method", "params", "receive", "streaming")

    receive: Receive

    def __init__(self, scope: Scope, choose_id: Callable[[str | None], str], max_body_bytes: int) -> None:
        self.headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        """Names in lower case; of several with one name the first counts."""
        given = self.headers.get(b"x-request-id")
        super().__init__(choose_id(None if given is None else given.decode("latin-1")), scope["path"])
        self.stays_here = _NO_FALLBACK in self.headers and keeps_here(self.header(_NO_FALLBACK))
        self.method: str = scope["method"]
        self.params: Mapping[str, str]
        """The values of the route's parameters, once it is known."""
        self.connection: Any = scope.get("extensions", {}).get(CONNECTION)
        if self.connection is not None:
            self.ahead = self.connection.ahead
        self.close = b"expect" in self.headers  # after an early answer such a client may or may not send its body
        """Whether the connection must end with the answer."""
        self.streaming = False
        """Whether the first part of a streamed answer has been sent."""
        self._max_body_bytes = max_body_bytes

    def header(self, name: bytes) -> str | None:
        """Return a header's value; ``name`` is in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def media_type(self) -> str:
        """Return the content type without its parameters, in lower case; empty if there is none.

        Raises:
            UnsupportedMediaType: another charset than UTF-8, or a compressed body.
        """
        if self.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise UnsupportedMediaType("content-encoding is not supported; send the body uncompressed")
        media_type, charset = _parse_media_type(self.headers.get(b"content-type", b""))
        if charset not in ("", "utf-8", "utf8"):
            raise UnsupportedMediaType('the charset of "content-type" must be utf-8')
        return media_type

    def require_json(self) -> None:
        """Pass only a JSON body.

        Raises:
            UnsupportedMediaType: another type, or none.
        """
        if self.media_type() != "application/json":
            raise unsupported_media_type(self.header(b"content-type"))

    async def body(self) -> bytes:
        """Read the whole body.

        Raises:
            TooLarge: over the limit, by its head or by what came.
            DeadlineExceeded: it had not arrived by then.
            InvalidInput: it is not valid HTTP.
            ClientDisconnected: nobody is there any more.
        """
        declared = self.headers.get(b"content-length")
        if declared is not None and int(declared.lstrip(b"0") or b"0") > self._max_body_bytes:
            raise self._too_large()
        parts: list[bytes] = []
        if self.connection is not None and self.connection.body_is_here:  # nothing to wait for, so no timer
            self._take(await self.receive(), parts)
            self.close = False
            return parts[0]
        try:
            async with asyncio.timeout(self.deadline - time.monotonic()):
                while self._take(await self.receive(), parts):
                    pass
        except TimeoutError:
            self.close = True  # what still comes would be taken for the next request
            raise DeadlineExceeded("the body did not arrive before the deadline") from None
        self.close = False
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _take(self, message: Message, parts: list[bytes]) -> bool:
        """Add a part of the body; gives whether another follows."""
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        part: bytes = message.get("body", b"")
        self.bytes_in += len(part)
        if self.bytes_in > self._max_body_bytes:
            raise self._too_large()
        parts.append(part)
        if not message.get("more_body", False):
            return False
        if self.connection is not None and self.connection.body_is_broken:
            raise InvalidInput("the body is not valid HTTP/1.1")
        return True

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is too large; at most {self._max_body_bytes} bytes are allowed")


@lru_cache(maxsize=64)
def _parse_media_type(value: bytes) -> tuple[str, str]:
    """Return the media type, and the charset or an empty string."""
    media_type, _, rest = value.decode("latin-1").lower().partition(";")
    for parameter in rest.split(";"):
        key, _, charset = parameter.partition("=")
        if key.strip() == "charset":
            return media_type.strip(), charset.strip().strip('"')
    return media_type.strip(), ""


def unsupported_media_type(given: str | None) -> UnsupportedMediaType:
    """Say what was sent and what is allowed."""
    what = f'the content-type "{given[:64]}" is not supported' if given else "the header content-type is missing"
    return UnsupportedMediaType(f"{what}; application/json is expected")
