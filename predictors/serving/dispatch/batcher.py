"""From the event loop to a model's threads and back; requests that wait together are computed together.

A model spends a fixed time on each batch, whatever its size, and some on each row. Where the fixed part is large, it
pays to compute several requests at once:

- While the model is busy, requests wait anyway; all that wait are then computed as one batch.
- While it is idle, requests wait for others only as long as that pays: if the next is expected, by the pace of the last
  ones, before the delay of those that wait adds up to the fixed time which it saves; and no longer than until it has
  added up, should it not come. None waits longer than that fixed time, or beyond its deadline.

If a batch of several fails, each request is computed on its own, so that an error reaches its own request alone.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TypeAlias

import numpy as np

from predictors.serving.model.types import Batch, FeatureBatch, Job, Outputs, TextBatch
from predictors.serving.dispatch.cost_model import Cost
from predictors.serving.dispatch.throughput import Pace

Infer: TypeAlias = Callable[[Batch, Job], Outputs]
_Result: TypeAlias = Outputs | Exception

# Weight of the newest gap between two requests in their geometric mean, which a long pause between bursts moves little.
_GAP_WEIGHT = 0.2
# Requests that come at the same moment, seconds.
_LEAST_GAP = 1e-6


@dataclass(slots=True, eq=False)
class Request:
    """A batch on its way through the model: its future has the outputs in the end."""

    batch: Batch
    job: Job
    future: asyncio.Future[Outputs]


class _SharedJob(Job):
    """The running of several requests' batch: it stops when all of them have."""

    __slots__ = ("_jobs",)

    def __init__(self, jobs: list[Job]) -> None:
        super().__init__(max(job.deadline for job in jobs))
        self._jobs = jobs

    def stopped(self) -> bool:
        return all(job.stopped() for job in self._jobs)


