"""From the event loop to a model's threads and back; requests that wait together are computed together.

A batch costs a model a fixed time, whatever its size, and some time per row. If the fixed part is large, computing
several requests at once saves time:

- While the model is busy, requests wait anyway. All those that wait become the next batch.
- While it is idle, requests wait for the next one only if that saves time: by the rate of arrivals, it is expected
  before their accumulated delay reaches the fixed time that merging it saves. If it does not come, they wait until
  their delay has reached that. No request waits longer than the fixed time, or beyond its deadline.

If a merged batch fails, each of its requests is computed alone, so that an error reaches only its own request.

Other servers' batchers wait a configured time for a batch to fill, which delays every request at low load; this one
learns from the model's costs and the arrivals whether to wait, so it needs no setting.
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

from predictors.serving.dispatch.cost_model import CostModel
from predictors.serving.dispatch.throughput import Throughput
from predictors.serving.model.types import Batch, Column, ColumnBatch, FeatureBatch, Job, Outputs, TextBatch

Infer: TypeAlias = Callable[[Batch, Job], Outputs]
_Result: TypeAlias = Outputs | Exception

# Weight of the latest interval in the geometric mean of arrival intervals, which a pause between bursts hardly moves.
_GAP_WEIGHT = 0.2
# The interval between requests that arrive together, seconds.
_LEAST_GAP = 1e-6


@dataclass(slots=True, eq=False)
class QueuedBatch:
    """A batch that waits or is computed; its outputs go to the future."""

    batch: Batch
    job: Job
    future: asyncio.Future[Outputs]


class _SharedJob(Job):
    """The job of a merged batch: it stops when all of its requests have."""

    __slots__ = ("_jobs",)

    def __init__(self, jobs: list[Job], clock: Callable[[], float]) -> None:
        super().__init__(max(job.deadline for job in jobs), clock=clock)
        self._jobs = jobs

    def stopped(self) -> bool:
        return all(job.stopped() for job in self._jobs)


class Batcher:
    """The queue of one model. All public methods run on the event loop.

    Args:
        infer: computes a batch, on a thread of the executor.
        executor: with ``workers`` threads.
        workers: how many batches are computed at once.
        max_rows: maximum rows of a merged batch; 1 disables merging.
        costs: learns what batches cost.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        infer: Infer,
        executor: ThreadPoolExecutor,
        workers: int,
        max_rows: int,
        costs: CostModel,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._infer = infer
        self._executor = executor
        self._workers = workers
        self._max_rows = max_rows
        self._costs = costs
        self._clock = clock
        self._throughput = Throughput(clock)
        self._gap, self._last_arrival = float("inf"), clock()
        self._waiting: deque[QueuedBatch] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._held_since = 0.0  # when the requests began to wait for the next one; 0 if they do not
        self.batches_running = 0
        self.in_flight = 0
        """Requests waiting or being computed."""

    @property
    def waiting(self) -> int:
        """Requests waiting for a thread."""
        return len(self._waiting)

    def seconds_for(self, answers: int) -> int:
        """How long a number of answers will take: whole seconds, at least 1."""
        return self._throughput.seconds_for(answers)

    def expected_seconds(self, answers: int) -> float:
        """The same, not rounded; 0 while nothing is known."""
        return self._throughput.expected_seconds(answers)

    def submit(self, batch: Batch, job: Job) -> QueuedBatch:
        """Queue a batch."""
        loop = asyncio.get_running_loop()
        now = self._clock()
        gap, self._last_arrival = now - self._last_arrival, now
        gap = max(gap, _LEAST_GAP)
        self._gap = gap if self._gap == float("inf") else self._gap ** (1 - _GAP_WEIGHT) * gap**_GAP_WEIGHT
        request = QueuedBatch(batch, job, loop.create_future())
        self._waiting.append(request)
        self.in_flight += 1
        self._dispatch()
        return request

    def cancel(self, request: QueuedBatch) -> None:
        """Drop a batch: if its computation has begun it is told to stop, otherwise it never begins."""
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
        """How long to wait for the next request, seconds; 0 or less if that saves no time."""
        saved, count = self._costs.fixed, len(self._waiting)
        if self._max_rows == 1 or not count * self._gap < saved:
            return 0.0
        if sum(len(request.batch) for request in self._waiting) >= self._max_rows:
            return 0.0
        now = self._clock()
        self._held_since = self._held_since or now
        slack = min(request.job.deadline for request in self._waiting) - now
        slack -= self._costs.estimate(sum(request.batch.size for request in self._waiting))
        return min(saved / count, self._held_since + saved - now, slack)

    def _take(self) -> list[QueuedBatch]:
        """The next requests to compute together, in order of arrival."""
        group = [self._waiting.popleft()]
        first, rows, size = group[0].batch, len(group[0].batch), group[0].batch.size
        ends = group[0].job.deadline
        while self._waiting:
            following = self._waiting[0]
            rows, size = rows + len(following.batch), size + following.batch.size
            ends = min(ends, following.job.deadline)
            fits = rows <= self._max_rows and self._clock() + self._costs.estimate(size) < ends
            if not fits or not _alike(first, following.batch):
                break
            group.append(self._waiting.popleft())
        return group

    def _start(self, group: list[QueuedBatch]) -> None:
        loop = asyncio.get_running_loop()
        self.batches_running += 1
        self._throughput.begin()

        def done(future: Future[tuple[list[_Result], float]]) -> None:
            with contextlib.suppress(RuntimeError):  # the event loop is closed, so nothing waits for the results
                loop.call_soon_threadsafe(self._finish, group, future)

        try:
            self._executor.submit(self._compute, group).add_done_callback(done)
        except RuntimeError:  # the executor is shut down
            self.batches_running -= 1
            self.in_flight -= len(group)
            for request in group:
                request.future.cancel()

    def _finish(self, group: list[QueuedBatch], future: Future[tuple[list[_Result], float]]) -> None:
        results, seconds = future.result()
        self.batches_running -= 1
        self.in_flight -= len(group)
        answered = sum(not isinstance(result, Exception) for result in results)
        self._throughput.end(answered)
        if answered == len(group):
            self._costs.learn(sum(request.batch.size for request in group), seconds)
        for request, result in zip(group, results, strict=True):
            if request.future.done():
                continue
            if isinstance(result, Exception):
                request.future.set_exception(result)
            else:
                request.future.set_result(result)
        self._dispatch()

    def _compute(self, group: list[QueuedBatch]) -> tuple[list[_Result], float]:
        """Compute a group's results, and how long they took, seconds. Runs on a thread."""
        started = self._clock()
        for request in group:
            request.job.begun = started
        results: list[_Result] | None = None
        if len(group) > 1:
            with contextlib.suppress(BaseException):  # raised again below, for the request that caused it
                batches = [request.batch for request in group]
                outputs = self._infer(_merge(batches), _SharedJob([request.job for request in group], self._clock))
                results = [*_split(outputs, batches)]
        if results is None:
            results = [self._compute_alone(request) for request in group]
        return results, self._clock() - started

    def _compute_alone(self, request: QueuedBatch) -> _Result:
        try:
            return self._infer(request.batch, request.job)
        except BaseException as error:  # noqa: BLE001  # raised again where the request is awaited
            if isinstance(error, Exception) and not isinstance(error, StopIteration):
                return error
            return RuntimeError(f"{type(error).__name__}: {error}")  # futures refuse StopIteration


