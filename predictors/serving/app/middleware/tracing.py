"""Makes requests part of a trace, and tells clients which."""

from collections.abc import Awaitable

from predictors.serving.protocols.http import AsgiApp, Message, Receive, Request, Scope, Send
from predictors.serving.telemetry.trace import CURRENT, Trace
from predictors.serving.telemetry.tracing import Tracing


class TracingMiddleware:
    """Traces requests. There is none of it in a server that does not trace.

    Args:
        app: the next layer.
        tracing: decides which requests are traced, and gets their spans.
    """

    def __init__(self, app: AsgiApp, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request. Not a coroutine itself, since most requests are not traced."""
        request: Request = scope["request"]
        trace = request.trace = self._tracing.begin(request.header(b"traceparent"))
        return self._app(scope, receive, send) if trace is None else self._traced(trace, scope, receive, send)

    async def _traced(self, trace: Trace, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_trace(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"traceresponse", trace.traceparent.encode()))
            await send(message)

        CURRENT.set(trace)
        try:
            await self._app(scope, receive, send_with_trace)
        finally:
            CURRENT.set(None)  # the task goes on with the connection's next request
            self._tracing.end(scope["request"])
