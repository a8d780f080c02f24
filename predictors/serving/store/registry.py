"""The models of a store: it follows the folder, loads versions when they are asked for, and makes room for them.

Whatever happens in the folder, a version that answers goes on until another one is ready to take over, and the requests
that it has begun end on it. All decisions are in `plan`; here they are carried out, on the event loop alone, so that no
request ever sees half of a change.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

from predictors.serving.dispatch.registry import Registry, StoredVersion
from predictors.serving.dispatch.served_model import LOOK_SECONDS, ServedModel
from predictors.serving.dispatch.state import State
from predictors.serving.errors import DeadlineExceeded, ModelNotReady, NotFound, StartupError
from predictors.serving.model.predictor import Predictor
from predictors.serving.settings import ServerSettings
from predictors.serving.store.folder import Folder, Found, Listing
from predictors.serving.store.metrics import StoreMetrics
from predictors.serving.store.order import version_key
from predictors.serving.store.plan import Loaded, Standing, choose_default, choose_evictions
from predictors.serving.store.record import Record
from predictors.serving.store.settings import StoreSettings
from predictors.serving.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

Key: TypeAlias = tuple[str, str]
"""A model's name, and a version of it."""
Listings: TypeAlias = dict[str, Listing]
NewPredictor: TypeAlias = Callable[[str, str, Path, str], Predictor[Any]]
"""Makes a predictor, not loaded yet: of a kind, with a name, for the artifact in a directory, as a version."""

