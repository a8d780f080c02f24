"""The versions in a store: those that can be asked for, those that are to take their place, and those that leave."""

import logging
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.errors import StartupError
from predictors.serving.model.predictor import Predictor
from predictors.serving.store.folder import Found, Listing
from predictors.serving.store.order import version_key
from predictors.serving.store.record import Key, Record

logger = logging.getLogger(__name__)

Listings: TypeAlias = dict[str, Listing]
NewPredictor: TypeAlias = Callable[[str, str, Path, str], Predictor[Any]]
"""Makes a predictor, not loaded yet: of a kind, with a name, for the artifact in a directory, as a version.

Raises:
    ImportError, ValueError: there is none of that kind, or a package is missing.
    StartupError: the server lacks something that it needs, such as a file with a key.
"""

# Looks that must not find a version's folder before it is given up: one may fall between two renames.
_ABSENCES = 2


class Catalog:
    """What the folder's looks have found.

    Args:
        new_predictor: makes the predictor of a version that is new.
        new_record: makes its record.
        leave: is told of each record that no request finds any more.
    """

    def __init__(
        self,
        new_predictor: NewPredictor,
        new_record: Callable[[Predictor[Any], Found], Record],
        leave: Callable[[Record], None],
    ) -> None:
        self._new_predictor, self._new_record, self._leave = new_predictor, new_record, leave
        self._models: dict[str, dict[str, Record]] = {}
        self._next: dict[Key, Record] = {}
        self._pins: dict[str, str] = {}
        self._unusable: dict[Key, str] = {}  # the digests of manifests for which there is no predictor
        self._faults: dict[Key, str] = {}  # why there is none for now, as last logged

    @property
    def names(self) -> list[str]:
        """The models' names."""
        return list(self._models)

    def versions(self, name: str) -> dict[str, Record]:
        """The versions of a model by name, the lowest first; none if there is no such model."""
        return self._models.get(name, {})

    def pinned(self, name: str) -> str:
        """The version of a model that is to answer where none is named, if one was chosen by hand."""
        return self._pins.get(name, "")

    def find(self, model: ServedModel) -> Record | None:
        """The record of a version that can be asked for."""
        record = self.versions(model.name).get(model.version)
        return record if record is not None and record.model is model else None

    def __iter__(self) -> Iterator[Record]:
        """All versions that can be asked for. Other threads ask too, so what may change is copied, at once."""
        return chain.from_iterable(tuple(records.values()) for records in tuple(self._models.values()))

    @property
    def next(self) -> Iterator[Record]:
        """Versions whose files were replaced, which take over once they are loaded."""
        return iter(tuple(self._next.values()))

    def latest(self, record: Record) -> Record:
        """The one that is to take a record's place, or itself."""
        return self._next.get(record.key, record)

    def prepare(self, listings: Listings) -> dict[Key, Predictor[Any]]:
        """Make predictors for versions that are new, or whose manifest is; this may import a library."""
        made = {}
        for key, found in self._unknown(listings):
            name, version = key
            manifest = found.manifest
            assert manifest is not None  # noqa: S101  # they are those with one
            if manifest.version != version:
                logger.info("%s/%s: its manifest says version %s; the folder counts", name, version, manifest.version)
            try:
                made[key] = self._new_predictor(manifest.kind, name, found.directory, version)
                self._faults.pop(key, None)
            except (ImportError, ValueError) as error:
                self._unusable[key] = found.digest
                logger.error("version %s of model %s is not served: %s", version, name, error)
            except StartupError as error:  # of the server's settings, so that it may be mended: it is tried again
                self._say(key, str(error))
        return made

    def _say(self, key: Key, fault: str) -> None:
        """Log why a version is not served, once."""
        if self._faults.get(key) != fault:
            self._faults[key] = fault
            name, version = key
            logger.error("version %s of model %s is not served: %s", version, name, fault)

    def _unknown(self, listings: Listings) -> Iterator[tuple[Key, Found]]:
        for name, listing in listings.items():
            for version, found in listing.versions.items():
                key = name, version
                record = self._next.get(key) or self.versions(name).get(version)
                known = (self._unusable.get(key), record.found.digest if record else None)
                if found.manifest is not None and found.digest not in known:
                    yield key, found

    def follow(self, listings: Listings, predictors: dict[Key, Predictor[Any]]) -> None:
        """Note what is in the folder.

        Args:
            listings: what a look has found.
            predictors: what `prepare` has made of that.
        """
        for name, listing in listings.items():
            self._pin(name, listing)
            for version, found in listing.versions.items():
                key = name, version
                if key in predictors:
                    self._add(self._new_record(predictors[key], found))
                for record in filter(None, (self.versions(name).get(version), self._next.get(key))):
                    record.absent = 0
                    if found.digest in ("", record.found.digest):
                        record.update(found)
        for record in tuple(self):
            name, version = record.key
            if name not in listings or version not in listings[name].versions:
                record.absent += 1
                if record.absent >= _ABSENCES:
                    self._remove(record)

    def _pin(self, name: str, listing: Listing) -> None:
        if listing.pinned == self.pinned(name):
            return
        self._pins[name] = listing.pinned
        if listing.pinned and listing.pinned not in listing.versions:
            logger.warning("the file default of model %s names a version that is not there", name)

    def _add(self, record: Record) -> None:
        """Take in a version that is new, or whose manifest is; one that is loaded goes on until that is loaded."""
        before = self.versions(record.model.name).get(record.model.version)
        self._drop_next(record.key)
        if before is not None and before.in_memory:
            self._next[record.key] = record
        else:
            self._put(record)

    def take_over(self, record: Record) -> None:
        """Let a version that is loaded take the place of the one whose files it replaced, if it is such."""
        if self._next.get(record.key) is record:
            del self._next[record.key]
            self._put(record)

    def _put(self, record: Record) -> None:
        name, version = record.key
        records = self.versions(name)
        if version in records:
            self._leave(records[version])
        changed = records | {version: record}
        self._models[name] = {each: changed[each] for each in sorted(changed, key=version_key)}

    def _remove(self, record: Record) -> None:
        name, version = record.key
        logger.info("version %s of model %s is gone", version, name)
        del self._models[name][version]
        if not self._models[name]:
            del self._models[name]
        self._drop_next(record.key)
        self._leave(record)

    def _drop_next(self, key: Key) -> None:
        if (dropped := self._next.pop(key, None)) is not None:
            self._leave(dropped)
