"""``/predict`` as an ASGI application by itself, for platforms that bring the server and call a function."""

import asyncio
from typing import Any

from prometheus_client import CollectorRegistry

from predictors.serving.app.application import build_application
from predictors.serving.app.routing import Route, Router
from predictors.serving.dataplane import DataPlane
from predictors.serving.dispatch.registry import Registry
from predictors.serving.model.predictor import Predictor
from predictors.serving.protocols.http import Receive, Scope, Send
from predictors.serving.protocols.legacy import LegacyHandlers
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.access_log import AccessLog
from predictors.serving.telemetry.call import RequestIds
from predictors.serving.telemetry.metrics import Metrics


class PredictApplication:
    """Answers ``POST /predict`` as the server does, and ``POST /`` alike: platforms cut a function's name off its path.

    The model is loaded with the first request and not before, because the platform's server may fork after it has
    imported this, and threads do not survive that.

    Args:
        predictor: the model; not loaded yet.
        settings: the limits; those of the network are the platform's.
    """

    def __init__(self, predictor: Predictor[Any], settings: ServerSettings) -> None:
        metrics = Metrics(CollectorRegistry())
        self._registry = Registry([predictor], settings, metrics)
        handlers = LegacyHandlers(DataPlane(self._registry, metrics, enable_repository=False))
        router = Router()
        for path in ("/", "/predict"):
            router.add("POST", path, Route(handlers.predict, "legacy"))
        self._app = build_application(
            router,
            settings,
            metrics=metrics,
            access_log=AccessLog(json=True),
            ids=RequestIds(),
            ending=lambda: False,
        )
        self._loading: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the first ones wait for the model."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._registry.load_all())
        await asyncio.shield(self._loading)
        await self._app(scope, receive, send)
