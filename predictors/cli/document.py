"""Documents to summarize, read from a file, a web page or standard input."""

import sys
from pathlib import Path
from typing import NamedTuple

from predictors.cli.console import fail

_LARGEST_DOCUMENT_BYTES = 32 * 2**20


class _Fetched(NamedTuple):
    """Bytes, and what their sender says they are; None if nothing."""

    data: bytes
    content_type: str | None


def read_document(given: str, timeout_seconds: float) -> str:
    """Read the text of a document; one that is unreadable or has no text ends the command.

    Web pages, PDF and Word documents become text as the server would make it. Plain text stays as it is, line ends
    included, so that offsets are those of the file.

    Args:
        given: a path, an http(s) URL, or ``-`` for standard input.
        timeout_seconds: longest time without any data from a web server.
    """
    from predictors.extraction.errors import Unreadable
    from predictors.extraction.extract import extract

    fetched = _fetch(given, timeout_seconds)
    try:
        return extract(fetched.data, fetched.content_type, "" if given == "-" else given).text
    except Unreadable as error:
        fail(f"{given} cannot be read: {error}")


def _fetch(given: str, timeout_seconds: float) -> _Fetched:
    if given == "-":
        return _Fetched(sys.stdin.buffer.read(), None)
    if given.startswith(("http://", "https://")):
        return _download(given, timeout_seconds)
    try:
        return _Fetched(Path(given).read_bytes(), None)
    except (OSError, ValueError) as error:
        fail(f"{given} cannot be read: {getattr(error, 'strerror', None) or error}")


def _download(url: str, timeout_seconds: float) -> _Fetched:
    import httpx

    try:
        with httpx.stream("GET", url, timeout=timeout_seconds, follow_redirects=True) as response:
            if response.is_error:
                fail(f"{url} answered with status {response.status_code}")
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST_DOCUMENT_BYTES:
                    fail(f"{url} is larger than {_LARGEST_DOCUMENT_BYTES} bytes")
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError) as error:
        fail(f"{url} cannot be read: {error}")
    return _Fetched(bytes(body), response.headers.get("content-type"))
