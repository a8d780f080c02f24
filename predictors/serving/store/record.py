"""A version in the store: its folder, its model, and where it stands."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeAlias

from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.dispatch.state import State
from predictors.serving.dispatch.use import Use
from predictors.serving.errors import ArtifactError
from predictors.serving.store.folder import Found
from predictors.serving.store.plan import Standing, pause_after

Key: TypeAlias = tuple[str, str]
"""A model's name, and a version of it."""

ON_USE = "it is loaded when it is asked for"
_BY_HAND = "it was unloaded"
# How long to wait for room before a version that nobody waits for is tried again.
_ROOM_PAUSE_SECONDS = 60.0


class Record:
    """A version.

    Args:
        model: not loaded yet.
        found: its folder.
        limit: most bytes of memory that it may take.
        clock: monotonic seconds.
    """

    def __init__(
        self, model: ServedModel, found: Found, limit: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.model = model
        self.use = model.use = Use(clock)
        self.found = found
        self.bytes = _bytes_in_memory(model, found)
        """That it takes in memory while it is loaded."""
        self.held = False
        """Whether it was unloaded by hand, and stays so until it is loaded by hand."""
        self.loading: asyncio.Task[None] | None = None
        self.absent = 0
        """How many looks in a row have not found its folder."""
        self._failures = 0
        self._retry_at = self._room_at = 0.0
        self._clock = clock
        self._limit = limit
        self.rest()

    @property
    def key(self) -> Key:
        """The model's name, and the version."""
        return self.model.name, self.model.version

    @property
    def ready(self) -> bool:
        """Whether it is loaded."""
        return self.model.state is State.READY

    @property
    def in_memory(self) -> bool:
        """Whether it is loaded, or on the way to that or from that."""
        return self.ready or self.model.state is State.LOADING

    @property
    def in_use(self) -> bool:
        """Whether it has requests, or is loading."""
        return self.loading is not None or self.model.in_flight > 0 or len(self.use) > 0

    @property
    def last_use(self) -> float:
        """When its last request began, monotonic seconds; long ago if there was none."""
        return float("-inf") if self.use.last is None else self.use.last

    @property
    def last_use_time(self) -> float | None:
        """When its last request began, seconds since 1970; None if there was none."""
        return None if self.use.last is None else time.time() - self._clock() + self.use.last

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        if self.ready and not self.held:
            return Standing.READY
        return Standing.BROKEN if self.refusal() else Standing.LOADABLE

    def refusal(self) -> str:
        """Why it cannot be loaded now; empty if it can."""
        if self.held:
            return _BY_HAND
        if self._failures and (pause := self._retry_at - self._clock()) > 0:
            return f"{self.model.reason}; it is tried again in {pause:.0f} s, or once its files change"
        return self.found.fault or self._too_large

    @property
    def _too_large(self) -> str:
        if self._limit is None or self.bytes <= self._limit:
            return ""
        return f"it takes {self.bytes} bytes, and --max_loaded_bytes allows {self._limit}"

    def update(self, found: Found) -> None:
        """Note what its folder is like now; its manifest is the same, or there is none that is valid."""
        self.absent = 0
        if found.stamp == self.found.stamp and found.fault == self.found.fault:
            return
        self.found = found if found.manifest else found._replace(manifest=self.found.manifest, digest=self.found.digest)
        self.forgive()

    def forgive(self) -> None:
        """Let it be loaded at once, as if it had never failed."""
        self._failures, self._retry_at, self._room_at = 0, 0.0, 0.0
        self.explain()

    def hold(self, held: bool) -> None:
        """Keep it unloaded, or do so no longer."""
        self.held = held
        self.forgive()

    def loaded(self) -> None:
        """Note that loading has ended, one way or the other."""
        if self.ready:
            self._failures = 0
            self.bytes = _bytes_in_memory(self.model, self.found)
        else:
            self._failures += 1
            self._retry_at = self._clock() + pause_after(self._failures)

    @property
    def lacks_room(self) -> bool:
        """Whether there was no room a moment ago, so that it is loaded for those alone who ask for it."""
        return self._clock() < self._room_at

    def lack_room(self) -> None:
        """Note that there is no room to load it; loading it may have shown that there never will be."""
        self._room_at = self._clock() + _ROOM_PAUSE_SECONDS
        self.rest()
        if not self.refusal():
            self.model.reason = f"there is no room for its {self.bytes} bytes until others are idle, or are unloaded"

    def rest(self) -> None:
        """Be loaded no longer, as far as requests can see."""
        self.model.state = State.UNLOADED
        self.explain()

    def explain(self) -> None:
        """Have the model say why it is not loaded, if it is not."""
        if self.in_memory or self._failures:
            return
        state, reason = State.UNLOADED, _BY_HAND if self.held else ON_USE
        if not self.held and self.found.fault:
            state, reason = State.MISSING, self.found.fault
        elif not self.held and self._too_large:
            state, reason = State.FAILED, self._too_large
        self.model.state, self.model.reason = state, reason


def _bytes_in_memory(model: ServedModel, found: Found) -> int:
    """What a version takes in main memory; before it is loaded, by the size of its file."""
    if found.manifest is None:
        return 0
    if model.memory:
        return sum(size for part, size in model.memory.items() if part != "gpu")
    try:
        entry = Artifact(found.directory, found.manifest, model.predictor.source.trusted).choose()
    except ArtifactError:  # which loading reports
        entry = found.manifest.files[0]
    return int(entry.size_bytes * model.predictor.memory_factor)
