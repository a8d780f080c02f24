"""Requests that wait together are computed together: in order, split right, and none for longer than it pays."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictors.serving.dispatch.batcher import Batcher, QueuedBatch
from predictors.serving.dispatch.cost_model import CostModel
from predictors.serving.errors import InvalidInput
from predictors.serving.model.types import Batch, FeatureBatch, Job, Outputs, PromptBatch, TextBatch

NEVER = float("inf")


class Clock:
    """Seconds that pass only where a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Model:
    """Row by row: upper case, or the sum of the numbers. A text ``hold`` waits for the gate, and ``fail`` raises."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.seen: list[Batch] = []
        self.jobs: list[Job] = []

    def infer(self, batch: Batch, job: Job) -> Outputs:
        self.seen.append(batch)
        self.jobs.append(job)
        if isinstance(batch, FeatureBatch):
            return {"sum": batch.features.sum(axis=1) * batch.parameters.get("factor", 1), "rows": batch.features + 1}
        assert isinstance(batch, PromptBatch | TextBatch)
        texts = [batch.text] if isinstance(batch, PromptBatch) else batch.texts
        self.entered.release()
        if "hold" in texts:
            self.gate.wait(60)
        if "fail" in texts:
            raise InvalidInput(f"refused: {' '.join(texts)}")
        shouted = [text.upper() * batch.parameters.get("factor", 1) for text in texts]
        return {"text": shouted, "length": np.array([*map(len, shouted)])}

    async def begun(self) -> None:
        """The next batch of texts is being computed."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=60)

    @property
    def seen_texts(self) -> list[list[str]]:
        return [batch.texts for batch in self.seen if isinstance(batch, TextBatch)]


@contextmanager
def serving(
    model: Model, workers: int = 1, max_rows: int = 100, cost: CostModel | None = None, clock: Clock | None = None
) -> Iterator[Batcher]:
    monotonic = time.monotonic if clock is None else clock.monotonic
    with ThreadPoolExecutor(workers) as executor:
        try:
            yield Batcher(model.infer, executor, workers, max_rows, cost or CostModel(), monotonic)
        finally:
            model.gate.set()


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 60))


def submit(batcher: Batcher, *texts: str, deadline: float = NEVER, **parameters: Any) -> QueuedBatch:
    return batcher.submit(TextBatch([*texts], parameters), Job(deadline))


async def busy(model: Model, batcher: Batcher) -> QueuedBatch:
    """Have a thread busy until the gate opens."""
    held = submit(batcher, "hold")
    await model.begun()
    return held


async def answers(*requests: QueuedBatch) -> list[Any]:
    """The texts that came out, or the errors."""
    outcomes = await asyncio.gather(*(request.future for request in requests), return_exceptions=True)
    return [outcome if isinstance(outcome, BaseException) else outcome["text"] for outcome in outcomes]


def known_cost(fixed: float, each: float = 0.0) -> CostModel:
    cost = CostModel()
    cost.fixed, cost.each = fixed, each
    return cost


def test_texts_that_wait_are_computed_as_one_batch_in_order() -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model) as batcher:
            held = await busy(model, batcher)
            waiting = [submit(batcher, "a"), submit(batcher, "b", "c"), submit(batcher, "d")]
            assert (batcher.waiting, batcher.batches_running, batcher.in_flight) == (3, 1, 4)
            model.gate.set()
            assert await answers(held, *waiting) == [["HOLD"], ["A"], ["B", "C"], ["D"]]
            np.testing.assert_array_equal(waiting[1].future.result()["length"], [1, 1])
            assert model.seen_texts == [["hold"], ["a", "b", "c", "d"]]
            assert (batcher.waiting, batcher.batches_running, batcher.in_flight) == (0, 0, 0)

    run(scenario())


def test_features_that_wait_are_computed_as_one_batch_in_order() -> None:
    async def scenario() -> None:
        model = Model()
        rows = np.arange(12.0).reshape(6, 2)
        with serving(model) as batcher:
            await busy(model, batcher)
            parts = rows[:1], rows[1:4], rows[4:]
            waiting = [batcher.submit(FeatureBatch(part), Job(NEVER)) for part in parts]
            model.gate.set()
            for part, outputs in zip(parts, await asyncio.gather(*(each.future for each in waiting)), strict=True):
                assert sorted(outputs) == ["rows", "sum"]
                np.testing.assert_array_equal(outputs["rows"], part + 1)
                np.testing.assert_array_equal(outputs["sum"], part.sum(axis=1))
            merged = model.seen[1]
            assert len(model.seen) == 2
            assert isinstance(merged, FeatureBatch)
            np.testing.assert_array_equal(merged.features, rows)

    run(scenario())


