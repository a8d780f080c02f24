"""Where a model computes: short work on the event loop, long work on its thread, and work that waits together at once."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.dispatch.served_model import SHORT_SECONDS, ServedModel
from predictors.serving.dispatch.state import State
from predictors.serving.errors import DeadlineExceeded, InvalidInput, ModelNotReady, Overloaded
from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import Job, Limits, Outputs, TensorSpec, TextBatch, TextInput
from predictors.serving.settings import ServerSettings, Source
from predictors.serving.telemetry.metrics import Metrics
from tests.unit.serving.dispatch.test_batcher import Clock

SHORT, LONG = SHORT_SECONDS / 2, SHORT_SECONDS * 2


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Timed(Predictor[TextBatch]):
    """Echoes, and takes the seconds that it is told to: a fixed part, and one for each character.

    A text ``hold`` waits for the gate, and ``fail`` is refused.
    """

    kind = platform = "timed"
    input = TextInput()
    outputs = (TensorSpec("predict", "BYTES", (-1,)), TensorSpec("predict_proba", "FP64", (-1, 2)))
    v1_fields = {"predictions": "predict"}  # noqa: RUF012
    limits = Limits(max_rows=10, max_text_chars=1000)
    max_queue = 8
    rowwise = True
    labels = ("yes", "no")

    def __init__(self, clock: Clock, fixed: float = 0.0, each: float = 0.0) -> None:
        super().__init__("timed", Source(Path()))
        self.clock = clock
        self.fixed, self.each = fixed, each
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.seen: list[list[str]] = []
        self.threads: list[threading.Thread] = []
        self.late: list[list[str]] = []

    def load(self) -> bool:
        self.version, self.ready = "1", True
        return True

    def load_artifact(self, artifact: Artifact) -> None:
        raise AssertionError("load does it all")

    def infer(self, batch: TextBatch, job: Job) -> Outputs:
        self.seen.append(batch.texts)
        self.threads.append(threading.current_thread())
        self.clock.now += self.fixed + self.each * batch.size
        self.entered.release()
        if "hold" in batch.texts:
            self.gate.wait(60)
        if "fail" in batch.texts:
            raise InvalidInput("refused")
        return {"predict": batch.texts, "predict_proba": np.tile([0.25, 0.75], (len(batch), 1))}

    def observe(self, outputs: Outputs, metrics: Metrics) -> None:
        metrics.count_predictions(self.name, self.version, outputs["predict"], outputs["predict_proba"])

    def observe_late(self, batch: TextBatch, metrics: Metrics) -> None:
        self.late.append(batch.texts)

    async def begun(self) -> None:
        """The next batch is being computed."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=60)

    @property
    def on_loop(self) -> list[bool]:
        """Of each batch, whether it was computed on the event loop's thread."""
        return [thread is threading.main_thread() for thread in self.threads]


class Whole(Timed):
    rowwise = False


class Harness:
    """A slot with a loaded model, and what it counted."""

    def __init__(self, predictor: Timed, **settings: Any) -> None:
        self.predictor = predictor
        self.metrics = Metrics(CollectorRegistry())
        self.slot = ServedModel(predictor, ServerSettings(**settings), self.metrics, clock=predictor.clock.monotonic)

    async def ask(self, *texts: str, seconds: float = 1e6) -> list[str]:
        outputs = await self.slot.run(TextBatch([*texts]), self.predictor.clock.now + seconds)
        answer = outputs["predict"]
        assert isinstance(answer, list)
        return answer

    def ask_soon(self, *texts: str) -> asyncio.Task[list[str]]:
        return asyncio.create_task(self.ask(*texts))

    async def ask_held(self, *beside: str) -> asyncio.Task[list[str]]:
        """Have the model's thread busy until the gate opens."""
        while self.predictor.entered.acquire(blocking=False):
            pass
        held = self.ask_soon("hold", *beside)
        await self.predictor.begun()
        return held

    def counted(self, label: str) -> int:
        return self.metrics.predictions.labels("timed", "1", label).value

    @property
    def confidences(self) -> int:
        return sum(self.metrics.confidence.labels("timed", "1").counts)


