"""Where a request comes from, behind proxies that are trusted."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from predictors.serving.errors import StartupError

UNIX = "unix"
"""The address of whoever comes by the Unix socket."""
# One site has at least a /64 of IPv6, and may use a new address for each request.
_IPV6_SITE_BITS = 64


class Addresses:
    """Finds the addresses of clients.

    Args:
        trusted: addresses or networks of proxies, or ``unix``.

    Raises:
        StartupError: one is neither.
    """

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusts_unix = UNIX in trusted
        try:
            self._trusted = [ip_network(each, strict=False) for each in trusted if each != UNIX]
        except ValueError:
            raise StartupError(
                f"--trusted_proxies {','.join(trusted)}: give networks, such as 10.0.0.0/8, or {UNIX}"
            ) from None

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The address that limits count by; of IPv6, that of the site.

        Each proxy adds at the end of X-Forwarded-For who asked it. So the list is read from its end, as long as trusted
        proxies wrote it: what stands before that, a client may have made up.

        Args:
            peer: the other end of the connection.
            forwarded: the values of X-Forwarded-For, in their order.
        """
        if not self._trusted and not self._trusts_unix:
            return _site(peer)
        hops = [hop.strip() for value in forwarded for hop in value.split(",")]
        while hops and self._trusts(peer):
            if _parsed(hops[-1]) is None:  # a proxy that says "unknown" stands for its clients
                break
            peer = hops.pop()
        return _site(peer)

    def _trusts(self, peer: str) -> bool:
        if peer == UNIX:
            return self._trusts_unix
        address = _parsed(peer)
        return address is not None and any(address in network for network in self._trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address, which may have a port, as some proxies write it; None if it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=4096)
def _site(text: str) -> str:
    address = _parsed(text)
    if address is None:
        return text
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_SITE_BITS), strict=False))
    return str(address)