def _alike(first: Batch, other: Batch) -> bool:
    try:
        return type(first) is type(other) and first.parameters == other.parameters
    except RecursionError:  # too deeply nested to compare
        return False


def _merge(batches: Sequence[Batch]) -> Batch:
    parameters = batches[0].parameters
    if isinstance(batches[0], FeatureBatch):
        return FeatureBatch(np.concatenate([b.features for b in batches if isinstance(b, FeatureBatch)]), parameters)
    if isinstance(batches[0], ColumnBatch):
        columns = [b.columns for b in batches if isinstance(b, ColumnBatch)]
        return ColumnBatch({name: _joined([each[name] for each in columns]) for name in columns[0]}, parameters)
    return TextBatch([*chain.from_iterable(b.texts for b in batches if isinstance(b, TextBatch))], parameters)


def _joined(parts: Sequence[Column]) -> Column:
    """The columns of several batches as one: arrays of one type, or lists."""
    arrays = [part for part in parts if not isinstance(part, list)]
    return np.concatenate(arrays) if arrays else [*chain.from_iterable(parts)]


def _split(outputs: Outputs, batches: Sequence[Batch]) -> list[Outputs]:
    ends = [*accumulate(map(len, batches))]
    spans = [slice(end - len(batch), end) for end, batch in zip(ends, batches, strict=True)]
    return [{name: column[span] for name, column in outputs.items()} for span in spans]
