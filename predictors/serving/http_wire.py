"""How HTTP/1.1 looks on the wire: the few forms that a connection reads and writes by itself."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import unquote

import httptools

Header = tuple[bytes, bytes]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_UPGRADE = re.compile(rb"(?<=\r\n)upgrade(?=[ \t]*:)", re.IGNORECASE)


def head(status: int, date_line: bytes, headers: Iterable[Header], length: int | None, *extra: bytes) -> list[bytes]:
    """The parts of a response's head.

    Args:
        status: its code.
        date_line: the date header, as a line.
        headers: all others but those of the body's length.
        length: of the body, bytes; none if that is told otherwise.
        extra: further lines.
    """
    parts = [_STATUS_LINES[status], date_line]
    for name, value in headers:
        parts += (name, b": ", value, b"\r\n")
    parts += extra
    parts.append(b"\r\n" if length is None else b"content-length: %d\r\n\r\n" % length)
    return parts


def chunk(part: bytes) -> bytes:
    """A part of a body in chunks; nothing for an empty one, which would be the last."""
    return b"%x\r\n%b\r\n" % (len(part), part) if part else b""


def target_path(target: bytes) -> str:
    """The path of a request's target, percent-decoded.

    Raises:
        UnicodeDecodeError, httptools.HttpParserError: it is not a valid target.
    """
    if target[:1] != b"/" or b"?" in target or b"#" in target:
        target = httptools.parse_url(target).path or b""
    path = target.decode("ascii")
    return unquote(path) if "%" in path else path


def decline_upgrade(data: bytes) -> bytes:
    """What came, with an offer to upgrade made unseen.

    Some clients offer h2c with every first request. To take no notice is to decline (RFC 9110, 7.8); but the parser
    would stop at the end of such a head, and the body be lost.
    """
    if b"pgrade" not in data:
        return data
    first, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"x-grade", first) + end + rest