def test_only_neighbours_of_one_type_with_equal_parameters_are_merged() -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model) as batcher:
            await busy(model, batcher)
            features = FeatureBatch(np.ones((1, 2)), {"factor": 2})
            waiting = [
                submit(batcher, "a"),
                submit(batcher, "b"),
                submit(batcher, "c", factor=2),
                submit(batcher, "d", factor=2),
                batcher.submit(features, Job(NEVER)),
                submit(batcher, "e", factor=2),
                submit(batcher, "f", factor=3),
            ]
            model.gate.set()
            texts = [waiting[i] for i in (0, 1, 2, 3, 5, 6)]
            assert await answers(*texts) == [["A"], ["B"], ["CC"], ["DD"], ["EE"], ["FFF"]]
            assert (await waiting[4].future)["sum"] == [4]
            assert model.seen_texts == [["hold"], ["a", "b"], ["c", "d"], ["e"], ["f"]]
            assert model.seen[3] is features

    run(scenario())


@pytest.mark.parametrize(
    ("max_rows", "expected"),
    [(1, [2, 2, 1, 5, 1, 1]), (4, [4, 1, 5, 2]), (5, [5, 5, 2]), (6, [5, 6, 1]), (11, [11, 1]), (12, [12])],
)
def test_a_batch_of_several_has_at_most_max_rows(max_rows: int, expected: list[int]) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, max_rows=max_rows) as batcher:
            await busy(model, batcher)
            texts = [[*"ab"], [*"cd"], ["e"], [*"fghij"], ["k"], ["l"]]
            waiting = [submit(batcher, *each) for each in texts]
            model.gate.set()
            assert await answers(*waiting) == [[text.upper() for text in each] for each in texts]
            assert [*map(len, model.seen_texts)] == [1, *expected]

    run(scenario())


def test_an_error_in_one_request_reaches_no_other() -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model) as batcher:
            await busy(model, batcher)
            waiting = [
                submit(batcher, "a"),
                submit(batcher, "b", "fail"),
                submit(batcher, "c"),
                submit(batcher, "fail"),
            ]
            model.gate.set()
            first, second, third, fourth = await answers(*waiting)
            assert (first, third) == (["A"], ["C"])
            for error, message in ((second, "refused: b fail"), (fourth, "refused: fail")):
                assert isinstance(error, InvalidInput)
                assert str(error) == message
            assert model.seen_texts == [
                ["hold"],
                ["a", "b", "fail", "c", "fail"],
                ["a"],
                ["b", "fail"],
                ["c"],
                ["fail"],
            ]
            assert batcher.in_flight == 0
            assert await answers(submit(batcher, "d")) == [["D"]]

    run(scenario())


def test_what_fails_together_alone_is_answered_all_the_same() -> None:
    class Narrow(Model):
        def infer(self, batch: Batch, job: Job) -> Outputs:
            if len(batch) > 1:
                raise MemoryError
            return super().infer(batch, job)

    async def scenario() -> None:
        model = Narrow()
        with serving(model) as batcher:
            await busy(model, batcher)
            waiting = [submit(batcher, text) for text in "abc"]
            model.gate.set()
            assert await answers(*waiting) == [["A"], ["B"], ["C"]]
            assert model.seen_texts == [["hold"], ["a"], ["b"], ["c"]]

    run(scenario())


@pytest.mark.parametrize("together", [False, True])
def test_what_is_no_exception_reaches_its_own_request_and_the_model_goes_on(together: bool) -> None:
    class Panic(BaseException):
        pass

    class Brittle(Model):
        def infer(self, batch: Batch, job: Job) -> Outputs:
            outputs = super().infer(batch, job)
            if isinstance(batch, TextBatch) and "panic" in batch.texts:
                raise Panic("at row 0")
            return outputs

    async def scenario() -> None:
        model = Brittle()
        with serving(model) as batcher:
            if together:
                await busy(model, batcher)
            waiting = [submit(batcher, text) for text in ("panic", "a", "b")]
            model.gate.set()
            error, *others = await answers(*waiting)
            assert isinstance(error, RuntimeError)
            assert "Panic: at row 0" in str(error)
            assert others == [["A"], ["B"]]
            assert (batcher.batches_running, batcher.in_flight) == (0, 0)

    run(scenario())


