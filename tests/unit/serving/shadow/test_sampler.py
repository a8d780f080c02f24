"""Which requests are copied."""

from collections.abc import Iterator

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.model.types import Batch, FeatureBatch, PromptBatch, TextBatch
from predictors.serving.protocols.http import Request
from predictors.serving.shadow.copies import Copies, Copy
from predictors.serving.shadow.metrics import ShadowMetrics
from predictors.serving.shadow.plan import Target
from predictors.serving.shadow.sampler import Sampler
from predictors.serving.telemetry.call import Call
from tests.unit.serving.dispatch.test_registry import later, run
from tests.unit.serving.shadow.served import Classifier, new_call, new_model, samples, tell


class Sampling:
    """A sampler, and what it has queued and dropped.

    Args:
        model: is tapped.
        percent: the share.
        draws: what is drawn, one after the other.
    """

    def __init__(self, model: ServedModel, percent: float = 100, draws: Iterator[float] | None = None) -> None:
        self.model = model
        self.registry = CollectorRegistry()
        self.copies = Copies()
        draw = (lambda: 0.0) if draws is None else draws.__next__
        target = Target(url="http://canary", percent=percent)
        model.tap = Sampler(model, target, self.copies, ShadowMetrics(self.registry), draw)

    def tell(self, batch: Batch | None = None, call: Call | None = None) -> None:
        tell(self.model, batch or TextBatch(["a"]), call)

    @property
    def dropped(self) -> float:
        return dict(samples(self.registry, "shadow_comparisons_total")).get(("paced", "1", "", "dropped"), 0)

    async def queued(self) -> list[Copy]:
        return [await self.copies.get() for _ in range(self.copies._queue.qsize())]


def test_a_copy_holds_the_question_the_answer_and_the_time() -> None:
    async def scenario() -> None:
        sampling = Sampling(new_model())
        sampling.tell(TextBatch(["a", "b"], {"x": 1}))
        (copy,) = await sampling.queued()
        assert copy.model is sampling.model
        assert (copy.url, copy.id, copy.version) == ("http://canary", "the-id", "1")
        assert copy.batch == TextBatch(["a", "b"], {"x": 1})
        assert copy.outputs["label"] == ["cat", "cat"]
        assert 50 < copy.allowed_seconds <= 60.1
        assert 90 < copy.bytes < 200
        assert sampling.dropped == 0

    run(scenario())


@pytest.mark.parametrize(("percent", "expected"), [(1, 10), (10, 100), (12.5, 125), (100, 1000)])
def test_the_share_is_drawn(percent: float, expected: int) -> None:
    async def scenario() -> None:
        sampling = Sampling(new_model(), percent, iter(i / 1000 for i in range(1000)))
        for _ in range(1000):
            sampling.tell()
        assert len(await sampling.queued()) + sampling.dropped == expected

    run(scenario())


def test_draws_are_random_by_default() -> None:
    async def scenario() -> None:
        model, registry = new_model(), CollectorRegistry()
        model.tap = Sampler(model, Target(url="http://canary", percent=50), Copies(), ShadowMetrics(registry))
        for _ in range(10_000):
            tell(model, TextBatch(["a"]))
        dropped = sum(value for _, value in samples(registry, "shadow_comparisons_total"))
        assert 4_500 < dropped + 64 < 5_500  # ten standard deviations

    run(scenario())


def request(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "headers": pairs, "path": "/", "method": "POST"}
    made = Request(scope, lambda given: given or "an-id", 1000)
    made.deadline, made.version = later(), "1"
    return made


@pytest.mark.parametrize(
    ("batch", "call"),
    [
        (PromptBatch(text="x"), new_call()),
        (TextBatch(["a"], {"seed": 1}), new_call()),
        (TextBatch(["a"]), new_call(cache="hit")),
        (TextBatch(["a"]), new_call(cache="joined")),
        (TextBatch(["a"]), new_call(cache="remote_hit")),
        (TextBatch(["a"]), request(x_predictors_shadow="1")),
    ],
)
def test_what_cannot_be_compared_or_is_a_copy_is_left_alone(batch: Batch, call: Call) -> None:
    async def scenario() -> None:
        model = new_model()
        sampling = Sampling(model)
        assert model.tap is not None
        model.tap(batch, {}, call)
        assert (await sampling.queued(), sampling.dropped) == ([], 0)

    run(scenario())


