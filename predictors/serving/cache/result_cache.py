"""The cache of deterministic models' answers.

A request is looked up in three places before the model computes it: this process's memory; the computations in
progress, where an equal request may be joined; a Redis or Valkey server that the replicas share. The shared server is
best effort: any failure counts as a miss. Everything here runs on the event loop.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Literal, NamedTuple, TypeAlias

from predictors.serving.cache.result_codec import decode_outputs, encode_outputs
from predictors.serving.cache.shared_store import Shared
from predictors.serving.errors import DeadlineExceeded, Overloaded
from predictors.serving.model.types import Outputs

Outcome: TypeAlias = Literal["hit", "miss", "joined"]

# CPython's overhead of an entry: the headers of its key and value, a tuple, a float, and a slot in the dict, which
# costs most just after the dict has grown.
_ENTRY_BYTES = 400
# A larger answer would block the single-threaded server for its other clients.
_MAX_SHARED_BYTES = 2**20


class _Memory:
    """The answers in this process, bounded in size; the least recently used is evicted first."""

    def __init__(self, max_bytes: int, count: Callable[[str], None], clock: Callable[[], float]) -> None:
        self.used = 0
        self._max_bytes = max_bytes
        self._count = count
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, value = entry
        if expires <= self._clock():
            self._drop(key)
            self._count("expired")
            return None
        self._entries.move_to_end(key)
        return value

    def put(self, key: str, value: bytes, lifetime: float) -> None:
        size = _size(key, value)
        if size > self._max_bytes:
            return
        now = self._clock()
        if key in self._entries:
            self._drop(key)
        while self.used + size > self._max_bytes:
            oldest = next(iter(self._entries))
            # Dropping an expired entry does not mean that the cache is too small.
            self._count("expired" if self._entries[oldest][0] <= now else "evicted")
            self._drop(oldest)
        self._entries[key] = now + lifetime, value
        self.used += size

    def _drop(self, key: str) -> None:
        self.used -= _size(key, self._entries.pop(key)[1])


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value) + _ENTRY_BYTES


class _Flight:
    """A computation in progress, when it began, and how many callers wait for it."""

    __slots__ = ("begun", "task", "waiting")

    def __init__(self, task: "asyncio.Task[_Landed]", begun: float) -> None:
        self.task = task
        self.begun = begun
        self.waiting = 0


class _Landed(NamedTuple):
    """What came of a computation, and whether it was kept."""

    value: bytes
    outcome: Outcome
    kept: bool


class ResultCache:
    """Answers by key.

    Args:
        max_bytes: bound of this process's memory; a larger answer is not kept in it.
        ttl_seconds: how long an answer is fresh, at least 1.
        count: called with each event: ``hit`` (in this process), ``remote_hit``, ``miss`` (a computation), ``joined``,
            ``evicted``, ``expired``, ``remote_error``.
        url: a server to share answers through (``redis://``, ``rediss://``, ``valkey://`` or ``unix://``); none if
            empty.
        clock: monotonic seconds.
        timeout_seconds: for one exchange with that server, connecting included.

    Raises:
        ValueError: the url cannot be used; the text does not quote it, since it may hold a password.
    """

    def __init__(
        self,
        max_bytes: int,
        ttl_seconds: int,
        count: Callable[[str], None],
        *,
        url: str = "",
        clock: Callable[[], float] = time.monotonic,
        timeout_seconds: float = 0.2,
    ) -> None:
        self._ttl_seconds = ttl_seconds
        self._count = count
        self._clock = clock
        self._memory = _Memory(max_bytes, count, clock)
        self._shared = Shared(url, ttl_seconds, timeout_seconds, count, clock) if url else None
        self._flights: dict[str, _Flight] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def get(
        self,
        key: str,
        compute: Callable[[], Awaitable[Outputs]],
        keeps: Callable[[Outputs], bool] = lambda outputs: True,
        deadline: float = float("inf"),
    ) -> tuple[Outputs, Outcome]:
        """Return the cached answer, or compute it.

        All callers that wait for a computation share it: it continues when one of them is cancelled, and is cancelled
        with the last. A caller with a deadline puts this call under its own timeout.

        Args:
            key: from `result_key`.
            compute: called in a new task, on a miss.
            keeps: whether an answer may be given again.
            deadline: the caller's, seconds on the clock. If an answer that may not be given again took another caller
                less time than this one has left, it is computed again.

        Returns:
            Outputs that the caller owns; and ``hit``, ``joined`` (another caller's computation) or ``miss``.

        Raises:
            Exception: what the computation raised, to every caller that waits; but if the first caller's deadline or a
                full queue ended it, the others compute again.
        """
        while True:
            value = self._memory.get(key)
            if value is not None:
                self._count("hit")
                return decode_outputs(key, value), "hit"
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._start(key, compute, keeps)
            else:
                self._count("joined")
            try:
                value, outcome, kept = await self._landing(key, flight)
            except (DeadlineExceeded, Overloaded):
                if leads:
                    raise
            else:
                now = self._clock()
                if leads or kept or now - flight.begun >= deadline - now:
                    return decode_outputs(key, value), outcome if leads else "joined"

    async def find(self, key: str) -> Outputs | None:
        """Return the cached answer, which the caller owns; None if there is none."""
        value = self._memory.get(key)
        if value is not None:
            self._count("hit")
        else:
            value = await self._fetch(key)
        return None if value is None else decode_outputs(key, value)

    async def _fetch(self, key: str) -> bytes | None:
        found = await self._shared.get(key) if self._shared else None
        if found is None:
            return None
        self._count("remote_hit")
        value, lifetime = found
        self._memory.put(key, value, min(lifetime, self._ttl_seconds))
        return value

    def _start(self, key: str, compute: Callable[[], Awaitable[Outputs]], keeps: Callable[[Outputs], bool]) -> _Flight:
        task = asyncio.create_task(self._fly(key, compute, keeps))
        flight = self._flights[key] = _Flight(task, self._clock())
        self._keep(task)
        task.add_done_callback(lambda _: self._forget(key, flight))
        return flight

    async def _fly(
        self, key: str, compute: Callable[[], Awaitable[Outputs]], keeps: Callable[[Outputs], bool]
    ) -> _Landed:
        found = await self._fetch(key)
        if found is not None:
            return _Landed(found, "hit", kept=True)
        self._count("miss")
        outputs = await compute()
        value = encode_outputs(key, outputs)
        if not keeps(outputs):
            return _Landed(value, "miss", kept=False)
        self._memory.put(key, value, self._ttl_seconds)
        if self._shared and len(value) <= _MAX_SHARED_BYTES:
            self._keep(asyncio.create_task(self._shared.put(key, value)))  # the caller does not wait for it
        return _Landed(value, "miss", kept=True)

    async def _landing(self, key: str, flight: _Flight) -> _Landed:
        flight.waiting += 1
        try:
            await asyncio.wait([flight.task])  # unlike awaiting the task, this does not cancel it with its caller
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                self._forget(key, flight)  # first, so that no caller joins a cancelled computation
                flight.task.cancel()
        return flight.task.result()

    def _forget(self, key: str, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)  # the event loop holds only weak references
        task.add_done_callback(self._let_go)

    def _let_go(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # marks it as retrieved, even if no caller is left

    async def close(self) -> None:
        """Cancel the computations, wait for writes to the shared server, and close its connections."""
        for flight in self._flights.values():
            flight.task.cancel()
        while self._tasks:  # a computation may complete despite the cancellation, and start another write
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._shared:
            await self._shared.close()

    @property
    def bytes(self) -> int:
        """The size of the answers in this process, keys and overhead included."""
        return self._memory.used