def test_parameters_too_deep_to_compare_lose_no_request() -> None:
    def deep() -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        for _ in range(5000):
            parameters = {"a": parameters}
        return parameters

    async def scenario() -> None:
        model = Model()
        with serving(model) as batcher:
            await busy(model, batcher)
            waiting = [batcher.submit(TextBatch([text], deep()), Job(NEVER)) for text in "abc"]
            waiting.append(submit(batcher, "d"))
            model.gate.set()
            assert await answers(*waiting) == [["A"], ["B"], ["C"], ["D"]]
            assert model.seen_texts == [["hold"], ["a"], ["b"], ["c"], ["d"]]
            assert (batcher.waiting, batcher.batches_running, batcher.in_flight) == (0, 0, 0)

    run(scenario())


def test_after_the_end_of_its_threads_nobody_is_kept_waiting() -> None:
    async def scenario() -> None:
        model = Model()
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(model.infer, executor, 1, 100, CostModel())
            held = await busy(model, batcher)
            waiting = submit(batcher, "a")
            executor.shutdown(wait=False)
            model.gate.set()
            assert await answers(held) == [["HOLD"]]
            late = submit(batcher, "b")
            assert [type(outcome) for outcome in await answers(waiting, late)] == [asyncio.CancelledError] * 2
            assert (batcher.waiting, batcher.batches_running, batcher.in_flight) == (0, 0, 0)
            assert model.seen_texts == [["hold"]]

    run(scenario())


def test_what_fails_says_nothing_of_the_cost() -> None:
    async def scenario() -> None:
        model = Model()
        cost = CostModel()
        with serving(model, cost=cost) as batcher:
            await answers(submit(batcher, "fail"))
            assert not cost.known
            await answers(submit(batcher, "a"))
            assert cost.known

    run(scenario())


def test_a_cancelled_request_that_waits_is_never_computed() -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model) as batcher:
            held = await busy(model, batcher)
            first, gone, last = (submit(batcher, text) for text in "abc")
            batcher.cancel(gone)
            assert (batcher.waiting, batcher.in_flight) == (2, 3)
            assert gone.job.stopped()
            assert not first.job.stopped()
            model.gate.set()
            assert await answers(held, first, last) == [["HOLD"], ["A"], ["C"]]
            assert model.seen_texts == [["hold"], ["a", "c"]]
            assert not gone.future.done()
            assert batcher.in_flight == 0

    run(scenario())


def test_a_cancelled_request_that_runs_is_told_to_stop_and_counted_until_it_has() -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model) as batcher:
            held = await busy(model, batcher)
            following = submit(batcher, "a")
            batcher.cancel(held)
            held.future.cancel()
            assert model.jobs[0].stopped()
            assert (batcher.batches_running, batcher.in_flight) == (1, 2)
            model.gate.set()
            assert await answers(following) == [["A"]]
            assert not following.job.stopped()
            assert (batcher.batches_running, batcher.in_flight) == (0, 0)

    run(scenario())


def test_a_merged_batch_stops_only_when_all_its_requests_have() -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model) as batcher:
            first_gate = model.gate
            held = await busy(model, batcher)
            waiting = [submit(batcher, "a"), submit(batcher, "hold"), submit(batcher, "c")]
            model.gate = threading.Event()
            first_gate.set()
            assert await answers(held) == [["HOLD"]]
            await model.begun()
            assert model.seen_texts[1] == ["a", "hold", "c"]
            job = model.jobs[1]
            for request in waiting[:2]:
                batcher.cancel(request)
                request.future.cancel()
                assert not job.stopped()
            assert batcher.in_flight == 3
            model.gate.set()
            assert await answers(waiting[2]) == [["C"]]
            assert batcher.in_flight == 0
            batcher.cancel(waiting[2])
            assert job.stopped()

    run(scenario())


