"""The one place where exceptions become HTTP answers, each in the form of the request's protocol."""

import asyncio
import logging
from collections.abc import Callable

from predictors.serving.app.responding import send_response
from predictors.serving.errors import (
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    MethodNotAllowed,
    MissingField,
    ModelNotReady,
    NotFound,
    Overloaded,
    RateLimited,
    ServingError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from predictors.serving.protocols import sse
from predictors.serving.protocols.http import AsgiApp, ClientDisconnected, Receive, Request, Response, Scope, Send
from predictors.serving.telemetry.call import CLIENT_CLOSED_REQUEST

logger = logging.getLogger(__name__)

HTTP_STATUS: dict[type[ServingError], int] = {
    InvalidInput: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    MissingField: 422,
    NotFound: 404,
    MethodNotAllowed: 405,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    Overloaded: 429,
    RateLimited: 429,
    ModelNotReady: 503,
    Unavailable: 503,
    DeadlineExceeded: 504,
}


class ErrorMiddleware:
    """Answers for requests that fail.

    Args:
        app: the next layer.
        ending: whether the server cancels requests since it ends; otherwise their clients have left.
    """

    def __init__(self, app: AsgiApp, ending: Callable[[], bool]) -> None:
        self._app = app
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request: Request = scope["request"]
        try:
            await self._app(scope, receive, send)
        except ServingError as error:
            await _answer(error_response(error, request), request, scope, send)
        except ClientDisconnected:
            request.code = CLIENT_CLOSED_REQUEST
            raise
        except asyncio.CancelledError:
            if not self._ending():
                request.code = CLIENT_CLOSED_REQUEST
                raise
            ended = ModelNotReady("the server ended before the answer was ready")
            await _answer(error_response(ended, request), request, scope, send)
        except Exception:
            logger.exception("request %s failed", request.id)
            unforeseen = request.error_body(f"internal error; the request id is {request.id}", 500, "")
            await _answer(Response.json(unforeseen, 500), request, scope, send)


def error_response(error: ServingError, request: Request) -> Response:
    """Map an error to its status, in the form of the request's protocol."""
    status = HTTP_STATUS[type(error)]
    response = Response.json(request.error_body(str(error), status, error.field), status)
    if isinstance(error, MethodNotAllowed):
        response.headers.append((b"allow", ", ".join(error.allowed).encode()))
    if isinstance(error, (Unauthenticated, Forbidden)):
        response.headers.append((b"www-authenticate", _challenge(error)))
    if isinstance(error, (Overloaded, RateLimited)):
        response.headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
    if isinstance(error, Overloaded) and request.connection is not None:
        request.connection.pause()  # not if a client has had enough: a proxy's connection is that of others too
    return response


def _challenge(error: Unauthenticated | Forbidden) -> bytes:
    """How to authenticate, and what was wrong (RFC 6750, 3)."""
    code = error.code if isinstance(error, Unauthenticated) else "insufficient_scope"
    return b'Bearer realm="predictors"' + (f', error="{code}"'.encode() if code else b"")


async def _answer(response: Response, request: Request, scope: Scope, send: Send) -> None:
    """Send an error: as an answer, or as the last event of a stream whose head has been sent."""
    if request.code and not request.streaming:  # the server ends while a whole answer is being sent
        request.code = str(response.status)
        raise ClientDisconnected
    if request.code:
        request.code = str(response.status)
        await send({"type": "http.response.body", "body": sse.frame(response.body, "error")})
        return
    await send_response(response, request, scope, send)