@pytest.mark.parametrize("call", [new_call(), new_call(cache="miss"), request(), request(x_request_id="my-id")])
def test_requests_of_all_protocols_are_copied(call: Call) -> None:
    async def scenario() -> None:
        sampling = Sampling(new_model())
        sampling.tell(call=call)
        (copy,) = await sampling.queued()
        assert copy.id == call.id

    run(scenario())


def test_nothing_is_copied_while_requests_wait_for_the_event_loop() -> None:
    async def scenario() -> None:
        sampling = Sampling(new_model())
        sampling.tell(call=new_call(ahead=1))
        assert (await sampling.queued(), sampling.dropped) == ([], 1)

    run(scenario())


@pytest.mark.parametrize(("workers", "busy"), [(1, True), (2, False)])
def test_nothing_is_copied_while_all_threads_of_the_model_are_busy(workers: int, busy: bool) -> None:
    class Working(Classifier):
        pass

    Working.workers = workers

    async def scenario() -> None:
        import asyncio

        predictor = Working()
        sampling = Sampling(new_model(predictor))
        await sampling.model.load()
        running = asyncio.create_task(sampling.model.run(TextBatch(["wait"]), later()))
        await asyncio.to_thread(predictor.entered.wait, 60)
        sampling.tell()
        predictor.gate.set()
        await running
        assert (len(await sampling.queued()), sampling.dropped) == ((0, 1) if busy else (1, 0))
        sampling.tell()
        assert len(await sampling.queued()) == 1

    run(scenario())


@pytest.mark.parametrize(
    ("batch", "fits"),
    [
        (TextBatch(["a"] * 1000), True),
        (TextBatch(["a"] * 1001), False),
        (TextBatch(["a" * 200_000]), True),
        (TextBatch(["a" * 300_000]), False),
        (TextBatch(["\U0001f600" * 70_000]), False),
        (FeatureBatch(np.zeros((1000, 4))), True),
        (FeatureBatch(np.zeros((1001, 4))), False),
        (FeatureBatch(np.zeros((1, 40_000))), False),
    ],
)
def test_large_batches_are_dropped(batch: Batch, fits: bool) -> None:
    async def scenario() -> None:
        model = new_model()
        sampling = Sampling(model)
        assert model.tap is not None
        model.tap(batch, {}, new_call())
        assert (len(await sampling.queued()), sampling.dropped) == ((1, 0) if fits else (0, 1))

    run(scenario())


def test_what_finds_the_queue_full_is_dropped() -> None:
    async def scenario() -> None:
        sampling = Sampling(new_model())
        for _ in range(100):
            sampling.tell()
        assert (len(await sampling.queued()), sampling.dropped) == (64, 36)
        sampling.tell()
        assert len(await sampling.queued()) == 1

    run(scenario())


@pytest.mark.parametrize(
    ("taken", "allowed", "patience"), [(0.001, 60, 5), (0.5, 60, 5), (2, 60, 20), (30, 60, 60), (0.001, 1, 1)]
)
def test_a_canary_has_ten_times_as_long_but_not_longer_than_the_caller_allowed(
    taken: float, allowed: float, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        sampling = Sampling(new_model())
        call = new_call()
        call.started, call.deadline = 1000.0, 1000.0 + allowed
        monkeypatch.setattr("predictors.serving.shadow.sampler.time.monotonic", lambda: 1000.0 + taken)
        assert sampling.model.tap is not None
        sampling.model.tap(TextBatch(["a"]), {}, call)
        (copy,) = await sampling.queued()
        assert copy.patience_seconds == pytest.approx(patience)
        assert copy.allowed_seconds == pytest.approx(allowed)

    with monkeypatch.context():
        run(scenario())
