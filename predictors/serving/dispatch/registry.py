"""The served models of one server: lookup, loading and unloading, and readiness.

Here each model has one version, which it had when the server started. `predictors.serving.store` has the registry of a
folder in which versions come and go.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from typing import Any, NamedTuple

from predictors.serving.access.caller import ANYONE, Caller
from predictors.serving.cache.result_cache import ResultCache
from predictors.serving.dispatch.served_model import LOOK_SECONDS, ServedModel, Tap
from predictors.serving.dispatch.state import State
from predictors.serving.errors import ModelNotReady, NotFound
from predictors.serving.model.predictor import Predictor
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)


class StoredVersion(NamedTuple):
    """A version in a store.

    Args:
        model: the version.
        bytes: of memory that it takes while it is loaded.
        last_use: when its last request began, seconds since 1970; None if none has.
        default: whether it answers where no version is named.
    """

    model: ServedModel
    bytes: int
    last_use: float | None
    default: bool


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
        self._settings, self._metrics = settings, metrics
        self._new_watchers: list[Callable[[ServedModel], Tap]] = []
        self.models: dict[str, ServedModel] = {}
        """The version of each model that answers where none is named."""
        for predictor in predictors:
            self.models[predictor.name] = self._new_model(predictor)
            self._export(predictor.name)
        self.draining = False
        self._listeners: list[Callable[[], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def _new_model(self, predictor: Predictor[Any]) -> ServedModel:
        cache = self.cache if self._settings.cache == "all" or predictor.slow else None
        model = ServedModel(predictor, self._settings, self._metrics, cache)
        model.watchers = tuple(new_watcher(model) for new_watcher in self._new_watchers)
        return model

    def watch(self, new_watcher: Callable[[ServedModel], Tap]) -> None:
        """Have every model watched, those too that appear later.

        Args:
            new_watcher: makes what watches a model.
        """
        self._new_watchers.append(new_watcher)
        for model in self.everything:
            model.watchers += (new_watcher(model),)

    def _export(self, name: str) -> None:
        """Have the metrics show the model of a name: what its versions do together, and the default one's state."""
        metrics = self._metrics
        metrics.in_flight.labels(name).set_function(lambda: sum(each.in_flight for each in self.versions(name)))
        metrics.queue_depth.labels(name).set_function(lambda: sum(each.waiting for each in self.versions(name)))
        metrics.queue_limit.labels(name).set_function(lambda: sum(each.max_queue for each in self.taking(name)))
        for state in State:
            metrics.state.labels(name, state.value).set_function(partial(self._is_in, name, state))

    def _is_in(self, name: str, state: State) -> float:
        return float(name in self.models and self.models[name].state is state)

    def versions(self, name: str) -> list[ServedModel]:
        """All versions of a model, the lowest first; none if there is no such model."""
        return [self.models[name]] if name in self.models else []

    def taking(self, name: str) -> list[ServedModel]:
        """The versions of a model that have a queue of requests: the default one, and others that are loaded."""
        default = self.models.get(name)
        return [each for each in self.versions(name) if each is default or each.state is State.READY]

    @property
    def grows(self) -> bool:
        """Whether models may appear that are not there yet."""
        return False

    def stored(self, name: str) -> list[StoredVersion] | None:
        """The versions of a model, the lowest first, where they are in a store."""
        return None

    @property
    def everything(self) -> Iterable[ServedModel]:
        """All versions of all models, also such as end."""
        return self.models.values()

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
        return model if not version or version == model.version else self._find_version(model, version)

    def _find_version(self, model: ServedModel, version: str) -> ServedModel:
        """Another version of a model than the default one.

        Raises:
            NotFound: there is no such version.
        """
        if not model.version:
            return model
        raise NotFound(f'model "{model.name}" has no version "{version[:64]}"; version {model.version} is loaded')

    async def wake(self, model: ServedModel, deadline: float) -> None:
        """Have a model that is not ready get ready for a request, if that can be done in time.

        Args:
            model: not ready.
            deadline: of the request, seconds on the clock of `time.monotonic`.

        Raises:
            ModelNotReady: with the reason.
            DeadlineExceeded: it is loading still.
        """
        model.require_ready()

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

    async def refresh(self) -> None:
        """See whether there are versions that were not there before."""

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

    async def load(self, model: ServedModel, version: str = "") -> None:
        """Load or reload one model; continues to the end even if the caller is cancelled.

        Args:
            model: the model.
            version: that is meant alone, if one was named.

        Raises:
            ModelNotReady: it is loading already, or failed to load.
        """
        if model.state is State.LOADING:
            raise ModelNotReady(f'model "{model.name}" is loading already')
        model.state, model.reason = State.LOADING, "loading"
        await self._to_the_end(self._load(model))
        model.require_ready()

    async def unload(self, model: ServedModel, version: str = "") -> None:
        """Unload one model; continues to the end even if the caller is cancelled.

        Args:
            model: the model.
            version: that is meant alone, if one was named.

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
        await asyncio.shield(self._keep(work))

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the event loop holds only weak references
        task.add_done_callback(self._tasks.discard)
        return task

    def close(self) -> None:
        """End the models' threads."""
        for model in self.everything:
            model.close()

    async def close_cache(self) -> None:
        """Wait for writes to the shared cache, and close its connections."""
        if self.cache is not None:
            await self.cache.close()
