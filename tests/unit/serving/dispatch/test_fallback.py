"""When something else answers in a model's place: only then, marked, and never instead of the error without it."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

import pytest

from predictors.serving.access.limits import Limits
from predictors.serving.access.settings import AccessSettings
from predictors.serving.dispatch.use import Use
from predictors.serving.errors import InvalidInput, ModelNotReady, Overloaded, RateLimited, ServingError, Unavailable
from predictors.serving.model.standby import Outcome, Reason, Standby, StandbyFailed
from predictors.serving.model.types import Batch, Event, Job, Outputs, TextBatch
from predictors.serving.telemetry.call import Call
from tests.unit.serving.dispatch.test_registry import Paced, entered, run
from tests.unit.serving.test_dataplane import Generating, Plane, event, new_call

HERE, ELSEWHERE = {"predict": ["hi"]}, {"predict": ["from elsewhere"]}
HI, WAIT = TextBatch(["hi"]), TextBatch(["wait"])


class Spare(Standby):
    """Answers, fails or hangs as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Reason] = []
        self.jobs: list[Job] = []
        self.cannot: Outcome | None = None
        self.error: Exception | None = None
        self.parts: list[str] = []
        self.outputs: Outputs = dict(ELSEWHERE)
        self.hangs = self.closed = False

    def unable(self) -> Outcome | None:
        return self.cannot

    async def answer(self, batch: Batch, job: Job, reason: Reason) -> Outputs:
        self.asked.append(reason)
        self.jobs.append(job)
        for text in self.parts:
            if job.emit is not None:
                job.emit(event(text))
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return self.outputs

    async def close(self) -> None:
        self.closed = True


class Bench:
    """A data plane with one model and its standby."""

    def __init__(self, predictor: Paced | None = None, limits: Limits | None = None, cache: str = "off") -> None:
        self.spare = Spare()
        predictor = predictor or Paced()
        predictor.standby = self.spare
        self.served = Plane(predictor, limits, cache=cache)
        self.model = self.served.registry.models["paced"]
        self.told: list[Outputs] = []
        self.model.watchers = (lambda batch, outputs, call: self.told.append(outputs),)
        self.model.tap = self.model.watchers[0]

    async def answer(self, call: Call, batch: Batch = HI) -> Outputs:
        inference = await self.served.plane.open(call, "paced")
        return await inference.answer(batch)

    async def stream(self, call: Call) -> list[Event | Outputs]:
        inference = await self.served.plane.open(call, "paced")
        async with aclosing(inference.stream(HI)) as parts:
            return [part async for part in parts]

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """The model's queue is full."""
        waiting = [asyncio.create_task(self.answer(new_call(), WAIT)) for _ in range(3)]
        await entered(self.served.predictor)
        assert self.model.in_flight == 3
        try:
            yield
        finally:
            self.served.predictor.gate.set()
            await asyncio.gather(*waiting)


@asynccontextmanager
async def bench(
    limits: Limits | None = None, cache: str = "off", predictor: Paced | None = None
) -> AsyncIterator[Bench]:
    made = Bench(predictor, limits, cache)
    async with made.served:
        yield made
        await made.served.plane.close()
        assert made.spare.closed


async def error_of(awaitable: object) -> ServingError:
    with pytest.raises(ServingError) as caught:
        await awaitable  # type: ignore[misc]
    return caught.value


def test_a_model_that_can_answer_does() -> None:
    async def scenario() -> None:
        async with bench() as at:
            call = new_call()
            assert await at.answer(call) == HERE
            assert (call.served_by, call.version, at.spare.asked) == ("", "1", [])
            assert len(at.told) == 2  # the tap and the watcher

    run(scenario())


@pytest.mark.parametrize("cache", ["off", "all"])
def test_a_model_that_is_not_ready(cache: str) -> None:
    async def scenario() -> None:
        async with bench(cache=cache) as at:
            await at.served.registry.unload(at.model)
            for _ in range(2):  # it is not cached
                call = new_call()
                assert await at.answer(call) == ELSEWHERE
                assert (call.served_by, call.version, call.cache) == ("fallback", "", "")
            assert at.spare.asked == [Reason.NOT_READY] * 2
            assert at.told == []
            assert at.spare.counts == {(Reason.NOT_READY, Outcome.ANSWERED): 2}
            await at.served.registry.load(at.model)
            assert await at.answer(new_call()) == HERE

    run(scenario())


