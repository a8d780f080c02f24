"""Decoding on a thread: the event loop goes on, one request is decoded at a time, and none waits beyond its deadline."""

import asyncio
import threading
import time

import pytest

from predictors.serving.dispatch.decoding import DecodingThread
from predictors.serving.errors import DeadlineExceeded, InvalidInput

SOON, LATER = 0.05, 60.0


def test_the_event_loop_goes_on_meanwhile() -> None:
    release = threading.Event()

    def decode(text: str, *, end: str) -> tuple[str, str]:
        release.wait(LATER)
        return text + end, threading.current_thread().name

    async def scenario() -> None:
        decoding = DecodingThread()
        tasks = [asyncio.create_task(decoding.run(time.monotonic() + LATER, decode, "a", end="!")) for _ in range(2)]
        await asyncio.sleep(SOON)  # returns while the thread waits
        assert not any(task.done() for task in tasks)
        release.set()
        assert await asyncio.gather(*tasks) == [("a!", "decoding_0")] * 2

    asyncio.run(scenario())


def test_errors_reach_the_request() -> None:
    def refuse() -> None:
        raise InvalidInput("refused")

    async def scenario() -> None:
        with pytest.raises(InvalidInput, match="refused"):
            await DecodingThread().run(time.monotonic() + LATER, refuse)

    asyncio.run(scenario())


def test_a_request_does_not_wait_beyond_its_deadline() -> None:
    release = threading.Event()
    decoded: list[int] = []

    async def scenario() -> None:
        decoding = DecodingThread()
        first = asyncio.create_task(decoding.run(time.monotonic() + LATER, release.wait, LATER))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded, match="not decoded before the deadline"):
            await decoding.run(time.monotonic() + SOON, decoded.append, 1)
        release.set()
        assert await first
        await decoding.run(time.monotonic() + LATER, decoded.append, 2)

    asyncio.run(scenario())
    assert decoded == [2]  # what nobody waits for any more is not begun
