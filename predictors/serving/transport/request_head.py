"""The head of a request: what HTTP/1.1 forbids, how large it may be, and ASGI's form of its target."""

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import httptools

MAX_HEAD_BYTES = 64 * 1024
_SEPARATORS = len(": \r\n")


def parse_target(target: bytes) -> tuple[str, bytes, bytes]:
    """Take a request's target apart.

    Returns:
        ASGI's ``path``, ``raw_path`` and ``query_string``.

    Raises:
        UnicodeDecodeError, httptools.HttpParserError: it is not valid.
    """
    query = b""
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
    if len(fields) < len(headers) and [name for name, _ in headers].count(b"host") > 1:
        raise ValueError("two hosts")
    if fields.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise ValueError("an unknown transfer coding")


def head_bytes(target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> int:
    """How large a head is, or the part of it that has come, bytes."""
    return len(target) + sum(len(name) + len(value) + _SEPARATORS for name, value in headers)


def head_of_body(fields: Mapping[bytes, bytes]) -> bytes:
    """A head that makes a parser expect the body that these headers announce."""
    framing = b"content-length: %b" % fields.get(b"content-length", b"0")
    if b"transfer-encoding" in fields:
        framing = b"transfer-encoding: chunked"
    return b"POST / HTTP/1.1\r\nhost: x\r\n%b\r\n\r\n" % framing
