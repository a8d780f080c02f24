"""Gets documents from the public internet, and from nowhere else.

Whoever may name an address to a server may try to have it reach what only the server can: its neighbours, its own
ports, the metadata of its cloud. So each name is resolved once, all its addresses must be public, and the connection
goes to an address that was checked, whatever the name resolves to by then. The certificate must still be for the name.
A redirect is an address like any other. Nothing that the server knows is sent: no cookies, no credentials, no referrer;
and no proxy of the environment is used, which would resolve the name itself.
"""

import asyncio
import contextlib
import ssl
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

import httpx

from predictors import __version__
from predictors.serving.errors import DeadlineExceeded, InvalidInput, Overloaded
from predictors.serving.fetching.public import is_public
from predictors.serving.fetching.resolver import Resolver
from predictors.serving.fetching.target import Target, parse_target

Resolve: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""Gives the IP addresses of a host; raises OSError or UnicodeError if there are none."""
NewTransport: TypeAlias = Callable[[], httpx.AsyncBaseTransport]

_SECONDS = 20.0
_CONNECT_SECONDS = 4.0
_MOST_REDIRECTS = 5
_MOST_AT_ONCE = 8
# Of several addresses, those of a kind that the network does not carry come first now and then.
_MOST_TRIED = 4
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "user-agent": f"kserve-predictors/{__version__}",
    "accept": "text/html, text/plain, text/markdown, application/pdf, */*;q=0.1",
    "accept-encoding": "gzip",
    "connection": "close",
}
# What no document can be. The rest is judged by whoever reads it: servers call documents many things.
_NO_DOCUMENTS = ("image/", "audio/", "video/", "font/", "multipart/")
_GZIP = 16 + zlib.MAX_WBITS


class Document(NamedTuple):
    """What was fetched.

    Args:
        url: where it was in the end.
        content_type: what its server calls it; may be empty.
        data: its bytes.
    """

    url: str
    content_type: str
    data: bytes


def new_transport() -> httpx.AsyncBaseTransport:
    """A connection of its own, so that none is used again that was made to another name."""
    return httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), trust_env=False)


class Fetcher:
    """Gets documents.

    Args:
        most_bytes: of a document, decompressed.
        resolve: finds the addresses of names; by default, the system's resolver does.
        new_transport: makes connections, each its own; called on a thread, since certificates are read. The URL of a
            request has an address that was checked; its header ``host`` and its extension ``sni_hostname`` the name.
    """

    def __init__(
        self, most_bytes: int, resolve: Resolve | None = None, new_transport: NewTransport = new_transport
    ) -> None:
        self._most_bytes = most_bytes
        self._resolve = resolve or Resolver()
        self._new_transport = new_transport
        self._running = 0

    async def fetch(self, address: str, deadline: float) -> Document:
        """Get a document.

        Args:
            address: ``http://…`` or ``https://…``.
            deadline: seconds on the clock of `time.monotonic`.

        Raises:
            InvalidInput: it may not be fetched, or cannot be; the sentence says why.
            DeadlineExceeded: it did not arrive in time.
            Overloaded: too many are being fetched.
        """
        if self._running >= _MOST_AT_ONCE:
            raise Overloaded(f"{_MOST_AT_ONCE} documents are being fetched, the most at once; try again in 2 s", 2)
        seconds = min(_SECONDS, deadline - time.monotonic())
        self._running += 1
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(parse_target(address))
        except TimeoutError:
            if seconds < _SECONDS:
                raise DeadlineExceeded("the document did not arrive before the deadline") from None
            raise _refusal(f"the document did not arrive within {seconds:.0f} s") from None
        finally:
            self._running -= 1

    async def _follow(self, target: Target) -> Document:
        for _ in range(_MOST_REDIRECTS + 1):
            addresses = await self._public_addresses(target.host)
            async with await asyncio.to_thread(self._new_transport) as transport:
                response = await _ask(transport, target, addresses[:_MOST_TRIED])
                async with contextlib.aclosing(response):
                    location = response.headers.get("location")
                    if response.status_code not in _REDIRECTS or location is None:
                        return await self._read(response, target)
            target = target.join(location)
        raise _refusal(f"the address redirects more than {_MOST_REDIRECTS} times")

    async def _public_addresses(self, host: str) -> Sequence[str]:
        """The addresses of a host. Whether there are none, or private ones, is nothing that a stranger must know."""
        try:
            addresses = list(dict.fromkeys(await self._resolve(host)))
        except (OSError, UnicodeError):
            addresses = []
        if not addresses or not all(map(is_public, addresses)):
            raise _refusal(f"{host} has no public address; only documents of the public internet are fetched")
        return addresses

    async def _read(self, response: httpx.Response, target: Target) -> Document:
        content_type = response.headers.get("content-type", "")
        if response.status_code != 200:
            raise _refusal(f"{target.host} answered with status {response.status_code}")
        if content_type.lower().startswith(_NO_DOCUMENTS):
            raise _refusal("there is no document at this address, but a picture, a recording or the like")
        try:
            data = await self._body(response)
        except (httpx.TransportError, zlib.error):
            raise _refusal(f"the document from {target.host} broke off") from None
        return Document(str(target.url), content_type, data)

    async def _body(self, response: httpx.Response) -> bytes:
        """The body, decompressed no further than it may be large: httpx would decompress all of a part first."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise _refusal("the document is compressed in a way that was not asked for")
        unzip = zlib.decompressobj(_GZIP) if encoding != "identity" else None
        body, received = bytearray(), 0
        async for part in response.aiter_raw():
            received += len(part)
            body += part if unzip is None else unzip.decompress(part, self._most_bytes + 1 - len(body))
            if max(len(body), received) > self._most_bytes:
                raise _refusal(f"the document is too large; at most {self._most_bytes} bytes are allowed")
        if unzip is not None and (not unzip.eof or unzip.unused_data):
            raise zlib.error
        return bytes(body)


async def _ask(transport: httpx.AsyncBaseTransport, target: Target, addresses: Sequence[str]) -> httpx.Response:
    """Ask the first of a host's addresses that can be connected to."""
    for address in addresses:
        request = httpx.Request(
            "GET",
            target.url.copy_with(host=address),
            headers={**_HEADERS, "host": target.url.netloc.decode("ascii")},
            extensions={"sni_hostname": target.host, "timeout": {"connect": _CONNECT_SECONDS}},
        )
        try:
            return await transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
        except httpx.TransportError:
            raise _refusal(f"{target.host} gave no answer that can be understood") from None
    raise _refusal(f"{target.host} cannot be reached, or its certificate is not valid")


def _refusal(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, "url")
