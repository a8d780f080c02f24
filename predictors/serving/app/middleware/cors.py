"""Cross-origin requests: what browsers want to know before they let a page read an answer (the Fetch standard, 3.2)."""

from collections.abc import Iterable

from predictors.serving.protocols.http import Request, Response
from predictors.serving.transport.http_wire import Header

_METHODS = b"GET, POST"
_EXPOSED = b"x-request-id, x-model-version, x-cache, retry-after"
# How long a browser may remember the answer to a preflight, seconds.
_MAX_AGE = b"600"


class Cors:
    """Which origins may call.

    Args:
        origins: such as ``https://shop.example``; ``*`` is any.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def preflight(self, request: Request) -> Response | None:
        """Answer a browser that asks for leave; None if it is something else."""
        if request.method != "OPTIONS" or b"access-control-request-method" not in request.headers:
            return None
        headers: list[Header] = [(b"access-control-allow-methods", _METHODS), (b"access-control-max-age", _MAX_AGE)]
        wanted = request.headers.get(b"access-control-request-headers")
        if wanted is not None:
            headers.append((b"access-control-allow-headers", wanted))
        return Response(200, b"", headers)

    def headers(self, request: Request) -> Iterable[Header]:
        """What an answer to a request needs."""
        origin = request.headers.get(b"origin")
        if origin is None or not (b"*" in self._origins or origin in self._origins):
            return ((b"vary", b"origin"),)
        return (
            (b"vary", b"origin"),
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED),
        )
