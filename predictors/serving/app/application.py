"""The ASGI application: which middleware a request passes through, and the handler at the end."""

from collections.abc import Callable, Iterable

from predictors.serving.access.door import Door
from predictors.serving.app.middleware.access import AccessMiddleware
from predictors.serving.app.middleware.access_log import AccessLogMiddleware
from predictors.serving.app.middleware.admission import AdmissionMiddleware
from predictors.serving.app.middleware.cors import CorsMiddleware
from predictors.serving.app.middleware.deadline import DeadlineMiddleware
from predictors.serving.app.middleware.errors import ErrorMiddleware
from predictors.serving.app.middleware.metrics import MetricsMiddleware
from predictors.serving.app.middleware.routing import RoutingMiddleware
from predictors.serving.app.middleware.tracing import TracingMiddleware
from predictors.serving.app.responding import send_response
from predictors.serving.app.routing import Router
from predictors.serving.protocols.http import AsgiApp, Receive, Request, Response, Scope, Send
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.access_log import AccessLog
from predictors.serving.telemetry.call import RequestIds
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.telemetry.tracing import Tracing


def build_application(
    router: Router,
    settings: ServerSettings,
    *,
    metrics: Metrics,
    access_log: AccessLog,
    ids: RequestIds,
    ending: Callable[[], bool],
    door: Door | None = None,
    tracing: Tracing | None = None,
) -> AsgiApp:
    """Build the application.

    Args:
        router: finds the handlers.
        settings: for the limits.
        metrics: where requests are counted.
        access_log: where they are logged.
        ids: names them.
        ending: whether the server cancels requests since it ends; otherwise their clients have left.
        door: finds out who calls; without one, everyone may.
        tracing: traces them; without it, none is.
    """
    # The first sees a request first, and its answer last.
    layers: Iterable[Callable[[AsgiApp], AsgiApp]] = (
        lambda app: AccessLogMiddleware(app, access_log, ids, settings.max_body_bytes),
        lambda app: TracingMiddleware(app, tracing) if tracing is not None else app,
        lambda app: MetricsMiddleware(app, metrics),
        lambda app: CorsMiddleware(app, settings.cors_origins) if settings.cors_origins else app,
        lambda app: ErrorMiddleware(app, ending),
        lambda app: RoutingMiddleware(app, router),
        lambda app: app if door is None else AccessMiddleware(app, door),
        lambda app: AdmissionMiddleware(app, settings.max_held_bytes, metrics),
        lambda app: DeadlineMiddleware(app, settings.request_timeout_seconds),
    )
    app: AsgiApp = _answer
    for layer in reversed(tuple(layers)):
        app = layer(app)
    return app


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Have the route's handler answer, and send what it gives."""
    request: Request = scope["request"]
    request.receive = receive
    try:
        response: Response = await scope["route"].handler(request)
        await send_response(response, request, scope, send)
    finally:
        del request.receive  # it leads to the scope and back: a cycle, which only the garbage collector would free