def test_a_model_that_has_no_room() -> None:
    async def scenario() -> None:
        async with bench() as at:
            early = await at.served.plane.open(new_call(), "paced")  # there is room still
            async with at.busy():
                call = new_call()
                assert await at.answer(call) == ELSEWHERE
                assert call.served_by == "fallback"
                assert await early.answer(HI) == ELSEWHERE
            assert at.spare.asked == [Reason.OVERLOADED] * 2

    run(scenario())


@pytest.mark.parametrize("error", [*map(StandbyFailed, Outcome), ValueError("jim@example.com"), TimeoutError()])
def test_its_failure_gives_the_error_that_there_would_have_been(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with bench() as at:
            at.spare.error = error
            async with at.busy():
                call = new_call()
                with pytest.raises(Overloaded, match="3 requests running and waiting") as caught:
                    await at.answer(call)
                assert caught.value.retry_after_seconds >= 1
                assert (call.served_by, call.version) == ("", "1")
            await at.served.registry.unload(at.model)
            with pytest.raises(ModelNotReady, match="it was unloaded"):
                await at.answer(new_call())
        if isinstance(error, StandbyFailed):
            expected = error.outcome
        else:
            expected = Outcome.LATE if isinstance(error, TimeoutError) else Outcome.FAILED
        assert {outcome for _, outcome in at.spare.counts} == {expected}

    with caplog.at_level(logging.DEBUG):
        run(scenario())
    assert "jim@example.com" not in caplog.text


@pytest.mark.parametrize("error", [None, StandbyFailed(Outcome.FAILED), InvalidInput("it is refused")])
@pytest.mark.parametrize("early", [True, False])
def test_who_was_answered_uses_the_model_no_longer(error: Exception | None, early: bool) -> None:
    async def scenario() -> None:
        async with bench() as at:
            use = at.model.use = Use()
            at.spare.error = error
            inference = await at.served.plane.open(new_call(), "paced") if early else None
            await at.served.registry.unload(at.model)
            with suppress(ServingError):
                inference = inference or await at.served.plane.open(new_call(), "paced")
                await inference.answer(HI)
            assert len(at.spare.asked) == len(use) == 1
            del inference
            if error is not None:
                error.with_traceback(None)
            assert len(use) == 0

    gc.disable()
    try:
        run(scenario())
    finally:
        gc.enable()


def test_the_callers_deadline_goes_on() -> None:
    async def scenario() -> None:
        async with bench() as at:
            at.spare.hangs = True
            await at.served.registry.unload(at.model)
            call = new_call(seconds=0.05)
            with pytest.raises(ModelNotReady):
                await at.answer(call)
            assert at.spare.jobs[0].deadline == call.deadline
            assert at.spare.jobs[0].stopped()
            assert at.spare.counts == {(Reason.NOT_READY, Outcome.LATE): 1}

    run(scenario())


def test_a_caller_may_refuse_it() -> None:
    async def scenario() -> None:
        async with bench() as at:
            early = new_call()
            early.stays_here = True
            inference = await at.served.plane.open(early, "paced")
            async with at.busy():
                call = new_call()
                call.stays_here = True
                assert type(await error_of(at.answer(call))) is Overloaded
                assert type(await error_of(inference.answer(HI))) is Overloaded
            assert at.spare.asked == []
            assert at.spare.counts == {(Reason.OVERLOADED, Outcome.DECLINED): 2}

    run(scenario())


@pytest.mark.parametrize("cannot", [Outcome.OPEN, Outcome.SPENT, Outcome.BUSY])
def test_what_cannot_answer_is_not_waited_for(cannot: Outcome) -> None:
    async def scenario() -> None:
        async with bench() as at:
            at.spare.cannot = cannot
            await at.served.registry.unload(at.model)
            with pytest.raises(ModelNotReady):
                await at.served.plane.open(new_call(), "paced")  # before the body is read
            assert at.spare.asked == []
            assert at.spare.counts == {(Reason.NOT_READY, cannot): 1}

    run(scenario())


def test_what_is_invalid_is_refused_here() -> None:
    async def scenario() -> None:
        async with bench() as at:
            await at.served.registry.unload(at.model)
            call = new_call()
            assert type(await error_of(at.answer(call, TextBatch(["hi"], {"no": 1})))) is InvalidInput
            assert (at.spare.asked, call.served_by) == ([], "")
            at.spare.error = InvalidInput("the document cannot be read")
            assert type(await error_of(at.answer(call))) is InvalidInput
            assert (call.served_by, at.spare.counts) == ("", {})

    run(scenario())


def test_who_has_asked_too_much_stays_refused() -> None:
    async def scenario() -> None:
        limits = Limits(AccessSettings(client_requests_per_minute=1), lambda source: None)
        async with bench(limits) as at:
            await at.served.registry.unload(at.model)
            assert await at.answer(new_call()) == ELSEWHERE
            assert type(await error_of(at.answer(new_call()))) is RateLimited
            assert at.spare.asked == [Reason.NOT_READY]

    run(scenario())


def test_tokens_from_elsewhere_count_too() -> None:
    async def scenario() -> None:
        limits = Limits(AccessSettings(client_tokens_per_minute=1), lambda source: None)
        async with bench(limits, predictor=Generating()) as at:
            await at.served.registry.unload(at.model)
            at.spare.outputs = {"prompt_tokens": [5], "completion_tokens": [1]}
            assert await at.answer(new_call()) == at.spare.outputs
            assert type(await error_of(at.answer(new_call()))) is RateLimited

    run(scenario())


@pytest.mark.parametrize("fails", [False, True])
def test_a_model_that_is_too_slow_for_the_deadline(fails: bool) -> None:
    async def scenario() -> None:
        async with bench() as at:
            at.spare.error = StandbyFailed(Outcome.FAILED) if fails else None
            waiting = asyncio.create_task(at.answer(new_call(), WAIT))
            await entered(at.served.predictor)
            at.model._batcher._throughput._gap = 20.0  # seconds that each answer has taken
            patient, hasty = new_call(seconds=60), new_call(seconds=30)
            answers = [asyncio.create_task(at.answer(call)) for call in (patient, hasty)]
            if not fails:
                assert await answers[1] == ELSEWHERE
                assert (hasty.served_by, hasty.version) == ("fallback", "")
            at.served.predictor.gate.set()
            assert await answers[0] == HERE
            assert await answers[1] == (HERE if fails else ELSEWHERE)
            assert patient.served_by == ""
            assert at.spare.asked == [Reason.SLOW]
            await waiting
            at.model._batcher._throughput._gap = 20.0
            assert await at.answer(new_call(seconds=10)) == HERE  # it is idle, and may have become faster

    run(scenario())


def test_what_is_cached_does_not_leave() -> None:
    async def scenario() -> None:
        async with bench(cache="all") as at:
            assert await at.answer(new_call()) == HERE
            waiting = asyncio.create_task(at.answer(new_call(), WAIT))
            await entered(at.served.predictor)
            at.model._batcher._throughput._gap = 20.0
            call = new_call(seconds=30)
            assert await at.answer(call) == HERE
            assert (call.cache, call.served_by, call.version, at.spare.asked) == ("hit", "", "1", [])
            assert await at.answer(new_call(seconds=30), TextBatch(["another"])) == ELSEWHERE
            at.served.predictor.gate.set()
            await waiting

    run(scenario())


def test_a_stream_is_marked_before_its_first_part() -> None:
    async def scenario() -> None:
        async with bench() as at:
            await at.served.registry.unload(at.model)
            at.spare.parts = ["a", "b"]
            call = new_call()
            inference = await at.served.plane.open(call, "paced")
            async with aclosing(inference.stream(HI)) as parts:
                assert await anext(parts) == event("a")
                assert (call.served_by, call.version) == ("fallback", "")
                assert [part async for part in parts] == [event("b"), ELSEWHERE]
            assert at.told == []

    run(scenario())


@pytest.mark.parametrize(("parts", "error"), [([], ModelNotReady), (["a"], Unavailable)])
def test_a_stream_that_fails(parts: list[str], error: type[ServingError]) -> None:
    async def scenario() -> None:
        async with bench() as at:
            await at.served.registry.unload(at.model)
            at.spare.parts, at.spare.error = parts, StandbyFailed(Outcome.FAILED)
            call = new_call()
            assert type(await error_of(at.stream(call))) is error
            assert call.served_by == ("fallback" if parts else "")

    run(scenario())


def test_a_caller_who_leaves_ends_it() -> None:
    async def scenario() -> None:
        async with bench() as at:
            await at.served.registry.unload(at.model)
            at.spare.hangs = True
            task = asyncio.create_task(at.answer(new_call()))
            while not at.spare.jobs:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert at.spare.jobs[0].stopped()

    run(scenario())


def test_models_without_one_are_as_before() -> None:
    async def scenario() -> None:
        async with Plane() as served:
            await served.registry.unload(served.registry.models["paced"])
            with pytest.raises(ModelNotReady):
                await served.open()

    run(scenario())
