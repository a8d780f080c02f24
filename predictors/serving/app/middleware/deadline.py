"""Works out when the answer to a request must be ready."""

from collections.abc import Awaitable

from predictors.serving.protocols.deadline import HEADER, allowed_seconds
from predictors.serving.protocols.http import AsgiApp, Receive, Request, Scope, Send

_HEADER = HEADER.encode()


class DeadlineMiddleware:
    """Sets each request's deadline. Reading its body and waiting for the model end there.

    Args:
        app: the next layer.
        timeout_seconds: the longest time that the server allows.
    """

    def __init__(self, app: AsgiApp, timeout_seconds: float) -> None:
        self._app = app
        self._timeout_seconds = timeout_seconds

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request. Not a coroutine itself, since nothing is left to do afterwards.

        Raises:
            InvalidInput: ``x-request-timeout-ms`` is not a positive whole number.
        """
        request: Request = scope["request"]
        seconds = self._timeout_seconds
        if _HEADER in request.headers:
            seconds = allowed_seconds(seconds, request.header(_HEADER))
        request.deadline = request.started + seconds
        return self._app(scope, receive, send)
