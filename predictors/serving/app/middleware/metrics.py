"""Counts each request for inference, and how long it took."""

from predictors.serving.protocols.http import AsgiApp, Receive, Scope, Send
from predictors.serving.telemetry.metrics import Metrics


class MetricsMiddleware:
    """Counts requests.

    Args:
        app: the next layer.
        metrics: where.
    """

    def __init__(self, app: AsgiApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._app(scope, receive, send)
        finally:
            self._metrics.count_request(scope["request"])
