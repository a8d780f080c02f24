"""Gives each request an id, and writes its line of the access log."""

import asyncio

from predictors.serving.protocols.http import AsgiApp, ClientDisconnected, Message, Receive, Request, Scope, Send
from predictors.serving.telemetry.access_log import AccessLog
from predictors.serving.telemetry.call import RequestIds


class AccessLogMiddleware:
    """Makes the `Request` that all further layers share, tells its client the id, and logs what became of it.

    Args:
        app: the next layer.
        access_log: where the line goes.
        ids: names requests.
        max_body_bytes: the limit for a body.
    """

    def __init__(self, app: AsgiApp, access_log: AccessLog, ids: RequestIds, max_body_bytes: int) -> None:
        self._app = app
        self._access_log = access_log
        self._choose_id = ids.choose
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = scope["request"] = Request(scope, self._choose_id, self._max_body_bytes)
        try:
            await self._app(scope, receive, _Responder(request, send).send)
        except (ClientDisconnected, asyncio.CancelledError):
            pass  # nobody is there to be answered
        finally:
            self._access_log.write(request)


class _Responder:
    """Sends one answer, and notes on the request what is sent."""

    __slots__ = ("_request", "_send")

    def __init__(self, request: Request, send: Send) -> None:
        self._request = request
        self._send = send

    async def send(self, message: Message) -> None:
        request = self._request
        if message["type"] == "http.response.start":
            request.code = str(message["status"])
            headers = message["headers"]
            headers.append((b"x-request-id", request.id.encode()))
            if request.version:
                headers.append((b"x-model-version", request.version.encode()))
            if request.cache:
                headers.append((b"x-cache", request.cache.encode()))
            if request.served_by:
                headers.append((b"x-served-by", request.served_by.encode()))
            if request.standing is not None:
                headers.append((b"ratelimit-policy", request.standing.policy.encode()))
                headers.append((b"ratelimit", request.standing.left.encode()))
        else:
            request.bytes_out += len(message.get("body", b""))
        await self._send(message)
