"""Cross-origin requests: what browsers ask before they let a page read an answer (the Fetch standard, 3.2)."""

from collections.abc import Iterable

from predictors.serving.app.responding import send_response
from predictors.serving.protocols.http import AsgiApp, Header, Message, Receive, Request, Response, Scope, Send

_METHODS = b"GET, POST"
_EXPOSED = (
    b"x-request-id, x-model-version, x-cache, x-served-by, retry-after, ratelimit, ratelimit-policy, www-authenticate"
)
# How long a browser may remember the answer to a preflight, seconds.
_MAX_AGE = b"600"


class CorsMiddleware:
    """Tells browsers which origins may call.

    Args:
        app: the next layer.
        origins: such as ``https://shop.example``; ``*`` is any.
    """

    def __init__(self, app: AsgiApp, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; preflights are answered here."""
        request: Request = scope["request"]

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += self._headers(request)
            await send(message)

        if request.method == "OPTIONS" and b"access-control-request-method" in request.headers:
            await send_response(Response(200, headers=_preflight(request)), request, scope, send_with_origin)
        else:
            await self._app(scope, receive, send_with_origin)

    def _headers(self, request: Request) -> Iterable[Header]:
        origin = request.headers.get(b"origin")
        if origin is None or not (b"*" in self._origins or origin in self._origins):
            return ((b"vary", b"origin"),)
        return (
            (b"vary", b"origin"),
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED),
        )


def _preflight(request: Request) -> list[Header]:
    headers: list[Header] = [(b"access-control-allow-methods", _METHODS), (b"access-control-max-age", _MAX_AGE)]
    wanted = request.headers.get(b"access-control-request-headers")
    if wanted is not None:
        headers.append((b"access-control-allow-headers", wanted))
    return headers
