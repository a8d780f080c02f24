"""From a computation that emits parts of its answer on any thread to the parts, one after another."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeAlias

from predictors.serving.model.types import Event, Outputs

Emit: TypeAlias = Callable[[Event], None]


async def parts_of(compute: Callable[[Emit], Awaitable[Outputs]]) -> AsyncGenerator[Event | Outputs, None]:
    """Yield the parts of an answer as they come, then the whole; raises what the computation raises.

    Args:
        compute: is given what takes the parts, from whichever thread; it is cancelled when the generator is closed.
    """
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[Event | None] = asyncio.Queue()

    def emit(event: Event | None) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed, so nothing reads the events
            loop.call_soon_threadsafe(events.put_nowait, event)

    async def run() -> Outputs:
        return await compute(emit)

    running = asyncio.create_task(run())
    running.add_done_callback(lambda _: emit(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        yield await running
    finally:
        running.cancel()
