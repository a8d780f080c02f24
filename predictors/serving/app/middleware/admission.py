"""Bounds the memory that request bodies take. How many requests may wait for a model, the data plane judges."""

from predictors.serving.errors import Overloaded
from predictors.serving.protocols.http import AsgiApp, Message, Receive, Scope, Send
from predictors.serving.telemetry.metrics import Metrics


class AdmissionMiddleware:
    """Refuses bodies while those of others fill the memory that there is for them.

    Args:
        app: the next layer.
        max_held_bytes: most bytes of bodies in memory at once.
        metrics: show them.
    """

    def __init__(self, app: AsgiApp, max_held_bytes: int, metrics: Metrics) -> None:
        self._app = app
        self._max_held_bytes = max_held_bytes
        self._held = 0
        metrics.bytes_held.set_function(lambda: self._held)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Overloaded: by ``receive``, for a part of a body beyond the limit.
        """
        held = 0

        async def receive_within_bounds() -> Message:
            nonlocal held
            message = await receive()
            size = len(message.get("body", b""))
            if self._held + size > self._max_held_bytes:
                raise Overloaded("the server holds too much unread data; try again in 1 s", 1)
            self._held += size
            held += size
            return message

        try:
            await self._app(scope, receive_within_bounds, send)
        finally:
            self._held -= held
