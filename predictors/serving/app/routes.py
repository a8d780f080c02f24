"""All routes of the REST server."""

from pathlib import Path

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS

from predictors.serving.app.pages import Page
from predictors.serving.app.routing import Access, Handler, Route, Router
from predictors.serving.dataplane import DataPlane
from predictors.serving.protocols.http import Request, Response
from predictors.serving.protocols.legacy import LegacyHandlers
from predictors.serving.protocols.openai.replies import error_body, unrouted_body
from predictors.serving.protocols.openapi import document
from predictors.serving.protocols.v1.handlers import V1Handlers
from predictors.serving.protocols.v2.handlers import V2Handlers
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.metrics import Metrics

OPENAI = "/openai/v1"
_HERE = Path(__file__).parent
# In base64 a document is a third larger, and there is a little JSON around it.
_DOCUMENT_SHARE, _AROUND_DOCUMENT_BYTES = 0.75, 512


def build_router(plane: DataPlane, metrics: Metrics, settings: ServerSettings) -> Router:
    """Build the table of routes.

    Args:
        plane: answers.
        metrics: what `/metrics` shows.
        settings: say which pages there are.
    """
    router = Router()
    _add_v1(router, V1Handlers(plane))
    _add_v2(router, V2Handlers(plane))
    _add_legacy(router, LegacyHandlers(plane))
    router.add_prefix(OPENAI, unrouted_body)
    if plane.may_generate:
        _add_openai(router, plane)
    router.add("GET", "/openapi.json", Route(_openapi(plane)))
    _add_page(router, "/docs", Page(_HERE / "docs_page"))
    _add_probes(router, plane, metrics)
    if settings.ui:
        _add_ui(router, plane, settings)
    return router


def build_probe_router(plane: DataPlane, metrics: Metrics) -> Router:
    """Build the table of what probes and scrapes ask for, and nothing else."""
    router = Router()
    _add_probes(router, plane, metrics)
    return router


def _add_probes(router: Router, plane: DataPlane, metrics: Metrics) -> None:
    v1, v2, legacy = V1Handlers(plane), V2Handlers(plane), LegacyHandlers(plane)
    probes = {
        "/": v1.alive,
        "/v2/health/live": v2.live,
        "/v2/health/ready": v2.ready,
        "/health": legacy.health,
        "/ready": legacy.ready,
    }
    for path, handler in probes.items():
        router.add("GET", path, Route(handler, quiet=True, access=Access.EVERYONE))
    router.add("GET", "/metrics", Route(_metrics(metrics), quiet=True, access=Access.SCRAPERS))


def _add_v1(router: Router, v1: V1Handlers) -> None:
    router.add("POST", "/v1/models/{model}:predict", Route(v1.predict, "v1"))
    router.add("GET", "/v1/models/{model}", Route(v1.status, quiet=True))
    router.add("GET", "/v1/models", Route(v1.models))


def _add_v2(router: Router, v2: V2Handlers) -> None:
    for model in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        router.add("POST", f"{model}/infer", Route(v2.infer, "v2"))
        router.add("GET", model, Route(v2.model_metadata))
        router.add("GET", f"{model}/config", Route(v2.model_config))
        router.add("GET", f"{model}/ready", Route(v2.model_ready, quiet=True))
    router.add("GET", "/v2", Route(v2.metadata))
    router.add("GET", "/v2/models", Route(v2.models))
    router.add("POST", "/v2/repository/index", Route(v2.index))
    for model in ("/v2/repository/models/{model}", "/v2/repository/models/{model}/versions/{version}"):
        router.add("POST", f"{model}/load", Route(v2.load))
        router.add("POST", f"{model}/unload", Route(v2.unload))


def _add_legacy(router: Router, legacy: LegacyHandlers) -> None:
    router.add("POST", "/predict", Route(legacy.predict, "legacy"))
    router.add("POST", "/inference", Route(legacy.inference, "legacy"))
    router.add("GET", "/models", Route(legacy.models))


def _add_openai(router: Router, plane: DataPlane) -> None:
    from predictors.serving.protocols.openai.handlers import OpenAiHandlers

    openai = OpenAiHandlers(plane)

    def add(method: str, path: str, handler: Handler, protocol: str = "") -> None:
        router.add(method, OPENAI + path, Route(handler, protocol, error_body=error_body))

    add("POST", "/chat/completions", openai.chat, "openai")
    add("POST", "/completions", openai.completion, "openai")
    add("GET", "/models", openai.models)
    add("GET", "/models/{model}", openai.model)


def _add_page(router: Router, path: str, page: Page) -> None:
    router.add("GET", path, Route(page.page, access=Access.EVERYONE))
    for name in page.files:
        router.add("GET", f"{path}/{name}", Route(page.file, quiet=True, access=Access.EVERYONE))


def _add_ui(router: Router, plane: DataPlane, settings: ServerSettings) -> None:
    from predictors.serving.app.ui import UiHandlers  # brings an HTTP client, which no other route needs
    from predictors.serving.fetching.fetcher import Fetcher

    reads = settings.ui_fetch and plane.may_generate
    most_bytes = int(settings.max_body_bytes * _DOCUMENT_SHARE) - _AROUND_DOCUMENT_BYTES
    ui = UiHandlers(plane, Fetcher(most_bytes) if reads else None)
    router.add("GET", "/", Route(ui.root, quiet=True, access=Access.EVERYONE))
    _add_page(router, "/ui", Page(_HERE / "ui_page"))
    router.add("GET", "/ui/features", Route(ui.features, quiet=True, access=Access.EVERYONE))
    if reads:
        router.add("POST", "/ui/fetch", Route(ui.fetch))


def _metrics(metrics: Metrics) -> Handler:
    async def handler(request: Request) -> Response:
        if "application/openmetrics-text" in (request.header(b"accept") or ""):
            return Response(200, metrics.openmetrics(), [(b"content-type", OPENMETRICS.encode())])
        return Response(200, metrics.exposition(), [(b"content-type", CONTENT_TYPE_PLAIN_0_0_4.encode())])

    return handler


def _openapi(plane: DataPlane) -> Handler:
    async def handler(request: Request) -> Response:
        return Response.json(document(plane.visible(request)))

    return handler
