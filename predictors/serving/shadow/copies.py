"""The requests that wait to be copied to a canary."""

import asyncio
from dataclasses import dataclass

from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.model.types import Batch, Outputs

_MAX_WAITING = 64
_MAX_WAITING_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A request that was answered here, and its answer.

    Args:
        model: gave the answer.
        url: of the canary.
        batch: what was asked.
        outputs: what was answered.
        id: the request's.
        version: of the model that answered.
        traceparent: the header by which the canary goes on with the request's trace; empty if it has none.
        allowed_seconds: how much time the caller gave.
        patience_seconds: how long the canary's answer is waited for.
        bytes: how much memory the batch takes.
    """

    model: ServedModel
    url: str
    batch: Batch
    outputs: Outputs
    id: str
    version: str
    traceparent: str
    allowed_seconds: float
    patience_seconds: float
    bytes: int


class Copies:
    """A queue bounded by number and by bytes, for the event loop's thread."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Copy] = asyncio.Queue(_MAX_WAITING)
        self._bytes = 0

    def put(self, copy: Copy) -> bool:
        """Add a copy if there is room; gives whether there was."""
        if self._queue.full() or self._bytes + copy.bytes > _MAX_WAITING_BYTES:
            return False
        self._queue.put_nowait(copy)
        self._bytes += copy.bytes
        return True

    async def get(self) -> Copy:
        """Wait for a copy, and take it out."""
        copy = await self._queue.get()
        self._bytes -= copy.bytes
        return copy
