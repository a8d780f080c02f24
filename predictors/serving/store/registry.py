"""The models of a store: it follows the folder, loads versions when they are asked for, and makes room for them.

Whatever happens in the folder, a version that answers goes on until another one is ready to take over, and the requests
that it has begun end on it. All decisions are in `plan`; here they are carried out, on the event loop alone, so that no
request ever sees half of a change.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from predictors.serving.dispatch.registry import Registry, StoredVersion
from predictors.serving.dispatch.served_model import LOOK_SECONDS, ServedModel
from predictors.serving.dispatch.state import State
from predictors.serving.errors import DeadlineExceeded, ModelNotReady, NotFound, StartupError
from predictors.serving.model.predictor import Predictor
from predictors.serving.settings import ServerSettings
from predictors.serving.store.catalog import Catalog, Listings, NewPredictor
from predictors.serving.store.folder import Folder, Found
from predictors.serving.store.metrics import StoreMetrics
from predictors.serving.store.plan import Standing, choose_default
from predictors.serving.store.record import Key, Record
from predictors.serving.store.room import Room
from predictors.serving.store.settings import StoreSettings
from predictors.serving.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

_IDLE_POLL_SECONDS = 0.05
# Of the versions that an error lists, the highest ones.
_MOST_LISTED = 20
# What a version counted is shown so long after it has gone, so that Prometheus sees the last of it.
_REMEMBER_SECONDS = 300.0


class StoreRegistry(Registry):
    """The models of a folder.

    Args:
        root: the folder.
        store: how its models are loaded.
        new_predictor: makes their predictors.
        settings: for the limits and the cache.
        metrics: where the models' numbers go.

    Raises:
        StartupError: there is no such folder.
    """

    def __init__(
        self, root: Path, store: StoreSettings, new_predictor: NewPredictor, settings: ServerSettings, metrics: Metrics
    ) -> None:
        super().__init__((), settings, metrics)
        if not root.is_dir():
            raise StartupError(f"--model_store {root}: there is no such folder")
        self._folder = Folder(root)
        self._lazy = store.model_loading == "lazy"
        self._limit = store.max_loaded_bytes
        self._room = Room(self._limit, self._loaded, self._stays, self._evict)
        self._catalog = Catalog(new_predictor, self._new_record, self._leave)
        self._leaving: set[Record] = set()
        """Versions that no request finds any more, and that wait for the last ones that did."""
        self._store_metrics = StoreMetrics(metrics)
        self._shown: set[str] = set()  # the names of the models that the metrics know
        self._looking = asyncio.Lock()
        self._changed = False  # whether something was loaded or unloaded since `load_late` said so
        listings = self._folder.look()
        self._follow(listings, self._catalog.prepare(listings))
        for name in self._catalog.names:
            self._choose(name)

    def _new_record(self, predictor: Predictor[Any], found: Found) -> Record:
        return Record(self._new_model(predictor), found, self._limit)

    @property
    def grows(self) -> bool:
        """Whether models may appear that are not there yet."""
        return True

    @property
    def everything(self) -> Iterable[ServedModel]:
        """All versions of all models, also such as end."""
        return [record.model for record in chain(self._catalog, self._catalog.next, tuple(self._leaving))]

    def versions(self, name: str) -> list[ServedModel]:
        """All versions of a model, the lowest first; none if there is no such model."""
        return [record.model for record in self._catalog.versions(name).values()]

    def stored(self, name: str) -> list[StoredVersion]:
        """The versions of a model, the lowest first."""
        return [
            StoredVersion(record.model, record.bytes, record.last_use_time, record.model is self.models.get(name))
            for record in self._catalog.versions(name).values()
        ]

    def _find_version(self, model: ServedModel, version: str) -> ServedModel:
        versions = self._catalog.versions(model.name)
        if version not in versions:
            there = ", ".join([*versions][-_MOST_LISTED:])
            raise NotFound(f'model "{model.name}" has no version "{version[:64]}"; there are {there}')
        return versions[version].model

    def unready(self) -> str:
        """Why the server as a whole is not ready; empty if it is."""
        if self._lazy and not self.draining:
            return ""
        return super().unready() or ("" if self.models else "there is no model in the store yet")

    def model_unready(self, model: ServedModel) -> str:
        """Why a model should get no new traffic; empty if it should, also if that is to load it."""
        record = self._catalog.find(model)
        waits = record is not None and record.standing is Standing.LOADABLE
        if waits and not self.draining and (self._lazy or self.models.get(model.name) is not model):
            return ""
        return super().model_unready(model)

    async def wake(self, model: ServedModel, deadline: float) -> None:
        """Load a version that is asked for, unless it is loading already, and wait for it."""
        record = self._catalog.find(model)
        if record is None:
            raise ModelNotReady(f"{model.title} is not ready: its folder is gone")
        model.require_room(len(record.use) - 1)
        await self._make_ready(record, deadline - time.monotonic())

    async def _make_ready(self, record: Record, seconds: float | None) -> None:
        model = record.model
        if record.loading is None and (refusal := record.refusal()):
            raise ModelNotReady(f"{model.title} is not ready: {refusal}")
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._start(record))
        except TimeoutError:
            raise DeadlineExceeded(f"{model.title} is loading still; try again later, or allow more time") from None
        model.require_ready()

    async def load(self, model: ServedModel, version: str = "") -> None:
        """Load a version, or the default one, as its folder is now; what was unloaded by hand may be loaded again."""
        for record in self._meant(model, version):
            record.hold(False)
        self._serve(model.name)
        record = self._meant(self.models[model.name], version or self.models[model.name].version)[0]
        record = self._catalog.latest(record)
        if not record.ready:
            await self._make_ready(record, None)

    async def unload(self, model: ServedModel, version: str = "") -> None:
        """Unload a version, or all of a model, until that is undone."""
        records = self._meant(model, version)
        for record in records:
            record.hold(True)
        self._serve(model.name)
        for record in records:
            if record.loading is not None:
                await asyncio.wait([record.loading])  # it ends with `_free`
            await self._to_the_end(self._free(record))

    def _meant(self, model: ServedModel, version: str) -> list[Record]:
        records = self._catalog.versions(model.name).values()
        return [record for record in records if not version or record.model.version == version]

    async def load_all(self) -> None:
        """Load what has to be there from the start, one model after another."""
        for name in self._catalog.names:
            self._serve(name)
            while tasks := [each.loading for each in self._catalog.versions(name).values() if each.loading is not None]:
                await asyncio.wait(tasks)
        self._changed = False

    async def load_late(self, look_seconds: float = LOOK_SECONDS) -> bool:
        """Follow the folder, until something has been loaded or unloaded; false if the server drains."""
        while not self.draining:
            await asyncio.sleep(look_seconds)
            await self.refresh()
            if self._changed:
                self._changed = False
                return True
        return False

    async def refresh(self) -> None:
        """See what has changed in the folder, and follow."""
        async with self._looking:
            listings = await asyncio.to_thread(self._folder.look)
            self._follow(listings, await asyncio.to_thread(self._catalog.prepare, listings))
        self._serve_all()
        await self.notify()

    def _follow(self, listings: Listings, predictors: dict[Key, Predictor[Any]]) -> None:
        self._catalog.follow(listings, predictors)
        for name in set(self._catalog.names) - self._shown:
            self._shown.add(name)
            self._export(name)
            self._store_metrics.add(name, partial(self._catalog.versions, name))

    def _leave(self, record: Record) -> None:
        """Let the last requests of a version that no other will find end on it."""
        self._leaving.add(record)
        self._keep(self._retire(record))

    async def _retire(self, record: Record) -> None:
        while record.in_use:
            await asyncio.sleep(_IDLE_POLL_SECONDS)
        await self._free(record)
        record.model.close()
        if record.model.predictor.standby is not None:
            await record.model.predictor.standby.close()
        record.model.watchers = ()  # what they report would be there twice, if another has its place
        self._leaving.discard(record)
        name, version = record.key
        now = self._catalog.versions(name).get(version)
        if now is not None and now.ready:
            now.model.announce()  # freeing this one took its series away
        await asyncio.sleep(_REMEMBER_SECONDS)
        if version not in self._catalog.versions(name):
            self._metrics.forget(name, version)

    def _serve_all(self) -> None:
        for name in {*self.models, *self._catalog.names}:
            self._serve(name)

    def _serve(self, name: str) -> None:
        """Choose which version of a model is the default one, and load what has to be loaded for that."""
        if name not in self._catalog.names:
            self.models.pop(name, None)
            return
        default, wanted = self._choose(name)
        due = [record for record in (default, wanted) if record is not default or not self._lazy]
        for record in (*due, *self._catalog.next):
            if record.standing is Standing.LOADABLE and not record.lacks_room:
                self._start(record)

    def _choose(self, name: str) -> tuple[Record, Record]:
        """Set a model's default version; gives it, and the one that is to be that once it is ready."""
        records, current = self._catalog.versions(name), self.models.get(name)
        standings = {version: record.standing for version, record in records.items()}
        choice = choose_default(standings, current.version if current else "", self._catalog.pinned(name))
        default, wanted = records[choice.default], records[choice.wanted]
        if current is not default.model:
            self.models[name] = default.model
            logger.info("version %s of model %s answers where none is named", choice.default, name)
        return default, wanted

    def _start(self, record: Record) -> asyncio.Task[None]:
        """Begin to load a version, if that has not begun; gives what ends with that."""
        if record.loading is None:
            record.model.state, record.model.reason = State.LOADING, "loading"
            record.loading = self._keep(self._bring_in(record))
        return record.loading

    async def _bring_in(self, record: Record) -> None:
        try:
            await self.notify()
            await self._load_if_it_fits(record)
        finally:
            record.loading = None
            self._room.leave(record)
        if record.ready:
            self._changed = True
            self._catalog.take_over(record)
        if record.held:
            await self._free(record)
        self._serve(record.model.name)
        await self.notify()

    async def _load_if_it_fits(self, record: Record) -> None:
        fits = await self._room.take(record)
        if fits:
            await record.model.load()
            record.loaded()
            fits = not record.ready or await self._room.take(record)  # it may take more than its file told
        if not fits:
            loaded = record.ready
            record.lack_room()
            logger.warning("%s is not loaded: %s", record.model.title, record.model.reason)
            if loaded:
                await record.model.unload()

    def _loaded(self) -> Iterable[Record]:
        return [record for record in chain(self._catalog, self._leaving) if record.ready]

    def _stays(self, other: Record, record: Record) -> bool:
        """Whether another version must stay loaded although there is no room for this one."""
        if other.in_use or other in self._leaving:
            return True
        is_default = self.models.get(other.model.name) is other.model
        hands_over = not record.use and other.model.name == record.model.name
        return is_default and (hands_over or not self._lazy)

    async def _evict(self, record: Record) -> None:
        await self._free(record)
        logger.info("%s was unloaded to make room", record.model.title)
        self._store_metrics.count_eviction(record.model.name)

    async def _free(self, record: Record) -> None:
        if record.ready:
            record.rest()
            await record.model.unload()
            self._changed = True
            await self.notify()
