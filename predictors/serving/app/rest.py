"""REST: the application. Handlers know protocols; this module knows statuses, headers and accounting."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from predictors.serving.protocols import sse
from predictors.serving.app.middleware.cors import Cors
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
from predictors.serving.protocols.http import ClientDisconnected, Request, Response
from predictors.serving.transport.http_protocol import HttpProtocol
from predictors.serving.dispatch.registry import Registry
from predictors.serving.app.routing import Router
from predictors.serving.telemetry.call import Call, Telemetry

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
    """The application.

    Args:
        router: the endpoints.
        registry: the models.
        cors: which browsers' origins may call, if any.
        telemetry: where finished requests go.
    """

    def __init__(self, router: Router, registry: Registry, cors: Cors | None, telemetry: Telemetry) -> None:
        self._router = router
        self._registry = registry
        self._cors = cors
        self.telemetry = telemetry

    @property
    def least_queue(self) -> int:
        """The shortest queue of a model."""
        return min(slot.max_queue for slot in self._registry.slots.values())

    def turn_away(self, request: Request, connection: HttpProtocol, queued: int) -> bool:
        """Refuse a request to a model at once if as many as its queue is long wait for the event loop already.

        A request that is computed on the event loop waits for it instead of for a thread. Turned away here it costs a
        tenth of its answer, which leaves the time to those that were taken.
        """
        with contextlib.suppress(ServingError):  # whatever it is, it is told when its turn comes
            route, params = self._router.match(request.method, request.path)
            slot = self._registry.slots.get(params.get("model", "")) if route.protocol else None
            if slot is not None and queued >= slot.max_queue:
                request.protocol, request.slot = route.protocol, slot
                try:
                    self._send(request, error_response(slot.overloaded(queued), request), connection)
                except ClientDisconnected:
                    request.code = _CLIENT_CLOSED_REQUEST
                self.telemetry.finish(request)
                return True
        return False

    def lose(self, request: Request) -> None:
        """Account for a request whose client left before it had its turn."""
        request.code = _CLIENT_CLOSED_REQUEST
        self.telemetry.finish(request)

    async def answer(self, request: Request, connection: HttpProtocol) -> None:
        """Answer one request; raises nothing."""
        try:
            connection.begun()
            response = await self._response(request, connection)
            self._send(request, response, connection)
            if response.stream is not None:
                async with contextlib.aclosing(response.stream) as stream:
                    await self._send_stream(stream, request, connection)
        except ClientDisconnected:
            request.code = _CLIENT_CLOSED_REQUEST
        finally:
            connection.done(request)
            self.telemetry.finish(request)

    async def _response(self, request: Request, connection: HttpProtocol) -> Response:
        try:
            if self._cors is not None and (preflight := self._cors.preflight(request)) is not None:
                return preflight
            route, request.params = self._router.match(request.method, request.path)
            request.protocol, request.quiet, request.error_body = route.protocol, route.quiet, route.error_body
            return await route.handler(request)
        except ServingError as error:
            return error_response(error, request)
        except asyncio.CancelledError:
            if connection.gone:
                raise ClientDisconnected from None
            return error_response(ModelNotReady(_ENDED), request)
        except Exception:
            logger.exception("request %s failed", request.id)
            return Response.json(request.error_body(_unforeseen(request), 500, ""), 500)

    def _send(self, request: Request, response: Response, connection: HttpProtocol) -> None:
        headers = response.headers
        request.code = str(response.status)
        request.bytes_out = len(response.body)
        request.quiet = request.quiet and response.status in (200, 503)  # changes of readiness are logged by themselves
        request.close = request.close or self._registry.draining
        headers.append((b"x-request-id", request.id.encode()))
        if request.slot is not None and request.slot.version:
            headers.append((b"x-model-version", request.slot.version.encode()))
        if request.cache:
            headers.append((b"x-cache", request.cache.encode()))
        if self._cors is not None:
            headers += self._cors.headers(request)
        connection.respond(response)

    async def _send_stream(self, stream: AsyncIterator[bytes], call: Call, connection: HttpProtocol) -> None:
        try:
            async for part in stream:
                call.bytes_out += len(part)
                await connection.send(part)
        except ClientDisconnected:
            raise
        except ServingError as error:
            await self._send_error(str(error), HTTP_STATUS[type(error)], call, connection)
        except asyncio.CancelledError:
            if connection.gone:
                raise ClientDisconnected from None
            await self._send_error(_ENDED, HTTP_STATUS[ModelNotReady], call, connection)
        except Exception:
            logger.exception("request %s failed", call.id)
            await self._send_error(_unforeseen(call), 500, call, connection)
        connection.end()

    async def _send_error(self, message: str, status: int, call: Call, connection: HttpProtocol) -> None:
        """Tell of an error after the head was sent, as the last event."""
        call.code = str(status)
        part = sse.event(call.error_body(message, status, ""), "error")
        call.bytes_out += len(part)
        await connection.send(part)


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
