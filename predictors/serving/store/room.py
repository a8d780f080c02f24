"""Memory that versions share: how much there is, and which of them have it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from predictors.serving.store.plan import Loaded, choose_evictions
from predictors.serving.store.record import Record


class Room:
    """What `--max_loaded_bytes` allows.

    Args:
        limit: most bytes of all versions in memory together; None for no limit.
        there: gives the versions in memory.
        stays: whether one of them must not be unloaded to make room for another, which comes second.
        unload: unloads one.
    """

    def __init__(
        self,
        limit: int | None,
        there: Callable[[], Iterable[Record]],
        stays: Callable[[Record, Record], bool],
        unload: Callable[[Record], Awaitable[None]],
    ) -> None:
        self._limit, self._there, self._stays, self._unload = limit, there, stays, unload
        self._arriving: set[Record] = set()
        self._lock = asyncio.Lock()

    async def take(self, record: Record) -> bool:
        """Give a version room, for which others may have to be unloaded; whether there is enough.

        It is given once the version is loaded, too, or `leave` is called.
        """
        async with self._lock:  # so that nobody else takes what is made for this one
            while chosen := self._to_evict(record):
                await self._unload(chosen[0])  # one by one, since any may be in use by now
            if chosen is not None:
                self._arriving.add(record)
            return chosen is not None

    def leave(self, record: Record) -> None:
        """Give back what was given: the version is loaded, and counts as such, or is not to be loaded any more."""
        self._arriving.discard(record)

    def _to_evict(self, record: Record) -> list[Record] | None:
        if self._limit is None:
            return []
        there = [each for each in {*self._there(), *self._arriving} if each is not record]
        loaded = {
            i: Loaded(each.bytes, each.last_use, each in self._arriving or self._stays(each, record))
            for i, each in enumerate(there)
        }
        chosen = choose_evictions(loaded, record.bytes, self._limit)
        return None if chosen is None else [there[i] for i in chosen]