def test_a_merged_batch_has_as_long_as_the_last_of_its_requests() -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model) as batcher:
            await busy(model, batcher)
            waiting = [submit(batcher, text, deadline=deadline) for text, deadline in (("a", 1e12), ("b", 2e12))]
            model.gate.set()
            await answers(*waiting)
            assert model.seen_texts[1] == ["a", "b"]
            assert model.jobs[1].deadline == 2e12

    run(scenario())


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ((15, NEVER, NEVER), [["a"], ["b", "c"]]),
        ((25, NEVER, NEVER), [["a", "b"], ["c"]]),
        ((NEVER, 15, NEVER), [["a"], ["b"], ["c"]]),
        ((NEVER, 25, NEVER), [["a", "b"], ["c"]]),
        ((NEVER, NEVER, 25), [["a", "b"], ["c"]]),
        ((35, 35, 35), [["a", "b", "c"]]),
    ],
)
def test_requests_are_not_merged_where_that_would_take_one_beyond_its_deadline(
    clock: Clock, allowed: tuple[float, ...], expected: list[list[str]]
) -> None:
    class Slow(Model):
        def infer(self, batch: Batch, job: Job) -> Outputs:
            outputs = super().infer(batch, job)
            clock.now += 10 * batch.size
            return outputs

    async def scenario() -> None:
        model = Slow()
        with serving(model, clock=clock) as batcher:
            await busy(model, batcher)
            begins = clock.now + 40  # the four characters of "hold" take 40 s
            waiting = [submit(batcher, t, deadline=begins + s) for t, s in zip("abc", allowed, strict=True)]
            model.gate.set()
            assert await answers(*waiting) == [["A"], ["B"], ["C"]]
            assert model.seen_texts[1:] == expected

    run(scenario())


@pytest.mark.parametrize("max_rows", [1, 100])
def test_while_nothing_is_known_of_the_cost_an_idle_model_begins_at_once(clock: Clock, max_rows: int) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, max_rows=max_rows) as batcher:
            request = submit(batcher, "a")
            assert (batcher.waiting, batcher.batches_running) == (0, 1)
            assert await answers(request) == [["A"]]

    run(scenario())


@pytest.mark.parametrize(
    ("fixed", "gap", "max_rows"),
    [(0.0, 1.0, 100), (1.0, 1.0, 100), (1.0, 50.0, 100), (1000.0, 1.0, 1)],
    ids=["no fixed part", "pays as much as it costs", "requests are rare", "nothing is merged"],
)
def test_an_idle_model_begins_at_once_where_waiting_does_not_pay(
    clock: Clock, fixed: float, gap: float, max_rows: int
) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, max_rows=max_rows, cost=known_cost(fixed)) as batcher:
            clock.now += gap
            request = submit(batcher, "a")
            assert (batcher.waiting, batcher.batches_running) == (0, 1)
            assert await answers(request) == [["A"]]

    run(scenario())


def test_an_idle_model_waits_for_the_next_until_their_delay_is_what_it_saves(clock: Clock) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, cost=known_cost(fixed=1000)) as batcher:
            waiting: list[QueuedBatch] = []
            for text in "abc":
                assert batcher.batches_running == 0
                assert batcher.waiting == len(waiting)
                clock.now += 400  # 1 * 400 and 2 * 400 are less than 1000, 3 * 400 is not
                waiting.append(submit(batcher, text))
            assert (batcher.waiting, batcher.batches_running) == (0, 1)
            assert await answers(*waiting) == [["A"], ["B"], ["C"]]
            assert model.seen_texts == [["a", "b", "c"]]

    run(scenario())


def test_if_no_other_comes_the_model_begins_after_the_wait(clock: Clock) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, cost=known_cost(fixed=0.03)) as batcher:
            clock.now += 0.01
            first = submit(batcher, "a")
            second = submit(batcher, "b")
            assert (batcher.waiting, batcher.batches_running) == (2, 0)
            assert await answers(first, second) == [["A"], ["B"]]
            assert model.seen_texts == [["a", "b"]]

    run(scenario())


