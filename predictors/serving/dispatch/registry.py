"""The served models of one server: lookup, loading and unloading, and readiness."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from predictors.serving.access.caller import ANYONE, Caller
from predictors.serving.cache.result_cache import ResultCache
from predictors.serving.dispatch.served_model import LOOK_SECONDS, ServedModel
from predictors.serving.dispatch.state import State
from predictors.serving.errors import ModelNotReady, NotFound
from predictors.serving.model.predictor import Predictor
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)


class Registry:
    """All models of one server, and whether it is draining.

    Args:
        predictors: the models; not loaded yet.
        settings: for the limits and the cache.
        metrics: where the models' numbers go.
    """

    def __init__(self, predictors: Iterable[Predictor[Any]], settings: ServerSettings, metrics: Metrics) -> None:
        self.cache: ResultCache | None = None
        if settings.cache != "off":
            count = metrics.count_cache_event
            cache = ResultCache(settings.cache_max_bytes, settings.cache_ttl_seconds, count, url=settings.cache_url)
            metrics.cache_bytes.set_function(lambda: cache.bytes)
            metrics.cache_events.labels("remote_error")  # there at 0, so that an alert sees the first one
            self.cache = cache
        self.models: dict[str, ServedModel] = {}
        for predictor in predictors:
            its_cache = self.cache if settings.cache == "all" or predictor.slow else None
            self.models[predictor.name] = ServedModel(predictor, settings, metrics, its_cache)
        self.draining = False
        self._listeners: list[Callable[[], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def on_change(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Register a coroutine function to call whenever readiness may have changed."""
        self._listeners.append(listener)

    async def notify(self) -> None:
        """Tell the listeners that readiness may have changed."""
        for listener in self._listeners:
            await listener()

    def find(self, name: str, version: str = "", caller: Caller = ANYONE) -> ServedModel:
        """Look a model up.

        Args:
            name: the model's.
            version: that must be loaded; empty for any.
            caller: who asks for it.

        Raises:
            Forbidden: the caller may not use a model of that name.
            NotFound: no such model, or another version of it is loaded.
        """
        caller.require_model(name)
        model = self.models.get(name)
        if model is None:
            there = ", ".join(filter(caller.may_use, self.models)) or "none that the token allows"
            raise NotFound(f'model "{name[:128]}" does not exist; there are {there}')
        if version and model.version and version != model.version:
            raise NotFound(f'model "{name}" has no version "{version[:64]}"; version {model.version} is loaded')
        return model

    def unready(self) -> str:
        """Why the server as a whole is not ready; empty if it is."""
        if self.draining:
            return "the server is shutting down"
        return "; ".join(
            f'model "{model.name}": {model.reason}' for model in self.models.values() if model.state is not State.READY
        )

    def model_unready(self, model: ServedModel) -> str:
        """Why a model should get no new traffic; empty if it should."""
        return "the server is shutting down" if self.draining else model.reason

    async def load_all(self) -> None:
        """Load the models one after another, in order; failures become reasons."""
        for model in self.models.values():
            await self._load(model)

    async def load_late(self, look_seconds: float = LOOK_SECONDS) -> bool:
        """Wait until an artifact that was missing is there, and load its model.

        Args:
            look_seconds: how often to look.

        Returns:
            Whether one appeared; false if the server drains.
        """
        while not self.draining:
            await asyncio.sleep(look_seconds)
            for model in [model for model in self.models.values() if model.state is State.MISSING]:
                appeared = await asyncio.to_thread(model.predictor.has_artifact)
                if appeared and model.state is State.MISSING:  # and nobody has asked for it meanwhile
                    with contextlib.suppress(ModelNotReady):  # the log and the model's readiness say why
                        await self.load(model)
                    return True
        return False

    async def load(self, model: ServedModel) -> None:
        """Load or reload one model; continues to the end even if the caller is cancelled.

        Raises:
            ModelNotReady: it is loading already, or failed to load.
        """
        if model.state is State.LOADING:
            raise ModelNotReady(f'model "{model.name}" is loading already')
        model.state, model.reason = State.LOADING, "loading"
        await self._to_the_end(self._load(model))
        model.require_ready()

    async def unload(self, model: ServedModel) -> None:
        """Unload one model; continues to the end even if the caller is cancelled.

        Raises:
            ModelNotReady: it is not loaded.
        """
        model.require_ready()
        model.state, model.reason = State.UNLOADED, "it was unloaded"
        await self._to_the_end(self._unload(model))

    async def _load(self, model: ServedModel) -> None:
        await self.notify()
        await model.load()
        await self.notify()

    async def _unload(self, model: ServedModel) -> None:
        await self.notify()
        await model.unload()
        logger.info("model %s is unloaded", model.name)

    async def _to_the_end(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    def close(self) -> None:
        """End the models' threads."""
        for model in self.models.values():
            model.close()

    async def close_cache(self) -> None:
        """Wait for writes to the shared cache, and close its connections."""
        if self.cache is not None:
            await self.cache.close()
