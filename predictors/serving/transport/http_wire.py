"""How HTTP/1.1 looks on the wire: the few forms that a connection reads and writes by itself."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from urllib.parse import unquote

import httptools

Header = tuple[bytes, bytes]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


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


def check_head(version: str, headers: Mapping[bytes, bytes]) -> None:
    """Refuse what no client may send (RFC 9112, 2.6, 3.2 and 6.1), as it may be meant to mislead.

    Raises:
        ValueError: with what it is.
    """
    if version not in ("1.1", "1.0"):
        raise ValueError("another version")
    if version == "1.1" and b"host" not in headers:
        raise ValueError("no host")
    if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise ValueError("an unknown transfer coding")


def head_of_body(headers: Mapping[bytes, bytes]) -> bytes:
    """A head that makes a parser expect the body that these headers announce."""
    if b"transfer-encoding" in headers:
        return b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    return b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %b\r\n\r\n" % headers.get(b"content-length", b"0")
