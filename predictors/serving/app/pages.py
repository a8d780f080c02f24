"""Pages for people: files of our own, which load nothing from elsewhere and speak to this server alone.

Browsers keep them, and ask each time whether they have changed: a new version of the server has new pages.
"""

import functools
import hashlib
from pathlib import Path
from typing import NamedTuple

from predictors.serving.protocols.http import Header, Request, Response

_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
_INDEX = "index.html"
# No script may make markup or code out of a text either (require-trusted-types-for).
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: tuple[Header, ...] = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
)


class _File(NamedTuple):
    content: bytes
    etag: bytes


class Page:
    """A page and the files that it loads, all in one folder.

    Args:
        folder: has ``index.html``, and the rest.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files = tuple(sorted(path.name for path in folder.iterdir() if path.name != _INDEX))
        """What the page loads, from a folder with the page's name."""

    async def page(self, request: Request) -> Response:
        """``GET /PAGE``."""
        return self._answer(request, _INDEX)

    async def file(self, request: Request) -> Response:
        """``GET /PAGE/FILE``, one of `files`."""
        return self._answer(request, request.path.rpartition("/")[2])

    def _answer(self, request: Request, name: str) -> Response:
        file = _read(self._folder / name)
        headers = [(b"etag", file.etag), *_HEADERS]
        if file.etag in request.headers.get(b"if-none-match", b""):
            return Response(304, headers=[(b"content-length", b"%d" % len(file.content)), *headers])
        return Response(200, file.content, [(b"content-type", _TYPES[Path(name).suffix]), *headers])


@functools.cache
def _read(path: Path) -> _File:
    """A file; it is read when it is first asked for, so that the start does not wait for it."""
    content = path.read_bytes()
    return _File(content, b'"%b"' % hashlib.sha256(content).hexdigest()[:32].encode())