@asynccontextmanager
async def serving(predictor: Timed, **settings: Any) -> AsyncIterator[Harness]:
    harness = Harness(predictor, **settings)
    await harness.slot.load()
    try:
        yield harness
    finally:
        predictor.gate.set()
        harness.slot.close()


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 60))


def test_short_work_is_computed_on_the_event_loop_once_it_is_known_to_be_short(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=SHORT)) as harness:
            for text in "abcd":
                assert await harness.ask(text) == [text]
            assert harness.predictor.on_loop == [False, True, True, True]
            assert harness.predictor.threads[0].name.startswith("model-timed")
            assert harness.slot.in_flight == 0

    run(scenario())


def test_work_of_exactly_the_bound_is_short(clock: Clock) -> None:
    async def scenario() -> None:
        clock.now = 0.0  # so that nothing is rounded
        async with serving(Timed(clock, each=SHORT_SECONDS)) as harness:
            await harness.ask("a")
            await harness.ask("b")
            assert harness.predictor.on_loop == [False, True]

    run(scenario())


def test_long_work_is_computed_on_the_models_thread(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=LONG)) as harness:
            for text in "abcd":
                assert await harness.ask(text) == [text]
            assert harness.predictor.on_loop == [False] * 4
            assert len(set(harness.predictor.threads)) == 1

    run(scenario())


def test_size_decides(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, fixed=SHORT / 2, each=SHORT / 100)) as harness:
            for size in (1, 300, 1, 300):
                await harness.ask("x" * size)
            for size, expected in ((140, True), (160, False), (1, True), (300, False)):
                await harness.ask("x" * size)
                assert harness.predictor.on_loop[-1] is expected

    run(scenario())


def test_a_model_that_does_not_compute_row_by_row_is_never_on_the_event_loop(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Whole(clock, each=SHORT / 100)) as harness:
            for _ in range(100):
                await harness.ask("a")
            assert not any(harness.predictor.on_loop)

    run(scenario())


def test_short_work_does_not_wait_for_a_busy_thread(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=SHORT)) as harness:
            await harness.ask("a")
            held = await harness.ask_held("x" * 100)
            assert await harness.ask("b") == ["b"]
            assert harness.predictor.on_loop == [False, False, True]
            assert not held.done()
            harness.predictor.gate.set()
            assert await held == ["hold", "x" * 100]

    run(scenario())


def test_a_model_that_becomes_slow_goes_back_to_its_thread(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=SHORT)) as harness:
            predictor, before, after = harness.predictor, 800, 200
            for _ in range(before):
                await harness.ask("a")
            assert predictor.on_loop == [False] + [True] * (before - 1)
            predictor.each = 0.1
            for _ in range(after):
                await harness.ask("a")
            on_loop = predictor.on_loop[before:]
            blocked = sum(on_loop)
            assert 1 <= blocked < 40
            assert on_loop == [True] * blocked + [False] * (after - blocked)

    run(scenario())


def test_what_was_learnt_of_one_model_says_nothing_of_the_next_that_is_loaded(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=SHORT)) as harness:
            for _ in range(40):
                await harness.ask("a")
            await harness.slot.unload()
            harness.predictor.each = 0.1
            await harness.slot.load()
            for _ in range(3):
                await harness.ask("a")
            assert harness.predictor.on_loop[-4:] == [True, False, False, False]

    run(scenario())


def test_a_model_that_becomes_quick_comes_back_to_the_event_loop(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=10 * SHORT)) as harness:
            predictor = harness.predictor
            for _ in range(50):
                await harness.ask("a")
            assert not any(predictor.on_loop)
            predictor.each = SHORT / 2
            for _ in range(200):
                await harness.ask("a")
            assert all(predictor.on_loop[-50:])

    run(scenario())


@pytest.mark.parametrize("each", [SHORT, LONG], ids=["event loop", "thread"])
def test_each_answer_is_counted_once(clock: Clock, each: float) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=each)) as harness:
            await harness.ask("warm")
            for _ in range(7):
                await harness.ask("a")
            await harness.ask("b", "b", "c")
            assert harness.predictor.on_loop[1:8] == [each is SHORT] * 7
            assert [harness.counted(label) for label in ("warm", "a", "b", "c")] == [1, 7, 2, 1]
            assert harness.confidences == 11

    run(scenario())


