"""A steady stream of requests, each counted once.

Open loop: requests start by the clock, whether or not earlier ones are answered, as from many users. What the machine is
too slow to start in time starts late; nothing fails by that. Only what a server or gateway does makes a failure: another
status than 200, a wrong answer, a connection that ends.
"""

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from tests.waiting import until

_SHOWN = 20
# So many requests are answered before whatever the stream is to survive begins.
_FLOWING = 50


class Answer(NamedTuple):
    """How one request ended.

    Args:
        version: the model's, of a right answer.
        fault: what was wrong; empty if nothing was.
    """

    version: str = ""
    fault: str = ""


Send: TypeAlias = Callable[[], Awaitable[Answer]]
Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[Send]]


class Pace(NamedTuple):
    """How many requests.

    Args:
        per_second: that start in a second.
        least: that are sent, however soon the stream may stop.
        most: that are sent, however long it goes on.
    """

    per_second: float
    least: int
    most: int


LIGHT = Pace(per_second=20, least=100, most=12_000)


@dataclass
class Tally:
    """What became of a stream's requests.

    Args:
        started: requests sent.
        answered: seconds since the start and the model's version, of each right answer, in the order of their ends.
        faults: seconds since the start and what was wrong, of each failure.
        exhausted: whether the most were sent before the stream was stopped.
    """

    started: int = 0
    answered: list[tuple[float, str]] = field(default_factory=list)
    faults: list[tuple[float, str]] = field(default_factory=list)
    exhausted: bool = False

    def versions(self) -> Counter[str]:
        """Right answers by the model's version."""
        return Counter(version for _, version in self.answered)

    @property
    def lost(self) -> list[str]:
        """What failed, and was not a bad version's answer."""
        return [text for _, text in self.faults if not text.startswith("status 200")]

    def check(self) -> None:
        """Fail if a request failed or is not accounted for, or if the stream ended too soon."""
        shown = "".join(f"\n  {second:8.3f} s: {fault}" for second, fault in self.faults[:_SHOWN])
        assert not self.faults, f"{len(self.faults)} of {self.started} requests failed:{shown}"
        assert len(self.answered) == self.started, f"{self.started} requests were sent, {len(self.answered)} answered"
        assert not self.exhausted, f"all {self.started} requests were sent before the change was over"

    def __str__(self) -> str:
        by_version = ", ".join(f"{count} by version {version}" for version, count in sorted(self.versions().items()))
        return f"{self.started} requests, {len(self.faults)} lost; {by_version}"


class Stream:
    """A stream of requests.

    Args:
        pace: how many.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._stopping = threading.Event()
        self.tally = Tally()

    def stop(self) -> None:
        """End it, from any thread, once the least were sent."""
        self._stopping.set()

    async def run(self, connect: Connect) -> None:
        """Send until stopped or at the most, then wait for the answers."""
        begin = time.monotonic()
        async with connect() as send, asyncio.TaskGroup() as answers:
            for number in itertools.count():
                if self._ends_at(number):
                    break
                await asyncio.sleep(max(0.0, begin + number / self._pace.per_second - time.monotonic()))
                self.tally.started += 1
                answers.create_task(self._one(send, begin))

    def _ends_at(self, number: int) -> bool:
        if self._stopping.is_set():
            return number >= self._pace.least
        self.tally.exhausted = number >= self._pace.most
        return self.tally.exhausted

    async def _one(self, send: Send, begin: float) -> None:
        answer = await send()
        second = time.monotonic() - begin
        if answer.fault:
            self.tally.faults.append((second, answer.fault))
        else:
            self.tally.answered.append((second, answer.version))


@contextmanager
def steady(connect: Connect, pace: Pace) -> Iterator[Tally]:
    """Requests in the background, from before the block until after it; the tally is complete once it has ended."""
    stream = Stream(pace)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(lambda: asyncio.run(stream.run(connect)))
        try:
            until(
                lambda: running.done() or len(stream.tally.answered) >= min(_FLOWING, pace.least), "the stream to flow"
            )
            yield stream.tally
        finally:
            stream.stop()
            running.result()
