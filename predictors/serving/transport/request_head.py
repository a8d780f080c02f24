"""The head of a request: what HTTP/1.1 forbids, how large it may be, and ASGI's form of its target."""

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address
from urllib.parse import unquote

import httptools

MAX_HEAD_BYTES = 64 * 1024
_SEPARATORS = len(": \r\n")
# RFC 3986, 3.2.2 and 3.2.3: a name, an IPv4 address, or an address in brackets; then a port. A name may be empty.
_HOST = re.compile(
    rb"(?:\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\]|\[[vV][0-9A-Fa-f]+\.[\w.~!$&'()*+,;=:-]+\]"
    rb"|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?"
)


def parse_target(target: bytes, method: bytes) -> tuple[str, bytes, bytes]:
    """Take a request's target apart.

    Returns:
        ASGI's ``path``, ``raw_path`` and ``query_string``.

    Raises:
        ValueError, httptools.HttpParserError: it is not valid, or not for this method (RFC 9112, 3.2.4).
    """
    query = b""
    if target == b"*":
        if method != b"OPTIONS":
            raise ValueError("no path")
        return "*", target, query
    if target[:1] != b"/" or b"?" in target or b"#" in target:
        parsed = httptools.parse_url(target)
        target, query = parsed.path or b"/", parsed.query or b""
    path = target.decode("ascii")
    return unquote(path) if "%" in path else path, target, query


def check_head(version: str, headers: Sequence[tuple[bytes, bytes]], fields: Mapping[bytes, bytes]) -> None:
    """Refuse what no client may send (RFC 9112, 2.6, 3.2 and 6.1): it may be meant to smuggle a second request.

    Args:
        version: of HTTP, such as ``1.1``.
        headers: names in lower case.
        fields: the first value of each.

    Raises:
        ValueError: saying what it is.
    """
    if version not in ("1.1", "1.0"):
        raise ValueError("another version")
    if version == "1.1" and b"host" not in fields:
        raise ValueError("no host")
    if not _is_host(fields.get(b"host", b"")):
        raise ValueError("a host that is none")
    if len(fields) < len(headers) and [name for name, _ in headers].count(b"host") > 1:
        raise ValueError("two hosts")
    if fields.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise ValueError("an unknown transfer coding")


def _is_host(value: bytes) -> bool:
    """Whether this is a host with or without a port."""
    host = _HOST.fullmatch(value)
    return host is not None and (host["ipv6"] is None or _is_ipv6(host["ipv6"].decode()))


def _is_ipv6(address: str) -> bool:
    try:
        IPv6Address(address)
    except ValueError:
        return False
    return True


def head_bytes(target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> int:
    """How large a head is, or the part of it that has come, bytes."""
    return len(target) + sum(len(name) + len(value) + _SEPARATORS for name, value in headers)


def head_of_body(fields: Mapping[bytes, bytes]) -> bytes:
    """A head that makes a parser expect the body that these headers announce."""
    framing = b"content-length: %b" % fields.get(b"content-length", b"0")
    if b"transfer-encoding" in fields:
        framing = b"transfer-encoding: chunked"
    return b"POST / HTTP/1.1\r\nhost: x\r\n%b\r\n\r\n" % framing