def test_each_of_several_answers_computed_together_is_counted_once(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=LONG)) as harness:
            held = await harness.ask_held()
            waiting = [harness.ask_soon("a"), harness.ask_soon("b", "a"), harness.ask_soon("c")]
            await asyncio.sleep(0)
            harness.predictor.gate.set()
            assert await asyncio.gather(held, *waiting) == [["hold"], ["a"], ["b", "a"], ["c"]]
            assert harness.predictor.seen == [["hold"], ["a", "b", "a", "c"]]
            assert [harness.counted(label) for label in ("hold", "a", "b", "c")] == [1, 2, 1, 1]
            assert harness.confidences == 5

    run(scenario())


@pytest.mark.parametrize("each", [SHORT, LONG], ids=["event loop", "thread"])
def test_a_refusal_reaches_the_caller_and_is_not_counted(clock: Clock, each: float) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, fixed=each)) as harness:
            await harness.ask("warm")
            await harness.ask("warm")
            with pytest.raises(InvalidInput, match="refused"):
                await harness.ask("fail")
            assert harness.predictor.on_loop == [False, each is SHORT, each is SHORT]
            assert harness.confidences == 2
            assert harness.slot.in_flight == 0
            assert await harness.ask("a") == ["a"]

    run(scenario())


@pytest.mark.parametrize("each", [SHORT, LONG], ids=["event loop", "thread"])
def test_what_comes_too_late_or_to_an_unloaded_model_is_not_computed(clock: Clock, each: float) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, fixed=each)) as harness:
            await harness.ask("a")
            with pytest.raises(DeadlineExceeded):
                await harness.ask("b", seconds=0)
            harness.slot.state, harness.slot.reason = State.UNLOADED, "it was unloaded"
            with pytest.raises(ModelNotReady, match="it was unloaded"):
                await harness.ask("c")
            assert harness.predictor.seen == [["a"]]
            assert harness.confidences == 1

    run(scenario())


@pytest.mark.parametrize("each", [SHORT, LONG], ids=["event loop", "thread"])
def test_what_comes_too_late_is_observed(clock: Clock, each: float) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, fixed=each)) as harness:
            await harness.ask("a")
            with pytest.raises(DeadlineExceeded):
                await harness.ask("b", "c", seconds=0)
            assert harness.predictor.late == [["b", "c"]]

    run(scenario())


@pytest.mark.parametrize(("seconds", "late"), [(1.0, []), (0.0, [["a"]])], ids=["before", "at its deadline"])
def test_a_caller_that_leaves(clock: Clock, seconds: float, late: list[list[str]]) -> None:
    """One that has the deadline itself may leave before the model's own limit ends the wait."""

    async def scenario() -> None:
        async with serving(Timed(clock, fixed=LONG)) as harness:
            held = await harness.ask_held()
            waiting = asyncio.create_task(harness.ask("a", seconds=1e6))
            await asyncio.sleep(0)
            clock.now += 1e6 - seconds
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert harness.predictor.late == late
            harness.predictor.gate.set()
            await held

    run(scenario())


def test_the_series_of_a_model_are_there_once_it_is_loaded(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock)) as harness:
            model = {"model_name": "timed", "model_version": "1"}
            for name, labels in (
                ("model_requests_total", {"protocol": "v2", "code": "200", "limit": ""}),
                ("model_request_latency_seconds_count", {"protocol": "v2"}),
                ("predictions_total", {"label": "yes"}),
                ("predictions_total", {"label": "no"}),
                ("prediction_confidence_count", {}),
            ):
                assert harness.metrics.registry.get_sample_value(name, {**model, **labels}) == 0, name

    run(scenario())


