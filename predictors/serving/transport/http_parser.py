"""From the bytes of a connection to requests, by llhttp (httptools)."""

import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

import httptools

from predictors.serving.errors import InvalidInput
from predictors.serving.protocols.http import Request
from predictors.serving.transport.http_wire import check_head, head_of_body, target_path
from predictors.serving.settings import ServerSettings

logger = logging.getLogger(__name__)

MAX_HEAD_BYTES = 64 * 1024
_SEPARATORS = len(": \r\n")


class Pending(NamedTuple):
    """A request whose head is here.

    Args:
        request: itself.
        keeps_alive: whether the client may send another.
        knows_chunks: whether it knows bodies in chunks; HTTP/1.0 does not.
    """

    request: Request
    keeps_alive: bool
    knows_chunks: bool


class Owner(Protocol):
    """Who is told of requests; called while bytes are parsed."""

    def received(self, pending: Pending) -> None:
        """A request begins."""

    def take(self, request: Request, part: bytes) -> None:
        """A part of its body."""

    def completed(self, request: Request) -> None:
        """It is all here."""

    def broken(self, request: Request | None) -> None:
        """Nothing that follows can be understood, which is this request's fault, if any's."""


class RequestParser:
    """The requests of one connection, one after the other.

    Args:
        settings: for the limits of requests.
        owner: is told of them.
        ask: called when the body of a request is waited for.
    """

    def __init__(self, settings: ServerSettings, owner: Owner, ask: Callable[[], None]) -> None:
        self._settings = settings
        self._owner = owner
        self._ask = ask
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[bytes, bytes] | None = None
        self._head_bytes = 0
        self._unused = 0  # bytes since the parser last made something of them
        self._upgrading = False  # the request offers to go on in another protocol
        self._resuming = False  # after such an offer
        self.incoming: Request | None = None
        """Whose body is being read."""
        self.ended = False
        """Whether nothing that follows is to be read."""
        self.last_words: tuple[int, str] | None = None
        """Status and message of the answer to what could not be understood."""

    @property
    def idle(self) -> bool:
        """Whether it is between two requests."""
        return self.incoming is None and self._headers is None and not self._unused

    def feed(self, data: bytes) -> None:
        """Parse what came."""
        rest = memoryview(data)
        while len(rest) and not (self.ended and self.incoming is None):
            self._unused += len(rest)
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
                self._decline_upgrade()
                continue
            except httptools.HttpParserError as error:
                if isinstance(error, httptools.HttpParserCallbackError) and not isinstance(
                    error.__context__, (ValueError, httptools.HttpParserError)
                ):
                    logger.error("reading a request failed", exc_info=error.__context__)
                self._break()
            else:
                if self._unused > MAX_HEAD_BYTES:
                    self._break()
            return

    # httptools calls these.

    def on_message_begin(self) -> None:
        """A head begins."""
        self._target = b""
        self._headers = {}
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._target += url
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, the first of its name; or a trailer, which nobody wants."""
        if self._headers is not None:
            name = name.lower()
            self._head_bytes += len(name) + len(value) + _SEPARATORS
            if name not in self._headers:
                self._headers[name] = value
            elif name == b"host":
                raise ValueError("two hosts")

    def on_headers_complete(self) -> None:
        """The head is here."""
        parser, settings, headers = self._parser, self._settings, self._headers or {}
        self._headers = None
        if self._resuming:
            self._resuming = False
            return
        version = parser.get_http_version()
        check_head(version, headers)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise ValueError("too large")
        path, method = target_path(self._target), parser.get_method().decode("ascii")
        self._unused = 0
        request = Request(method, path, headers, settings.max_body_bytes, settings.request_timeout_seconds, self._ask)
        self.incoming = request
        self._upgrading = parser.should_upgrade()
        if not parser.should_keep_alive() or (version == "1.0" and b"transfer-encoding" in headers):
            self.ended = True
        self._owner.received(Pending(request, not self.ended, version != "1.0"))

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._unused = 0
        if self.incoming is not None:
            self._owner.take(self.incoming, body)

    def on_message_complete(self) -> None:
        """The request is all here."""
        if self._upgrading:
            return  # so the parser thinks
        self._unused = 0
        request, self.incoming = self.incoming, None
        if request is not None:
            request.end()
            self._owner.completed(request)

    def _decline_upgrade(self) -> None:
        """Go on in HTTP/1.1 after an offer to upgrade, such as h2c, which some clients make with every first request.

        To take no notice is to decline (RFC 9110, 7.8). But the parser takes the request for ended, and what follows
        for another protocol: a new one is told to expect the body.
        """
        assert self.incoming is not None  # noqa: S101  # it is what made the offer
        self._upgrading, self._resuming = False, True
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(head_of_body(self.incoming.headers))

    def _break(self) -> None:
        if self.incoming is None and not self.ended:
            if max(self._head_bytes, self._unused) > MAX_HEAD_BYTES:
                message = f"the request's head is too large; at most {MAX_HEAD_BYTES} bytes are allowed"
                self.last_words = 431, message
            else:
                self.last_words = 400, "the request is not valid HTTP/1.1"
        self.ended = True
        request, self.incoming = self.incoming, None
        self._owner.broken(request)
        if request is not None:
            request.close = True
            request.refuse(InvalidInput("the body is not valid HTTP/1.1"))