class Batcher:
    """The queue of one model. All methods run on the event loop.

    Args:
        infer: computes a batch, on a thread of the executor.
        executor: with ``workers`` threads.
        workers: how many batches are computed at once.
        max_rows: most rows of a batch of several requests; 1 keeps every request on its own.
        cost: learns what batches cost.
    """

    def __init__(self, infer: Infer, executor: ThreadPoolExecutor, workers: int, max_rows: int, cost: Cost) -> None:
        self._infer = infer
        self._executor = executor
        self._workers = workers
        self._max_rows = max_rows
        self._cost = cost
        self._pace = Pace()
        self._gap, self._last_arrival = float("inf"), time.monotonic()
        self._waiting: deque[Request] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._held_since = 0.0  # when those that wait could have begun, but for the next one
        self.batches_running = 0
        self.in_flight = 0
        """Requests waiting or being computed."""

    @property
    def waiting(self) -> int:
        """Requests waiting for a thread."""
        return len(self._waiting)

    def seconds_for(self, answers: int) -> int:
        """When so many answers will be ready: whole seconds, at least 1."""
        return self._pace.seconds_for(answers)

    def submit(self, batch: Batch, job: Job) -> Request:
        """Queue a batch."""
        loop = asyncio.get_running_loop()
        now = time.monotonic()
        gap, self._last_arrival = now - self._last_arrival, now
        gap = max(gap, _LEAST_GAP)
        self._gap = gap if self._gap == float("inf") else self._gap ** (1 - _GAP_WEIGHT) * gap**_GAP_WEIGHT
        request = Request(batch, job, loop.create_future())
        self._waiting.append(request)
        self.in_flight += 1
        self._dispatch()
        return request

    def cancel(self, request: Request) -> None:
        """Nobody waits for it any more: it is not computed if it has not begun, and told to stop if it has."""
        request.job.cancel()
        if request in self._waiting:
            self._waiting.remove(request)
            self.in_flight -= 1
            if not self._waiting:
                self._held_since = 0.0

    def _dispatch(self, wait: bool = True) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self.batches_running < self._workers:
            delay = self._worth_waiting() if wait else 0.0
            if delay > 0:
                self._timer = asyncio.get_running_loop().call_later(delay, self._dispatch, False)
                return
            self._held_since = 0.0
            self._start(self._take())
            wait = True

    def _worth_waiting(self) -> float:
        """How long to wait for the next request, seconds; 0 if that does not pay."""
        saved, count = self._cost.fixed, len(self._waiting)
        if self._max_rows == 1 or not count * self._gap < saved:
            return 0.0
        if sum(len(request.batch) for request in self._waiting) >= self._max_rows:
            return 0.0
        now = time.monotonic()
        self._held_since = self._held_since or now
        slack = min(request.job.deadline for request in self._waiting) - now
        slack -= self._cost.estimate(sum(request.batch.size for request in self._waiting))
        return min(saved / count, self._held_since + saved - now, slack)

    def _take(self) -> list[Request]:
        """The next requests to compute together, in the order in which they came."""
        group = [self._waiting.popleft()]
        first, rows, size = group[0].batch, len(group[0].batch), group[0].batch.size
        ends = group[0].job.deadline
        while self._waiting:
            following = self._waiting[0]
            rows, size = rows + len(following.batch), size + following.batch.size
            ends = min(ends, following.job.deadline)
            fits = rows <= self._max_rows and time.monotonic() + self._cost.estimate(size) < ends
            if not fits or not _alike(first, following.batch):
                break
            group.append(self._waiting.popleft())
        return group

    def _start(self, group: list[Request]) -> None:
        loop = asyncio.get_running_loop()
        self.batches_running += 1
        self._pace.begin()

        def done(future: Future[tuple[list[_Result], float]]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and whoever waited
                loop.call_soon_threadsafe(self._finish, group, future)

        try:
            self._executor.submit(self._compute, group).add_done_callback(done)
        except RuntimeError:  # the server has ended
            self.batches_running -= 1
            self.in_flight -= len(group)
            for request in group:
                request.future.cancel()

    def _finish(self, group: list[Request], future: Future[tuple[list[_Result], float]]) -> None:
        results, seconds = future.result()
        self.batches_running -= 1
        self.in_flight -= len(group)
        answered = sum(not isinstance(result, Exception) for result in results)
        self._pace.end(answered)
        if answered == len(group):
            self._cost.learn(sum(request.batch.size for request in group), seconds)
        for request, result in zip(group, results, strict=True):
            if request.future.done():
                continue
            if isinstance(result, Exception):
                request.future.set_exception(result)
            else:
                request.future.set_result(result)
        self._dispatch()

    def _compute(self, group: list[Request]) -> tuple[list[_Result], float]:
        """Runs on a thread: the requests' results, and how long they took."""
        started = time.monotonic()
        results: list[_Result] | None = None
        if len(group) > 1:
            with contextlib.suppress(BaseException):  # whatever it was, it is met again below, by whom it concerns
                batches = [request.batch for request in group]
                outputs = self._infer(_merge(batches), _SharedJob([request.job for request in group]))
                results = [*_split(outputs, batches)]
        if results is None:
            results = [self._compute_alone(request) for request in group]
        return results, time.monotonic() - started

    def _compute_alone(self, request: Request) -> _Result:
        try:
            return self._infer(request.batch, request.job)
        except BaseException as error:  # noqa: BLE001  # the request's own, raised again where it is awaited
            if isinstance(error, Exception) and not isinstance(error, StopIteration):
                return error
            return RuntimeError(f"{type(error).__name__}: {error}")  # a future takes no StopIteration


def _alike(first: Batch, other: Batch) -> bool:
    try:
        return type(first) is type(other) and first.parameters == other.parameters
    except RecursionError:  # they are nested too deep to compare
        return False


def _merge(batches: Sequence[Batch]) -> Batch:
    parameters = batches[0].parameters
    if isinstance(batches[0], FeatureBatch):
        return FeatureBatch(np.concatenate([b.features for b in batches if isinstance(b, FeatureBatch)]), parameters)
    return TextBatch([*chain.from_iterable(b.texts for b in batches if isinstance(b, TextBatch))], parameters)


def _split(outputs: Outputs, batches: Sequence[Batch]) -> list[Outputs]:
    ends = [*accumulate(map(len, batches))]
    spans = [slice(end - len(batch), end) for end, batch in zip(ends, batches, strict=True)]
    return [{name: column[span] for name, column in outputs.items()} for span in spans]
