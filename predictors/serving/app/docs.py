"""The page behind ``/docs``: the OpenAPI document for people, with a form to try each operation.

It is three small files of our own: the Python packages that ship a Swagger UI, Redoc or Scalar which knows OpenAPI 3.1
each depend on Flask, Django or FastAPI.
"""

import functools
from pathlib import Path

from predictors.serving.protocols.http import Header, Request, Response

_FOLDER = Path(__file__).parent / "docs_page"
_TYPES = {
    "index.html": b"text/html; charset=utf-8",
    "docs.css": b"text/css; charset=utf-8",
    "docs.js": b"text/javascript; charset=utf-8",
}
FILES = tuple(name for name in _TYPES if name != "index.html")
"""What the page loads, from the folder ``/docs``."""
# Nothing from elsewhere is loaded, and the page speaks to this server alone.
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: tuple[Header, ...] = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)


async def page(request: Request) -> Response:
    """``GET /docs``."""
    return _response("index.html")


async def asset(request: Request) -> Response:
    """``GET /docs/FILE``, one of `FILES`."""
    return _response(request.path.rpartition("/")[2])


def _response(name: str) -> Response:
    return Response(200, _read(name), [(b"content-type", _TYPES[name]), *_HEADERS])


@functools.cache
def _read(name: str) -> bytes:
    """A file of the page; it is read when it is first asked for, so that the start does not wait for it."""
    return (_FOLDER / name).read_bytes()
