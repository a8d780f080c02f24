"""A served model's slot: what state it is in, and where it loads and computes.

Threads of a model's own keep prediction off the event loop, and keep a slow model from holding up a quick one. Most
models have one thread, and need not be thread-safe; one that does its own scheduling asks for more. Only what takes
less time than the way to a thread and back is computed on the event loop itself.
"""

import asyncio
import contextlib
import enum
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from predictors.serving.model.types import Batch, Event, Job, Limits, Outputs
from predictors.serving.dispatch.batcher import Batcher
from predictors.serving.dispatch.cost_model import Cost
from predictors.serving.errors import ArtifactError, DeadlineExceeded, ModelNotReady, Overloaded
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.model.predictor import Predictor
from predictors.serving.cache.result_cache import ResultCache
from predictors.serving.cache.result_codec import result_key
from predictors.serving.settings import ServerSettings

if TYPE_CHECKING:
    from predictors.serving.telemetry.call import Call

logger = logging.getLogger(__name__)

# How often unloading looks whether the last answer has ended, seconds.
_DRAIN_POLL_SECONDS = 0.01
# What is expected to take no longer is computed on the event loop. The way to a thread and back costs some tenth of a
# millisecond of CPU, and waiting for the interpreter while the event loop is busy.
SHORT_SECONDS = 0.0005
# Of what is computed there, one in so many is measured: learning takes a tenth of what one row of iris does.
_LEARN_EVERY = 16


