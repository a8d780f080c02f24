"""The HTTP request and response that the REST endpoints work with."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from predictors.serving.protocols.deadline import HEADER, allowed_seconds
from predictors.serving.errors import DeadlineExceeded, ServingError, TooLarge, UnsupportedMediaType
from predictors.serving.transport.http_wire import Header
from predictors.serving.telemetry.call import Call

JSON: Header = (b"content-type", b"application/json")
_TIMEOUT = HEADER.encode()


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


class Request(Call):
    """One HTTP request, whose body may still be on its way, and what is known of it so far.

    Args:
        method: such as ``POST``.
        path: without the query, percent-decoded.
        headers: names in lower case; of equal ones the first.
        max_body_bytes: the limit for `body`.
        timeout_seconds: the longest time that the server allows.
        ask: called when the body is waited for.
    """

    __slots__ = (
        "_ask",
        "_chunks",
        "_fault",
        "_max_body_bytes",
        "_timeout_seconds",
        "_waiter",
        "asked",
        "complete",
        "headers",
        "held",
        "method",
        "params",
    )

    def __init__(
        self,
        method: str,
        path: str,
        headers: dict[bytes, bytes],
        max_body_bytes: int,
        timeout_seconds: float,
        ask: Callable[[], None],
    ) -> None:
        given_id = headers.get(b"x-request-id")
        super().__init__("", None if given_id is None else given_id.decode("latin-1"), path)
        self.method = method
        self.headers = headers
        self.params: Mapping[str, str] = {}
        self.complete = False
        """Whether the whole body is here."""
        self.asked = False
        """Whether somebody waits for the body."""
        self.held = 0
        """Bytes of the body in memory."""
        self.close = b"expect" in headers  # such a client may or may not send its body after an early answer
        self._max_body_bytes = max_body_bytes
        self._timeout_seconds = timeout_seconds
        self._ask = ask
        self._chunks: list[bytes] = []
        self._fault: ServingError | None = None
        self._waiter: asyncio.Future[None] | None = None

    def feed(self, chunk: bytes) -> None:
        """Take a part of the body; of one that is too large, no more than the limit is ever held."""
        self.bytes_in += len(chunk)
        if self._fault is not None:
            return
        if self.bytes_in > self._max_body_bytes:
            self.refuse(self._too_large())
        else:
            self.held = self.bytes_in
            self._chunks.append(chunk)

    def end(self) -> None:
        """The body is all here."""
        self.complete = True
        if self._waiter is not None:
            self._wake()

    def refuse(self, fault: ServingError) -> None:
        """Take no more of the body: `body` raises this."""
        self._fault = fault
        self.drop()
        self._wake()

    def drop(self) -> None:
        """Let go of the body."""
        self._chunks = []
        self.held = 0

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def header(self, name: bytes) -> str | None:
        """A header's value; ``name`` in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def parse_deadline(self) -> float:
        """When the answer must be ready, seconds on the clock of `time.monotonic`.

        Raises:
            InvalidInput: ``x-request-timeout-ms`` is not a positive integer.
        """
        if _TIMEOUT not in self.headers:
            return self.started + self._timeout_seconds
        return self.started + allowed_seconds(self._timeout_seconds, self.header(_TIMEOUT))

    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty if there is none.

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

    async def body(self, deadline: float) -> bytes:
        """Read the whole body.

        Raises:
            TooLarge: over the limit, told by its head or by what came.
            DeadlineExceeded: it had not arrived by then.
            Overloaded: too much is held for others.
        """
        if not self.complete:
            await self._rest(deadline)
        if self._fault is not None:
            raise self._fault
        self.close = False
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    async def _rest(self, deadline: float) -> None:
        declared = self.headers.get(b"content-length")
        if declared is not None and int(declared.lstrip(b"0") or b"0") > self._max_body_bytes:
            raise self._too_large()
        if self._fault is not None:
            return
        self.asked = True
        self._ask()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await self._waiter
        except TimeoutError:
            self.close = True  # what still comes would be taken for the next request
            raise DeadlineExceeded("the body did not arrive before the deadline") from None

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is too large; at most {self._max_body_bytes} bytes are allowed")


@lru_cache(maxsize=64)
def _parse_media_type(value: bytes) -> tuple[str, str]:
    """The media type, and the charset or an empty string."""
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
