"""An address as a caller writes it → what to connect to and what to ask for."""

import re
from typing import NamedTuple

import httpx

from predictors.serving.errors import InvalidInput

_MOST_CHARS = 2000
_PORTS = {"http": 80, "https": 443}
# Names as they are sent, and addresses. A zone, such as in fe80::1%eth0, is of this machine, so there is none.
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*")
_FIELD = "url"


class Target(NamedTuple):
    """What to ask, and whom.

    Args:
        url: without a fragment.
        host: a name in ASCII, or an IP address, however it is written.
    """

    url: httpx.URL
    host: str

    def join(self, location: str) -> "Target":
        """Where a redirect leads.

        Raises:
            InvalidInput: to no address that may be fetched.
        """
        try:
            joined = self.url.join(location)
        except (httpx.InvalidURL, ValueError):  # the one of idna is no InvalidURL
            raise _refusal("the address leads to one that is not valid") from None
        return parse_target(str(joined))


def parse_target(address: str) -> Target:
    """Read the address of a document.

    Raises:
        InvalidInput: it is not one, or one that is never fetched; the sentence says what is.
    """
    if len(address) > _MOST_CHARS:
        raise _refusal(f"the address has {len(address)} characters; at most {_MOST_CHARS} are allowed")
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError):
        raise _refusal("the address is not valid; one such as https://example.com/terms is expected") from None
    if url.scheme not in _PORTS:
        raise _refusal("the address must begin with http:// or https://")
    if url.userinfo:
        raise _refusal("the address must have no name or password in it (what stands before an @)")
    host = url.raw_host.decode("ascii", "replace").removesuffix(".")
    if not _HOST.fullmatch(host):
        raise _refusal("the address names no host; one such as https://example.com/terms is expected")
    if url.port is not None and url.port not in _PORTS.values():
        raise _refusal("only the ports 80 and 443 are allowed; leave the port out of the address")
    return Target(url.copy_with(host=host, fragment=None), host)


def _refusal(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, _FIELD)
