"""The served models of one server: found by name, loaded and unloaded, and whether the server is draining."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from predictors.serving.errors import ModelNotReady, NotFound
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.model.predictor import Predictor
from predictors.serving.cache.result_cache import ResultCache
from predictors.serving.settings import ServerSettings
from predictors.serving.dispatch.served_model import Slot, State

logger = logging.getLogger(__name__)


class Registry:
    """All models of one server, and whether it is draining."""

    def __init__(self, predictors: Iterable[Predictor[Any]], settings: ServerSettings, metrics: Metrics) -> None:
        self.cache = _new_cache(settings, metrics) if settings.cache != "off" else None
        self.slots = {
            predictor.name: Slot(
                predictor, settings, metrics, self.cache if settings.cache == "all" or predictor.slow else None
            )
            for predictor in predictors
        }
        self.draining = False
        self._listeners: list[Callable[[], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def on_change(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Have a coroutine run whenever readiness may have changed."""
        self._listeners.append(listener)

    async def notify(self) -> None:
        """Tell the listeners that readiness may have changed."""
        for listener in self._listeners:
            await listener()

    def find(self, name: str, version: str = "") -> Slot:
        """Look a model up.

        Raises:
            NotFound: no such model, or another version of it is loaded.
        """
        slot = self.slots.get(name)
        if slot is None:
            raise NotFound(f'model "{name[:128]}" does not exist; there are {", ".join(self.slots)}')
        if version and slot.version and version != slot.version:
            raise NotFound(f'model "{name}" has no version "{version[:64]}"; version {slot.version} is loaded')
        return slot

    def unready(self) -> str:
        """Why the server as a whole is not ready, empty if it is."""
        if self.draining:
            return "the server is shutting down"
        return "; ".join(
            f'model "{slot.name}": {slot.reason}' for slot in self.slots.values() if slot.state is not State.READY
        )

    def model_unready(self, slot: Slot) -> str:
        """Why a model should get no new traffic, empty if it may."""
        if self.draining:
            return "the server is shutting down"
        return slot.reason if slot.state is not State.READY else ""

    async def load_all(self) -> None:
        """Load the models one after the other, the first named first; failures become reasons."""
        for slot in self.slots.values():
            await self._load(slot)

    async def load(self, slot: Slot) -> None:
        """Load one model again; goes on to the end even if the caller gives up.

        Raises:
            ModelNotReady: it is loading already, or failed to load.
        """
        if slot.state is State.LOADING:
            raise ModelNotReady(f'model "{slot.name}" is loading already')
        slot.state, slot.reason = State.LOADING, "loading"
        await self._to_the_end(self._load(slot))
        slot.require_ready()

    async def unload(self, slot: Slot) -> None:
        """Unload one model; goes on to the end even if the caller gives up.

        Raises:
            ModelNotReady: it is not loaded.
        """
        slot.require_ready()
        slot.state, slot.reason = State.UNLOADED, "it was unloaded"
        await self._to_the_end(self._unload(slot))

    async def _load(self, slot: Slot) -> None:
        await self.notify()
        await slot.load()
        await self.notify()

    async def _unload(self, slot: Slot) -> None:
        await self.notify()
        await slot.unload()
        logger.info("model %s is unloaded", slot.name)

    async def _to_the_end(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    def close(self) -> None:
        """End the models' threads."""
        for slot in self.slots.values():
            slot.close()

    async def close_cache(self) -> None:
        """Let what is being shared arrive, and close the connections."""
        if self.cache is not None:
            await self.cache.close()


def _new_cache(settings: ServerSettings, metrics: Metrics) -> ResultCache:
    cache = ResultCache(
        settings.cache_max_bytes,
        settings.cache_ttl_seconds,
        metrics.count_cache_event,
        url=settings.cache_url,
    )
    metrics.cache_bytes.set_function(lambda: cache.bytes)
    return cache