def test_what_waits_while_its_model_is_unloaded_is_refused(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=LONG)) as harness:
            held = await harness.ask_held()
            waiting = [harness.ask_soon("a"), harness.ask_soon("b")]
            await asyncio.sleep(0)
            harness.slot.state, harness.slot.reason = State.UNLOADED, "it was unloaded"
            unloading = asyncio.create_task(harness.slot.unload())
            await asyncio.sleep(0)
            harness.predictor.gate.set()
            assert await held == ["hold"]
            for outcome in await asyncio.gather(*waiting, return_exceptions=True):
                assert isinstance(outcome, ModelNotReady)
            await unloading
            assert harness.predictor.seen == [["hold"]]
            assert harness.slot.in_flight == 0
            assert harness.confidences == 1

    run(scenario())


@pytest.mark.parametrize(
    ("kind", "micro_batching", "expected"),
    [
        (Timed, "auto", [["hold"], ["a", "b", "c"]]),
        (Timed, "off", [["hold"], ["a"], ["b"], ["c"]]),
        (Whole, "auto", [["hold"], ["a"], ["b"], ["c"]]),
    ],
)
def test_only_row_by_row_and_unless_it_is_off_requests_are_merged(
    clock: Clock, kind: type[Timed], micro_batching: str, expected: list[list[str]]
) -> None:
    async def scenario() -> None:
        async with serving(kind(clock, each=LONG), micro_batching=micro_batching) as harness:
            held = await harness.ask_held()
            waiting = [harness.ask_soon(text) for text in "abc"]
            await asyncio.sleep(0)
            assert harness.slot.in_flight == 4
            harness.predictor.gate.set()
            assert await asyncio.gather(held, *waiting) == [["hold"], ["a"], ["b"], ["c"]]
            assert harness.predictor.seen == expected

    run(scenario())


def test_with_batching_off_short_work_is_still_computed_on_the_event_loop(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=SHORT), micro_batching="off") as harness:
            await harness.ask("a")
            await harness.ask("b")
            assert harness.predictor.on_loop == [False, True]

    run(scenario())


def test_no_more_rows_are_merged_than_one_request_may_have(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=LONG), max_rows=2) as harness:
            held = await harness.ask_held()
            waiting = [harness.ask_soon(text) for text in "abc"]
            await asyncio.sleep(0)
            harness.predictor.gate.set()
            await asyncio.gather(held, *waiting)
            assert harness.predictor.seen == [["hold"], ["a", "b"], ["c"]]

    run(scenario())


@pytest.mark.parametrize("kind", [Timed, Whole])
def test_beyond_the_queue_requests_are_turned_away(clock: Clock, kind: type[Timed]) -> None:
    async def scenario() -> None:
        async with serving(kind(clock, each=LONG), max_queue=3) as harness:
            held = await harness.ask_held()
            waiting = [harness.ask_soon("a"), harness.ask_soon("b")]
            await asyncio.sleep(0)
            for _ in range(2):
                with pytest.raises(Overloaded, match='model "timed" has 3 requests running and waiting') as caught:
                    await harness.ask("c")
                assert caught.value.retry_after_seconds >= 1
            assert harness.slot.in_flight == 3
            harness.predictor.gate.set()
            assert await asyncio.gather(held, *waiting) == [["hold"], ["a"], ["b"]]
            assert harness.slot.in_flight == 0
            assert await harness.ask("d") == ["d"]
            assert ["c"] not in harness.predictor.seen
            assert harness.counted("c") == 0

    run(scenario())


def test_a_caller_that_leaves_the_queue_makes_room(clock: Clock) -> None:
    async def scenario() -> None:
        async with serving(Timed(clock, each=LONG), max_queue=2) as harness:
            held = await harness.ask_held()
            gone = harness.ask_soon("a")
            await asyncio.sleep(0)
            assert harness.slot.in_flight == 2
            gone.cancel()
            with pytest.raises(asyncio.CancelledError):
                await gone
            assert harness.slot.in_flight == 1
            stays = harness.ask_soon("b")
            await asyncio.sleep(0)
            harness.predictor.gate.set()
            assert (await held, await stays) == (["hold"], ["b"])
            assert harness.predictor.seen == [["hold"], ["b"]]

    run(scenario())