class Delays:
    """The delays that a scenario asks the event loop for; nothing is ever called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds: list[float] = []
        self.timers: list[asyncio.TimerHandle] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self._call_later)

    def _call_later(self, seconds: float, *_: Any) -> asyncio.TimerHandle:
        self.seconds.append(seconds)
        loop = asyncio.get_running_loop()
        self.timers.append(asyncio.TimerHandle(loop.time() + seconds, lambda: None, (), loop))
        return self.timers[-1]


@pytest.mark.parametrize(
    ("fixed", "gap", "allowed", "expected"),
    [(1000, 100, NEVER, 1000), (150, 100, NEVER, 150), (1000, 400, 1310, 300), (1000, 400, 2510, 1000)],
    ids=["what it saves", "less is saved", "deadline", "a later deadline"],
)
def test_how_long_an_idle_model_waits(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, fixed: float, gap: float, allowed: float, expected: float
) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, cost=known_cost(fixed, each=10)) as batcher:
            delays = Delays(monkeypatch)
            clock.now += gap
            submit(batcher, "a", deadline=clock.now + allowed)
            assert delays.seconds == [pytest.approx(expected)]
            assert (batcher.waiting, batcher.batches_running) == (1, 0)

    run(scenario())


@pytest.mark.parametrize("allowed", [0, 500, 1010])
def test_an_idle_model_begins_at_once_where_the_deadline_leaves_no_time_to_wait(clock: Clock, allowed: float) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, cost=known_cost(fixed=1000, each=10)) as batcher:
            clock.now += 400
            request = submit(batcher, "a", deadline=clock.now + allowed)
            assert (batcher.waiting, batcher.batches_running) == (0, 1)
            assert await answers(request) == [["A"]]

    run(scenario())


def test_the_more_wait_the_shorter(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, cost=known_cost(fixed=1000)) as batcher:
            delays = Delays(monkeypatch)
            for _ in range(5):
                clock.now += 150
                submit(batcher, "a")
            assert delays.seconds == [pytest.approx(1000 / count) for count in (1, 2, 3, 4, 5)]
            assert [timer.cancelled() for timer in delays.timers] == [True, True, True, True, False]

    run(scenario())


def test_those_that_come_do_not_prolong_the_wait_of_the_first(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, cost=known_cost(fixed=1000)) as batcher:
            delays = Delays(monkeypatch)
            waiting = []
            for gap in (100, 700, 200):
                clock.now += gap
                waiting.append(submit(batcher, "a"))
            assert delays.seconds == [pytest.approx(1000), pytest.approx(1000 - 700), pytest.approx(1000 - 900)]
            assert (batcher.waiting, batcher.batches_running) == (3, 0)
            clock.now += 100
            waiting.append(submit(batcher, "a"))
            assert (batcher.waiting, batcher.batches_running) == (0, 1)
            assert await answers(*waiting) == [["A"]] * 4
            assert model.seen_texts == [["a"] * 4]

    run(scenario())


def test_the_next_ones_wait_anew(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        model = Model()
        cost = known_cost(fixed=1000)
        with serving(model, clock=clock, cost=cost) as batcher:
            delays = Delays(monkeypatch)
            waiting = []
            for _ in range(2):
                clock.now += 600
                waiting.append(submit(batcher, "a"))
            assert await answers(*waiting) == [["A"], ["A"]]
            cost.fixed = 1000
            clock.now += 600
            submit(batcher, "b")
            assert delays.seconds == [pytest.approx(1000), pytest.approx(1000)]
            assert (batcher.waiting, batcher.batches_running) == (1, 0)

    run(scenario())


@pytest.mark.parametrize(
    ("rows", "waits"), [((9,), True), ((10,), False), ((11,), False), ((4, 5), True), ((4, 6), False)]
)
def test_an_idle_model_waits_only_while_there_is_room_for_more_rows(
    clock: Clock, rows: tuple[int, ...], waits: bool
) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, max_rows=10, cost=known_cost(fixed=1000)) as batcher:
            requests = []
            for count in rows:
                assert batcher.batches_running == 0
                clock.now += 10
                requests.append(submit(batcher, *"a" * count))
            assert (batcher.waiting, batcher.batches_running) == ((len(rows), 0) if waits else (0, 1))
            for request in requests:
                batcher.cancel(request)

    run(scenario())


def test_a_wait_that_was_cancelled_is_not_held_against_the_next(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, cost=known_cost(fixed=1000)) as batcher:
            delays = Delays(monkeypatch)
            clock.now += 400
            batcher.cancel(submit(batcher, "a"))
            clock.now += 400
            submit(batcher, "b")
            assert delays.seconds == [pytest.approx(1000), pytest.approx(1000)]
            assert (batcher.waiting, batcher.batches_running) == (1, 0)

    run(scenario())


@pytest.mark.parametrize(("pause", "waits"), [(100, True), (1e9, False)])
def test_a_pause_says_little_of_the_pace_unless_it_is_very_long(clock: Clock, pause: float, waits: bool) -> None:
    async def scenario() -> None:
        model = Model()
        cost = known_cost(fixed=0)
        with serving(model, clock=clock, cost=cost) as batcher:
            for _ in range(20):
                clock.now += 1
                await answers(submit(batcher, "a"))
            cost.fixed = 10
            clock.now += pause
            request = submit(batcher, "b")
            assert (batcher.waiting, batcher.batches_running) == ((1, 0) if waits else (0, 1))
            batcher.cancel(request)

    run(scenario())


def test_the_earliest_deadline_of_those_that_wait_bounds_the_wait(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, clock=clock, cost=known_cost(fixed=1000)) as batcher:
            delays = Delays(monkeypatch)
            clock.now += 300
            submit(batcher, "a", deadline=clock.now + 1500)
            clock.now += 300
            submit(batcher, "b")
            assert delays.seconds == [pytest.approx(500), pytest.approx(200)]

    run(scenario())


def test_a_request_cancelled_while_it_waits_for_the_next_is_never_computed(clock: Clock) -> None:
    async def scenario() -> None:
        model = Model()
        cost = known_cost(fixed=1000)
        with serving(model, clock=clock, cost=cost) as batcher:
            clock.now += 100
            gone = submit(batcher, "a")
            batcher.cancel(gone)
            assert (batcher.waiting, batcher.batches_running, batcher.in_flight) == (0, 0, 0)
            cost.fixed = 0
            assert await answers(submit(batcher, "b")) == [["B"]]
            assert model.seen_texts == [["b"]]

    run(scenario())


def test_as_many_batches_as_workers_are_computed_at_once() -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, workers=2) as batcher:
            held = [await busy(model, batcher), await busy(model, batcher)]
            waiting = [submit(batcher, text) for text in "abc"]
            assert (batcher.waiting, batcher.batches_running, batcher.in_flight) == (3, 2, 5)
            model.gate.set()
            assert await answers(*held, *waiting) == [["HOLD"], ["HOLD"], ["A"], ["B"], ["C"]]
            assert model.seen_texts == [["hold"], ["hold"], ["a", "b", "c"]]
            assert (batcher.batches_running, batcher.in_flight) == (0, 0)

    run(scenario())


def test_a_free_worker_takes_what_another_is_too_busy_for() -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, workers=2) as batcher:
            held = await busy(model, batcher)
            for text in "abc":
                assert await answers(submit(batcher, text)) == [[text.upper()]]
            assert (batcher.batches_running, held.future.done()) == (1, False)

    run(scenario())


texts = st.lists(st.sampled_from(["a", "bc", "def", "fail"]), min_size=1, max_size=4)
numbers = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=4)
parameters = st.sampled_from([{}, {"factor": 2}])
batches = st.builds(TextBatch, texts, parameters) | st.builds(
    lambda rows, given: FeatureBatch(np.array(rows, dtype=np.float64), given), numbers, parameters
)


def outcome(result: Outputs | BaseException) -> Any:
    if isinstance(result, BaseException):
        return type(result), str(result)
    return {name: column if isinstance(column, list) else column.tolist() for name, column in result.items()}


def alone(batch: Batch) -> Any:
    try:
        return outcome(Model().infer(batch, Job(NEVER)))
    except InvalidInput as error:
        return outcome(error)


@settings(max_examples=80)
@given(st.lists(batches, max_size=12), st.integers(1, 8), st.integers(1, 3))
def test_results_are_those_that_each_request_would_have_had_alone(
    sequence: list[Batch], max_rows: int, workers: int
) -> None:
    async def scenario() -> None:
        model = Model()
        with serving(model, workers, max_rows) as batcher:
            for _ in range(workers):
                await busy(model, batcher)
            requests = [batcher.submit(batch, Job(NEVER)) for batch in sequence]
            assert batcher.waiting == len(sequence)
            model.gate.set()
            results = await asyncio.gather(*(request.future for request in requests), return_exceptions=True)
            assert [*map(outcome, results)] == [*map(alone, sequence)]
            assert batcher.waiting == 0
            given = {id(batch) for batch in sequence}
            merged = [batch for batch in model.seen[workers:] if id(batch) not in given]
            assert all(len(batch) <= max_rows for batch in merged)

    run(scenario())
