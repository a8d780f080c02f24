"""A served model: its readiness, its queue, and where it loads and computes.

A model has its own threads, so that neither loading nor a long batch blocks the event loop or another model. Most
models have one thread and need not be thread-safe; one that does its own scheduling asks for more. Only work that takes
less time than a round trip to a thread runs on the event loop.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias

from predictors.serving.cache.result_cache import ResultCache
from predictors.serving.cache.result_codec import result_key
from predictors.serving.dispatch.batcher import Batcher
from predictors.serving.dispatch.cost_model import CostModel
from predictors.serving.dispatch.state import State
from predictors.serving.dispatch.streaming import parts_of
from predictors.serving.dispatch.use import Use
from predictors.serving.errors import ArtifactError, ArtifactMissing, DeadlineExceeded, ModelNotReady, Overloaded
from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import Batch, Event, Job, Limits, Outputs
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.telemetry.trace import Trace

logger = logging.getLogger(__name__)

Tap: TypeAlias = Callable[[Batch, Outputs, Call], None]
"""Is told of a batch and its answer, on the event loop and before the caller is: it must be quick, and not raise."""

# How often an artifact that was missing is looked for, seconds.
LOOK_SECONDS = 2.0
# How often unloading checks whether the last batch has ended, seconds.
_DRAIN_POLL_SECONDS = 0.01
# Batches expected to take no longer than this run on the event loop. A round trip to a thread costs about a tenth of a
# millisecond of CPU, and a wait for the GIL while the event loop is busy.
SHORT_SECONDS = 0.0005
# One in this many of those batches is measured, since measuring costs a tenth of one row of iris.
_MEASURE_EVERY = 16


class ServedModel:
    """A model in the server.

    Args:
        predictor: the model; not loaded yet.
        settings: for the limits.
        metrics: where its numbers go.
        cache: of its answers, if they are cached.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        predictor: Predictor[Any],
        settings: ServerSettings,
        metrics: Metrics,
        cache: ResultCache | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.predictor = predictor
        self.name: str = predictor.name
        self.title = f'model "{self.name}"' + (f" version {self.version}" if self.version else "")
        """What it is called in sentences: with its version if that is the folder's."""
        self.limits = Limits(
            max_rows=settings.max_rows or predictor.limits.max_rows,
            max_text_chars=settings.max_text_chars or predictor.limits.max_text_chars,
        )
        self.max_queue = settings.max_queue or predictor.max_queue
        self.state = State.LOADING
        self.reason = "loading"
        """Why it is not ready; empty if it is."""
        self.tap: Tap | None = None
        """Is told of each whole answer that was not streamed, while there is one."""
        self.memory: Mapping[str, int] = {}
        """About how much memory it takes while it is loaded, bytes, by what takes it."""
        self.watchers: tuple[Tap, ...] = ()
        """Are told of each whole answer, the streamed ones too."""
        self.use: Use | None = None
        """Who uses it, where that decides whether it stays loaded."""
        self._cache = cache
        self._metrics = metrics
        self._clock = clock
        self._costs = CostModel()
        self._changing = asyncio.Lock()  # loading and unloading go one after the other
        self._unmeasured = 0  # batches since the last measurement; if negative, the number still to measure
        self._executor = ThreadPoolExecutor(predictor.workers, thread_name_prefix=f"model-{self.name}")
        merges = predictor.rowwise and settings.micro_batching == "auto"
        max_rows = self.limits.max_rows if merges else 1
        self._batcher = Batcher(self._infer, self._executor, predictor.workers, max_rows, self._costs, clock)
        predictor.register_metrics(metrics)

    @property
    def version(self) -> str:
        """The version; empty if that is the manifest's, and none is loaded."""
        return self.predictor.version

    @property
    def in_flight(self) -> int:
        """Requests accepted and not yet computed."""
        return self._batcher.in_flight

    @property
    def waiting(self) -> int:
        """Batches that wait for a thread."""
        return self._batcher.waiting

    @property
    def expected_seconds(self) -> float:
        """How long one more request will take with those before it, by how fast answers have come."""
        return self._batcher.expected_seconds(self.in_flight + 1)

    @property
    def busy(self) -> bool:
        """Whether one of its threads is working."""
        return self.state is State.LOADING or self.in_flight > 0

    def require_ready(self) -> None:
        """Pass only if the model can answer.

        Raises:
            ModelNotReady: with the reason.
        """
        if self.state is not State.READY:
            raise ModelNotReady(f"{self.title} is not ready: {self.reason}")

    def require_room(self, ahead: int = 0) -> None:
        """Pass only if one more request may wait.

        Args:
            ahead: requests that waited for the event loop when this one arrived; batches computed there queue for it
                instead of for a thread.

        Raises:
            Overloaded: one of the two queues is full.
        """
        waiting = max(ahead, self.in_flight)
        if waiting >= self.max_queue:
            seconds = self._batcher.seconds_for(waiting)
            raise Overloaded(
                f'model "{self.name}" has {waiting} requests running and waiting; try again in {seconds} s', seconds
            )

    def answer(self, batch: Batch, call: Call) -> Awaitable[Outputs]:
        """Return a batch's outputs, from the cache if they are there; raises what `run` raises.

        Args:
            batch: the input.
            call: has the deadline, and records how the cache was used.
        """
        if self._cache is None:
            return self.run(batch, call.deadline, trace=call.trace)
        return self._look_up(self._cache, batch, call)

    async def _look_up(self, cache: ResultCache, batch: Batch, call: Call) -> Outputs:
        self.require_ready()
        self.predictor.check(batch)
        if not self.predictor.is_deterministic(batch):
            return await self.run(batch, call.deadline, trace=call.trace)
        seconds = call.deadline - self._clock()
        key = self._key(batch, seconds)
        try:
            async with asyncio.timeout(seconds):
                compute = partial(self.run, batch, call.deadline, trace=call.trace)
                outputs, call.cache = await cache.get(key, compute, self.predictor.is_final, call.deadline)
                return outputs
        except TimeoutError:
            raise self._too_late() from None

    def _key(self, batch: Batch, seconds: float) -> str:
        variant = self.predictor.variant(batch, seconds)
        return result_key(self.predictor.kind, f"{self.predictor.identity}\n{variant}", batch)

    async def cached(self, batch: Batch, call: Call) -> Outputs | None:
        """Return a batch's outputs if the cache has them; computes nothing.

        Raises:
            InvalidInput: the model refuses the batch.
        """
        if self._cache is None or self.state is not State.READY:
            return None
        self.predictor.check(batch)
        if not self.predictor.is_deterministic(batch):
            return None
        outputs = await self._cache.find(self._key(batch, call.deadline - self._clock()))
        if outputs is not None:
            call.cache = "hit"
        return outputs

    async def run(
        self, batch: Batch, deadline: float, emit: Callable[[Event], None] | None = None, trace: Trace | None = None
    ) -> Outputs:
        """Compute a batch: on one of the model's threads, or on the event loop if that is faster.

        Args:
            batch: the input.
            deadline: seconds on the clock.
            emit: called on that thread with parts of the answer, by a model that streams.
            trace: where the steps of a computation on a thread are noted.

        Raises:
            ModelNotReady: it is no longer ready.
            Overloaded: the queue is full.
            DeadlineExceeded: it was not done in time; the model is told to stop.
            InvalidInput: the model refuses the batch.
        """
        self.require_ready()  # it may have been unloaded while the body arrived
        self.require_room()
        predictor = self.predictor
        predictor.check(batch)
        try:
            if predictor.rowwise and self._costs.estimate(batch.size) <= SHORT_SECONDS:
                outputs = self._compute_here(batch, deadline)
            else:
                outputs = await self._compute_on_thread(batch, Job(deadline, emit, self._clock), trace)
        except (DeadlineExceeded, asyncio.CancelledError):  # who waits for it has the same deadline, and may be first
            if self._clock() >= deadline:
                predictor.observe_late(batch, self._metrics)
            raise
        predictor.observe(outputs, self._metrics)
        return outputs

    def _compute_here(self, batch: Batch, deadline: float) -> Outputs:
        started = self._clock()
        if started >= deadline:
            raise DeadlineExceeded(f'model "{self.name}" had no time left to answer')
        outputs: Outputs = self.predictor.infer(batch, Job(deadline, clock=self._clock))
        seconds = self._clock() - started
        self._unmeasured += 1
        if seconds > SHORT_SECONDS or self._unmeasured == _MEASURE_EVERY or self._unmeasured <= 0:
            self._measure(batch.size, seconds)
        return outputs

    def _measure(self, size: int, seconds: float) -> None:
        if seconds > SHORT_SECONDS:
            self._unmeasured = 1 - _MEASURE_EVERY  # measure the next ones too: the machine may have been busy
        self._unmeasured = min(self._unmeasured, 0)
        self._costs.learn(size, seconds)

    async def _compute_on_thread(self, batch: Batch, job: Job, trace: Trace | None) -> Outputs:
        submitted = self._clock()
        queued = self._batcher.submit(batch, job)
        try:
            async with asyncio.timeout(job.deadline - self._clock()):
                outputs = await queued.future
        except TimeoutError:
            raise self._too_late() from None
        finally:
            if not queued.future.done() or queued.future.cancelled():
                self._batcher.cancel(queued)
        if trace is not None:
            trace.step("queue", submitted, job.begun)
            trace.steps_from(job.begun, self.predictor.phases(outputs))
        return outputs

    def _too_late(self) -> DeadlineExceeded:
        return DeadlineExceeded(f'model "{self.name}" did not answer before the deadline')

    def stream(self, batch: Batch, call: Call) -> AsyncGenerator[Event | Outputs, None]:
        """Compute a batch; gives the parts of the answer as they come, then the whole. Raises what `run` raises."""
        return parts_of(lambda emit: self.run(batch, call.deadline, emit, call.trace))

    def _infer(self, batch: Batch, job: Job) -> Outputs:
        """Compute a batch, on one of the model's threads."""
        self.require_ready()
        if job.stopped():
            raise DeadlineExceeded(f'model "{self.name}" had no time left to answer')
        return self.predictor.infer(batch, job)

    async def load(self) -> None:
        """Load on the model's thread; a failure becomes the reason, never an exception."""
        if self.state is State.READY:
            self.state, self.reason = State.LOADING, "loading"
        async with self._changing:
            await self._load()

    async def _load(self) -> None:
        await self._drained()
        self._forget()
        started = time.monotonic()
        try:
            self.memory = await asyncio.get_running_loop().run_in_executor(self._executor, self._load_and_weigh)
        except ArtifactMissing as error:
            await self._fail(f"{error}; it is looked for again every {LOOK_SECONDS:.0f} s", State.MISSING)
        except ArtifactError as error:
            await self._fail(str(error))
        except Exception:
            logger.exception("%s failed to load", self.title)
            await self._fail("it failed to load; the server's log has the details")
        else:
            seconds = time.monotonic() - started
            self._costs.forget()
            self._metrics.load_time.labels(self.name, self.version).set(seconds)
            self.announce()
            self.state, self.reason = State.READY, ""
            logger.info("model %s version %s is ready after %.2f s", self.name, self.version, seconds)

    def announce(self) -> None:
        """Have the metrics show what is loaded."""
        self._metrics.set_memory(self.name, self.version, self.memory)
        self.predictor.announce(self._metrics)

    def _forget(self) -> None:
        """Have the metrics show no longer what was loaded; another model may have the same name and version."""
        if self.memory:
            self.memory = {}
            self._metrics.set_memory(self.name, self.version, self.memory)
            self._metrics.forget_artifact(self.name, self.version)

    def _load_and_weigh(self) -> Mapping[str, int]:
        self.predictor.load()
        return self.predictor.memory()

    async def _fail(self, reason: str, state: State = State.FAILED) -> None:
        self.state, self.reason = state, reason
        logger.error("%s is not ready: %s", self.title, reason)
        await self._unload()

    async def unload(self) -> None:
        """Wait for running batches, then free the model. Call it in a state in which no batch can begin."""
        async with self._changing:
            await self._unload()

    async def _unload(self) -> None:
        await self._drained()
        await asyncio.get_running_loop().run_in_executor(self._executor, self.predictor.close)
        self._forget()
        self.predictor.version, self.predictor.format = self.predictor.source.version, ""

    async def _drained(self) -> None:
        while self._batcher.batches_running:
            await asyncio.sleep(_DRAIN_POLL_SECONDS)

    def close(self) -> None:
        """End the threads once they are idle."""
        self._executor.shutdown(wait=False, cancel_futures=True)