# Looks that must not find a version's folder before it is given up: one may fall between two renames.
_ABSENCES = 2
_IDLE_POLL_SECONDS = 0.05
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
        self._new_predictor = new_predictor
        self._lazy = store.model_loading == "lazy"
        self._limit = store.max_loaded_bytes
        self._store_metrics = StoreMetrics(metrics)
        self._records: dict[str, dict[str, Record]] = {}
        """By the models' names, then by version, the lowest first."""
        self._pins: dict[str, str] = {}
        self._unusable: dict[Key, str] = {}
        """The digests of manifests for which there is no predictor."""
        self._next: dict[Key, Record] = {}
        """Versions whose files were replaced, which take over once they are loaded."""
        self._leaving: set[Record] = set()
        """Versions that no request finds any more, and that wait for the last ones that did."""
        self._loading = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._fresh = False  # whether something was loaded since `load_late` said so
        listings = self._folder.look()
        self._follow(listings, self._new_predictors(self._unknown(listings)))
        for name, records in self._records.items():
            self._choose(name, records)

    # What the rest of the server asks.

    @property
    def grows(self) -> bool:
        """Whether models may appear that are not there yet."""
        return True

    @property
    def everything(self) -> Iterable[ServedModel]:
        """All versions of all models, also such as end."""
        return [record.model for record in chain(self._all(), self._next.values(), self._leaving)]

    def versions(self, name: str) -> list[ServedModel]:
        """All versions of a model, the lowest first; none if there is no such model."""
        return [record.model for record in self._records.get(name, {}).values()]

    def stored(self, name: str) -> list[StoredVersion]:
        """The versions of a model, the lowest first."""
        since = time.time() - time.monotonic()
        return [
            StoredVersion(
                record.model,
                record.bytes,
                None if record.use.last is None else since + record.use.last,
                record.model is self.models.get(name),
            )
            for record in self._records.get(name, {}).values()
        ]

    def _find_version(self, model: ServedModel, version: str) -> ServedModel:
        versions = self._records[model.name]
        if version not in versions:
            raise NotFound(f'model "{model.name}" has no version "{version[:64]}"; there are {", ".join(versions)}')
        return versions[version].model

    def unready(self) -> str:
        """Why the server as a whole is not ready; empty if it is."""
        if self._lazy and not self.draining:
            return ""
        return super().unready() or ("" if self.models else "there is no model in the store yet")

    def model_unready(self, model: ServedModel) -> str:
        """Why a model should get no new traffic; empty if it should, also if that is to load it."""
        record = self._record(model)
        waits = record is not None and record.standing is Standing.LOADABLE
        if waits and not self.draining and (self._lazy or self.models.get(model.name) is not model):
            return ""
        return super().model_unready(model)

    async def wake(self, model: ServedModel, deadline: float) -> None:
        """Load a version that is asked for, unless it is loading already, and wait for it."""
        record = self._record(model)
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
        record = self._next.get(record.key, record)
        if not record.ready:
            await self._make_ready(record, None)

    async def unload(self, model: ServedModel, version: str = "") -> None:
        """Unload a version, or all of a model, until that is undone."""
        records = self._meant(model, version)
        for record in records:
            record.hold(True)
        self._serve(model.name)
        for record in records:
            await self._to_the_end(self._put_away(record))

    def _meant(self, model: ServedModel, version: str) -> list[Record]:
        records = self._records.get(model.name, {})
        return [record for record in records.values() if not version or record.model.version == version]

    async def load_all(self) -> None:
        """Load what has to be there from the start."""
        self._serve_all()
        while tasks := [record.loading for record in self._all() if record.loading is not None]:
            await asyncio.wait(tasks)
        self._fresh = False

    async def load_late(self, look_seconds: float = LOOK_SECONDS) -> bool:
        """Follow the folder, until something has been loaded; false if the server drains."""
        while not self.draining:
            await asyncio.sleep(look_seconds)
            await self.refresh()
            if self._fresh:
                self._fresh = False
                return True
        return False

    async def refresh(self) -> None:
        """See what has changed in the folder, and follow."""
        async with self._looking:
            listings = await asyncio.to_thread(self._folder.look)
            unknown = self._unknown(listings)
            self._follow(listings, await asyncio.to_thread(self._new_predictors, unknown))
        self._serve_all()
        await self.notify()

    # The folder.

    def _unknown(self, listings: Listings) -> dict[Key, Found]:
        """The versions that have no record yet, or whose manifest has changed."""
        return {
            (name, version): found
            for name, listing in listings.items()
            for version, found in listing.versions.items()
            if found.manifest is not None and found.digest not in self._digests((name, version))
        }

    def _digests(self, key: Key) -> Iterator[str]:
        """Those of a version's manifest that are no news."""
        yield self._unusable.get(key, "")
        record = self._next.get(key) or self._records.get(key[0], {}).get(key[1])
        if record is not None:
            yield record.found.digest

    def _new_predictors(self, unknown: dict[Key, Found]) -> dict[Key, Predictor[Any]]:
        """Make their predictors: not on the event loop, since that may import a library."""
        made = {}
        for (name, version), found in unknown.items():
            assert found.manifest is not None  # noqa: S101  # they are those with one
            if found.manifest.version != version:
                logger.info(
                    "%s/%s: its manifest says version %s; the folder counts", name, version, found.manifest.version
                )
            try:
                made[name, version] = self._new_predictor(found.manifest.kind, name, found.directory, version)
            except (ImportError, ValueError) as error:
                self._unusable[name, version] = found.digest
                logger.error("version %s of model %s is not served: %s", version, name, error)
        return made

    def _follow(self, listings: Listings, predictors: dict[Key, Predictor[Any]]) -> None:
        """Have the records say what is in the folder; `_serve` decides what becomes of that."""
        for name, listing in listings.items():
            self._pin(name, listing)
            for version, found in listing.versions.items():
                key = name, version
                if key in predictors:
                    self._add(Record(self._new_model(predictors[key]), found, self._limit))
                for record in filter(None, (self._records.get(name, {}).get(version), self._next.get(key))):
                    record.absent = 0
                    if found.digest in ("", record.found.digest):
                        record.update(found)
        for record in list(self._all()):
            name, version = record.key
            if name not in listings or version not in listings[name].versions:
                record.absent += 1
                if record.absent >= _ABSENCES:
                    self._remove(record)

    def _pin(self, name: str, listing: Listing) -> None:
        if listing.pinned == self._pins.get(name, ""):
            return
        self._pins[name] = listing.pinned
        if listing.pinned and listing.pinned not in listing.versions:
            logger.warning("the file default of model %s names a version that is not there", name)

    def _add(self, record: Record) -> None:
        """Take in a version that is new, or whose manifest is; one that answers goes on until that is loaded."""
        name, version = record.key
        before = self._records.get(name, {}).get(version)
        if (pending := self._next.pop(record.key, None)) is not None:
            self._leave(pending)
        if before is not None and before.in_memory:
            self._next[record.key] = record
        else:
            self._put(record)

    def _put(self, record: Record) -> None:
        name, version = record.key
        if name not in self._records:
            self._show(name)
        records = self._records.get(name, {})
        if version in records:
            self._leave(records[version])
        records |= {version: record}
        self._records[name] = {each: records[each] for each in sorted(records, key=version_key)}

    def _show(self, name: str) -> None:
        """Have the metrics show a model that is new."""
        self._export(name)
        self._store_metrics.add(name, lambda: [*self._records.get(name, {}).values()])

    def _remove(self, record: Record) -> None:
        name, version = record.key
        logger.info("version %s of model %s is gone", version, name)
        del self._records[name][version]
        if not self._records[name]:
            del self._records[name]
        if (pending := self._next.pop(record.key, None)) is not None:
            self._leave(pending)
        self._leave(record)

    def _leave(self, record: Record) -> None:
        """Let the last requests of a version that no other will find end on it."""
        self._leaving.add(record)
        self._keep(self._retire(record))

    async def _retire(self, record: Record) -> None:
        while record.in_use:
            await asyncio.sleep(_IDLE_POLL_SECONDS)
        await self._free(record)
        record.model.close()
        self._leaving.discard(record)
        await asyncio.sleep(_REMEMBER_SECONDS)
        name, version = record.key
        if version not in self._records.get(name, {}):
            self._metrics.forget(name, version)

    # What is loaded.

    def _serve_all(self) -> None:
        for name in {*self.models, *self._records}:
            self._serve(name)

    def _serve(self, name: str) -> None:
        """Choose which version of a model is the default one, and load what has to be loaded for that."""
        records = self._records.get(name)
        if not records:
            self.models.pop(name, None)
            return
        wanted = self._choose(name, records)
        default = records[self.models[name].version]
        due = [record for record in (default, wanted) if record is not default or not self._lazy]
        for record in (*due, *self._next.values()):
            if record.standing is Standing.LOADABLE and not record.lacks_room:
                self._start(record)

    def _choose(self, name: str, records: dict[str, Record]) -> Record:
        """Set the default version; gives the one that is to be that once it is ready."""
        current = self.models.get(name)
        standings = {version: record.standing for version, record in records.items()}
        default, wanted = choose_default(standings, current.version if current else "", self._pins.get(name, ""))
        if current is not records[default].model:
            self.models[name] = records[default].model
            logger.info("version %s of model %s answers where none is named", default, name)
        return records[wanted]

    def _start(self, record: Record) -> asyncio.Task[None]:
        """Begin to load a version, if that has not begun; gives what ends with that."""
        if record.loading is None:
            record.model.state, record.model.reason = State.LOADING, "loading"
            record.loading = self._keep(self._bring_in(record))
        return record.loading

    async def _bring_in(self, record: Record) -> None:
        await self.notify()
        async with self._loading:  # one after another, so that each knows how much room there is
            if await self._make_room(record):
                await record.model.load()
                record.loaded()
                if record.ready and not await self._make_room(record):  # it takes more than its file told
                    await record.model.unload()
        record.loading = None
        self._fresh = self._fresh or record.ready
        if record.ready and self._next.get(record.key) is record:
            del self._next[record.key]
            self._put(record)
        if record.held:
            await self._put_away(record)
        self._serve(record.model.name)
        await self.notify()

    async def _make_room(self, record: Record) -> bool:
        """Unload others until a version fits; whether it does."""
        while evicted := self._to_evict(record):
            await self._free(evicted[0])
            logger.info("%s was unloaded to make room", evicted[0].model.title)
            self._store_metrics.count_eviction(evicted[0].model.name)
        if evicted is None:
            record.lack_room()
            logger.warning("%s is not loaded: %s", record.model.title, record.model.reason)
        return evicted is not None

    def _to_evict(self, record: Record) -> list[Record] | None:
        if self._limit is None:
            return []
        there = [each for each in chain(self._all(), self._leaving) if each.ready]
        loaded = {i: Loaded(each.bytes, each.last_use, self._stays(each, record)) for i, each in enumerate(there)}
        chosen = choose_evictions(loaded, record.bytes, self._limit)
        return None if chosen is None else [there[i] for i in chosen]

    def _stays(self, other: Record, record: Record) -> bool:
        """Whether another version must stay loaded although there is no room for this one."""
        if other.in_use or other in self._leaving:
            return True
        is_default = self.models.get(other.model.name) is other.model
        hands_over = not record.use and other.model.name == record.model.name
        return is_default and (hands_over or not self._lazy)

    async def _put_away(self, record: Record) -> None:
        """Unload a version that was told to be."""
        if record.loading is not None:
            await asyncio.wait([record.loading])
        await self._free(record)

    async def _free(self, record: Record) -> None:
        if record.ready:
            record.rest()
            await record.model.unload()
            await self.notify()

    # Helpers.

    def _all(self) -> Iterator[Record]:
        return chain.from_iterable(records.values() for records in self._records.values())

    def _record(self, model: ServedModel) -> Record | None:
        record = self._records.get(model.name, {}).get(model.version)
        return record if record is not None and record.model is model else None
