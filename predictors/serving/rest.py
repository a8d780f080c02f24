"""REST: the ASGI application. Handlers know protocols; this module knows statuses, headers and accounting."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from predictors.serving import sse
from predictors.serving.errors import (
    DeadlineExceeded,
    InvalidInput,
    MethodNotAllowed,
    MissingField,
    ModelNotReady,
    NotFound,
    Overloaded,
    ServingError,
    TooLarge,
    UnsupportedMediaType,
)
from predictors.serving.http import ClientDisconnected, Receive, Request, Response, Scope, Send
from predictors.serving.http_protocol import TASK_KEY
from predictors.serving.registry import Registry
from predictors.serving.routing import Router
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry import Call, Telemetry

logger = logging.getLogger(__name__)

HTTP_STATUS: dict[type[ServingError], int] = {
    InvalidInput: 400,
    MissingField: 422,
    NotFound: 404,
    MethodNotAllowed: 405,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    Overloaded: 429,
    ModelNotReady: 503,
    DeadlineExceeded: 504,
}
_ENDED = "the server ended before the answer was ready"
_CLIENT_CLOSED_REQUEST = "499"  # nginx's code for a client that left; only ever seen in metrics and logs


class RestApp:
    """The ASGI application.

    Args:
        router: the endpoints.
        registry: for whether the server is draining.
        settings: for the limits.
        telemetry: where finished requests go.
    """

    def __init__(self, router: Router, registry: Registry, settings: ServerSettings, telemetry: Telemetry) -> None:
        self._router = router
        self._registry = registry
        self._settings = settings
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        scope[TASK_KEY] = asyncio.current_task()
        call = Call("", _header(scope, b"x-request-id"), path)
        try:
            try:
                response = await self._answer(scope, receive, call, path)
            except ServingError as error:
                response = error_response(error, call)
            except asyncio.CancelledError:
                if not self._registry.draining:
                    raise ClientDisconnected from None  # the connection is gone, and with it whoever would read on
                response = error_response(ModelNotReady(_ENDED), call)
            except ClientDisconnected:
                raise
            except Exception:
                logger.exception("request %s failed", call.id)
                response = Response.json(call.error_body(_unforeseen(call), 500, ""), 500)
            call.code = str(response.status)
            call.bytes_out = len(response.body)
            call.quiet = call.quiet and response.status in (200, 503)  # changes of readiness are logged by themselves
            await self._send(response, call, send)
        except ClientDisconnected:
            call.code = _CLIENT_CLOSED_REQUEST
        finally:
            self._telemetry.finish(call)

    async def _answer(self, scope: Scope, receive: Receive, call: Call, path: str) -> Response:
        route, params = self._router.match(scope["method"], path)
        call.protocol, call.quiet, call.error_body = route.protocol, route.quiet, route.error_body
        settings = self._settings
        request = Request(scope, receive, call, settings.max_body_bytes, settings.request_timeout_seconds)
        request.params = params
        return await route.handler(request)

    async def _send(self, response: Response, call: Call, send: Send) -> None:
        headers = response.headers
        if response.stream is None:
            headers.append((b"content-length", b"%d" % len(response.body)))
        headers.append((b"x-request-id", call.id.encode()))
        if call.slot is not None and call.slot.version:
            headers.append((b"x-model-version", call.slot.version.encode()))
        if call.cache:
            headers.append((b"x-cache", call.cache.encode()))
        if call.close or self._registry.draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        streams = response.stream is not None
        await send({"type": "http.response.body", "body": response.body, "more_body": streams})
        if response.stream is not None:
            async with contextlib.aclosing(response.stream) as stream:
                await self._send_stream(stream, call, send)

    async def _send_stream(self, stream: AsyncIterator[bytes], call: Call, send: Send) -> None:
        try:
            async for part in stream:
                call.bytes_out += len(part)
                await send({"type": "http.response.body", "body": part, "more_body": True})
        except ServingError as error:
            await self._send_error(str(error), HTTP_STATUS[type(error)], call, send)
        except asyncio.CancelledError:
            if not self._registry.draining:
                raise ClientDisconnected from None
            await self._send_error(_ENDED, HTTP_STATUS[ModelNotReady], call, send)
        except Exception:
            logger.exception("request %s failed", call.id)
            await self._send_error(_unforeseen(call), 500, call, send)
        await send({"type": "http.response.body", "body": b""})

    async def _send_error(self, message: str, status: int, call: Call, send: Send) -> None:
        """Tell of an error after the head was sent, as the last event."""
        call.code = str(status)
        part = sse.event(call.error_body(message, status, ""), "error")
        call.bytes_out += len(part)
        await send({"type": "http.response.body", "body": part, "more_body": True})


def error_response(error: ServingError, call: Call) -> Response:
    """Map an error to its status, in the shape that the call's protocol gives errors."""
    status = HTTP_STATUS[type(error)]
    response = Response.json(call.error_body(str(error), status, error.field), status)
    if isinstance(error, MethodNotAllowed):
        response.headers.append((b"allow", ", ".join(error.allowed).encode()))
    if isinstance(error, Overloaded):
        response.headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
    return response


def _unforeseen(call: Call) -> str:
    return f"internal error; the request id is {call.id}"


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            decoded: str = value.decode("latin-1")
            return decoded
    return None