class State(enum.Enum):
    """Where a model is in its life."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    UNLOADED = "unloaded"


class Slot:
    """A model's place in the server.

    Args:
        predictor: the model; not loaded yet.
        settings: for the limits.
        metrics: where its numbers go.
        cache: of its answers.
    """

    def __init__(
        self, predictor: Predictor[Any], settings: ServerSettings, metrics: Metrics, cache: ResultCache | None = None
    ) -> None:
        self.predictor = predictor
        self._cache = cache
        self.name: str = predictor.name
        self.limits = Limits(
            max_rows=settings.max_rows or predictor.limits.max_rows,
            max_text_chars=settings.max_text_chars or predictor.limits.max_text_chars,
        )
        self.max_queue = settings.max_queue or predictor.max_queue
        self.state = State.LOADING
        self.reason = "loading"
        self._steps = [each.labels(self.name) for each in (metrics.decoding, metrics.predicting, metrics.encoding)]
        self._metrics = metrics
        self._cost = Cost()
        self._unmeasured = 0  # computations since one was measured; below 0, so many more are to be
        self._executor = ThreadPoolExecutor(predictor.workers, thread_name_prefix=f"model-{self.name}")
        merges = predictor.rowwise and settings.micro_batching == "auto"
        max_rows = self.limits.max_rows if merges else 1
        self._batcher = Batcher(self._infer, self._executor, predictor.workers, max_rows, self._cost)
        predictor.register_metrics(metrics.registry)
        metrics.in_flight.labels(self.name).set_function(lambda: self.in_flight)
        metrics.queue_depth.labels(self.name).set_function(lambda: self._batcher.waiting)

    @property
    def version(self) -> str:
        """The loaded version, empty while there is none."""
        return self.predictor.version

    @property
    def in_flight(self) -> int:
        """Requests accepted and not yet computed."""
        return self._batcher.in_flight

    def observe_steps(self, *times: float) -> None:
        """Count what the steps of a request took: decoding, predicting and encoding.

        Args:
            times: seconds on the clock of `time.monotonic`, when each step began, and when the last one ended.
        """
        decoding, predicting, encoding = self._steps
        begun, decoded, predicted, ended = times
        decoding.observe(decoded - begun)
        predicting.observe(predicted - decoded)
        encoding.observe(ended - predicted)

    def require_ready(self) -> None:
        """Pass only if the model can answer.

        Raises:
            ModelNotReady: with the reason.
        """
        if self.state is not State.READY:
            raise ModelNotReady(f'model "{self.name}" is not ready: {self.reason}')

    def overloaded(self, waiting: int) -> Overloaded:
        """What callers are told when so many are waiting that one more would wait too long."""
        seconds = self._batcher.seconds_for(waiting)
        return Overloaded(
            f'model "{self.name}" has {waiting} requests running and waiting; try again in {seconds} s', seconds
        )

    def answer(self, batch: Batch, deadline: float, call: "Call") -> Awaitable[Outputs]:
        """Give a batch's outputs, from the cache if they are there; raises what `run` raises.

        Args:
            batch: what to compute on.
            deadline: seconds on the clock of `time.monotonic`.
            call: is told how the cache came by them, where one is used.
        """
        return self.run(batch, deadline) if self._cache is None else self._look_up(self._cache, batch, deadline, call)

    async def _look_up(self, cache: ResultCache, batch: Batch, deadline: float, call: "Call") -> Outputs:
        self.require_ready()
        self.predictor.check(batch)
        if not self.predictor.is_deterministic(batch):
            return await self.run(batch, deadline)
        variant = self.predictor.variant(batch, deadline - time.monotonic())
        key = result_key(self.predictor.kind, f"{self.predictor.identity}\n{variant}", batch)
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                outputs, call.cache = await cache.get(key, lambda: self.run(batch, deadline))
                return outputs
        except TimeoutError:
            raise DeadlineExceeded(f'model "{self.name}" did not answer before the deadline') from None

    async def run(self, batch: Batch, deadline: float, emit: Callable[[Event], None] | None = None) -> Outputs:
        """Compute a batch: on a thread of the model's, or at once where that is quicker.

        Args:
            batch: what to compute on.
            deadline: seconds on the clock of `time.monotonic`.
            emit: called on that thread with parts of the answer as they come, by a model that answers in parts.

        Raises:
            ModelNotReady: it is not ready any more.
            Overloaded: too many are waiting.
            DeadlineExceeded: it was not done in time; the model is told to stop.
            InvalidInput: the model refuses the batch.
        """
        self.require_ready()  # it may have been unloaded while the body was on its way
        predictor, waiting = self.predictor, self._batcher.in_flight
        if waiting >= self.max_queue:
            raise self.overloaded(waiting)
        predictor.check(batch)
        if predictor.rowwise and self._cost.estimate(batch.size) <= SHORT_SECONDS:
            outputs = self._compute_here(predictor, batch, deadline)
        else:
            outputs = await self._compute_elsewhere(batch, Job(deadline, emit))
        predictor.observe(outputs, self._metrics)
        return outputs

    def _compute_here(self, predictor: Predictor[Any], batch: Batch, deadline: float) -> Outputs:
        """Compute on the event loop what takes less time than the way to a thread and back."""
        started = time.monotonic()
        if started >= deadline:
            raise DeadlineExceeded(f'model "{self.name}" had no time left to answer')
        outputs = predictor.infer(batch, Job(deadline))
        seconds = time.monotonic() - started
        if seconds > SHORT_SECONDS:
            self._unmeasured = -_LEARN_EVERY  # look at the next ones, too: it may have been the machine
        self._unmeasured += 1
        if self._unmeasured <= 0 or self._unmeasured == _LEARN_EVERY:
            self._unmeasured = min(self._unmeasured, 0)
            self._cost.learn(batch.size, seconds)
        return outputs

    async def _compute_elsewhere(self, batch: Batch, job: Job) -> Outputs:
        request = self._batcher.submit(batch, job)
        try:
            async with asyncio.timeout(job.deadline - time.monotonic()):
                return await request.future
        except TimeoutError:
            raise DeadlineExceeded(f'model "{self.name}" did not answer before the deadline') from None
        finally:
            if not request.future.done() or request.future.cancelled():
                self._batcher.cancel(request)

    async def stream(self, batch: Batch, deadline: float) -> AsyncGenerator[Event | Outputs, None]:
        """Compute a batch, giving the parts of the answer as they come, then the whole; raises what `run` raises."""
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event | None] = asyncio.Queue()

        def emit(event: Event | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and whoever listened
                loop.call_soon_threadsafe(events.put_nowait, event)

        running = asyncio.create_task(self.run(batch, deadline, emit))
        running.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event
            yield await running
        finally:
            running.cancel()

    def _infer(self, batch: Batch, job: Job) -> Outputs:
        if not self.predictor.ready:
            raise ModelNotReady(f'model "{self.name}" is not ready: {self.reason}')
        if job.stopped():
            raise DeadlineExceeded(f'model "{self.name}" had no time left to answer')
        return self.predictor.infer(batch, job)

    async def load(self) -> None:
        """Load on a thread of the model's; a failure becomes the reason, never an exception."""
        await self._idle()
        started = time.monotonic()
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, self.predictor.load)
        except ArtifactError as error:
            await self._fail(str(error))
        except Exception:
            logger.exception("model %s failed to load", self.name)
            await self._fail("it failed to load; the server's log has the detail")
        else:
            seconds = time.monotonic() - started
            self._cost.forget()
            self._metrics.load_time.labels(self.name, self.version).set(seconds)
            self.state, self.reason = State.READY, ""
            logger.info("model %s version %s is ready after %.2f s", self.name, self.version, seconds)

    async def _fail(self, reason: str) -> None:
        self.state, self.reason = State.FAILED, reason
        logger.error("model %s is not ready: %s", self.name, reason)
        await self.unload()

    async def unload(self) -> None:
        """Let what is running end, then give the model's memory back."""
        await self._idle()
        await asyncio.get_running_loop().run_in_executor(self._executor, self.predictor.close)
        self.predictor.version = self.predictor.format = ""

    async def _idle(self) -> None:
        """Let what is running end; what waits is then refused."""
        self.predictor.ready = False
        while self._batcher.batches_running:
            await asyncio.sleep(_DRAIN_POLL_SECONDS)

    @property
    def busy(self) -> bool:
        """Whether a thread of its is at work."""
        return self.state is State.LOADING or self.in_flight > 0

    def close(self) -> None:
        """End the threads once they are idle."""
        self._executor.shutdown(wait=False, cancel_futures=True)
