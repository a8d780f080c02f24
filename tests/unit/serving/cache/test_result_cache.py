"""The result cache: its bounds, and who waits for whom."""

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.serving.cache.result_cache import ResultCache
from predictors.serving.cache.result_codec import result_key
from predictors.serving.errors import DeadlineExceeded, InvalidInput, Overloaded, ServingError
from predictors.serving.model.types import Outputs, TextBatch
from tests.live import PATIENCE_SECONDS
from tests.unit.serving.cache.test_result_codec import same

ANSWER: Outputs = {"predict": np.array([1, 2]), "label": ["a", "é"]}


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Kept:
    """A cache, its clock and what it counted."""

    def __init__(self, max_bytes: int = 2**20, ttl_seconds: int = 100, **options: Any) -> None:
        self.clock = Clock()
        self.counts: Counter[str] = Counter()
        options.setdefault("timeout_seconds", PATIENCE_SECONDS)
        self.cache = ResultCache(
            max_bytes, ttl_seconds, lambda event: self.counts.update([event]), clock=self.clock, **options
        )


class Model:
    """Computes when the gate is open; `runs` counts the computations begun, `cancelled` those cancelled."""

    def __init__(self, outputs: Outputs | None = None, gate: bool = True) -> None:
        self.outputs = ANSWER if outputs is None else outputs
        self.errors: list[Exception] = []
        self.runs = self.cancelled = 0
        self.gate = asyncio.Event()
        if gate:
            self.gate.set()

    async def __call__(self) -> Outputs:
        self.runs += 1
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.errors:
            raise self.errors.pop(0)
        return self.outputs


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run to the end; an exception that nobody retrieved is a failure."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await asyncio.wait_for(scenario, PATIENCE_SECONDS)
        await settled()
        gc.collect()

    asyncio.run(watched())
    assert complaints == []


async def settled() -> None:
    """Let every task go on until it waits for something else than its turn."""
    for _ in range(20):
        await asyncio.sleep(0)


# Bounds


def test_the_second_answer_is_a_hit_and_belongs_to_its_caller() -> None:
    async def scenario() -> None:
        kept, model = Kept(), Model()
        for outcome in ("miss", "hit", "hit"):
            answer, found = await kept.cache.get("key", model)
            assert found == outcome
            same(answer, {"predict": np.array([1, 2]), "label": ["a", "é"]})
            array, labels = answer.values()
            array[0] = 9
            del labels[0]  # type: ignore[union-attr]
        assert model.runs == 1
        assert kept.counts == {"miss": 1, "hit": 2}

    run(scenario())


def test_an_answer_is_given_until_its_time_is_over() -> None:
    async def scenario() -> None:
        kept, model = Kept(ttl_seconds=100), Model()
        await kept.cache.get("key", model)
        kept.clock.now += 99
        assert (await kept.cache.get("key", model))[1] == "hit"
        kept.clock.now += 1  # a hit does not make it younger
        assert (await kept.cache.get("key", model))[1] == "miss"
        assert kept.counts == {"miss": 2, "hit": 1, "expired": 1}

    run(scenario())


async def entry_bytes() -> int:
    kept = Kept()
    await kept.cache.get("a", Model())
    return kept.cache.bytes


def test_the_least_recently_used_goes_first() -> None:
    async def scenario() -> None:
        model = Model()
        kept = Kept(max_bytes=2 * await entry_bytes())
        for key in "abacab":
            await kept.cache.get(key, model)
        # c took the place of b, then b that of c
        assert kept.counts == {"miss": 4, "hit": 2, "evicted": 2}
        assert (await kept.cache.get("a", model))[1] == "hit"

    run(scenario())


def test_what_goes_after_its_time_is_not_called_evicted() -> None:
    async def scenario() -> None:
        model = Model()
        kept = Kept(max_bytes=await entry_bytes(), ttl_seconds=100)
        await kept.cache.get("a", model)
        kept.clock.now += 100
        await kept.cache.get("b", model)
        assert kept.counts == {"miss": 2, "expired": 1}

    run(scenario())


def test_what_is_larger_than_the_bound_is_given_but_not_kept() -> None:
    async def scenario() -> None:
        size = await entry_bytes()
        for bound, outcome in ((size, "hit"), (size - 1, "miss"), (0, "miss")):
            kept, model = Kept(max_bytes=bound), Model()
            await kept.cache.get("a", model)
            assert (await kept.cache.get("a", model))[1] == outcome
            assert kept.cache.bytes == (size if outcome == "hit" else 0)
            assert kept.counts["evicted"] == 0

    run(scenario())


@given(
    st.integers(0, 3000),
    st.lists(st.tuples(st.integers(0, 7), st.sampled_from([0, 1, 100, 1000, 4000]), st.integers(0, 40))),
)
def test_the_bytes_are_never_above_the_bound(bound: int, steps: list[tuple[int, int, int]]) -> None:
    async def scenario() -> None:
        kept = Kept(max_bytes=bound, ttl_seconds=60)
        for name, size, seconds in steps:
            key, answer = f"{name}:{size}", {"text": [f"{name}" * size]}
            kept.clock.now += seconds
            found, _ = await kept.cache.get(key, Model(dict(answer)))
            assert found == answer
            assert 0 <= kept.cache.bytes <= bound
        assert kept.counts["hit"] + kept.counts["miss"] == len(steps)

    asyncio.run(scenario())


def test_the_bytes_counted_cover_what_python_takes() -> None:
    async def scenario() -> None:
        kept, model = Kept(max_bytes=2**30), Model()
        await kept.cache.get("warm", model)
        tracemalloc.start()
        try:
            for i in range(200):
                kept.clock.now += 0.5
                await kept.cache.get(result_key("m", "d", TextBatch([str(i)])), model)
                if i >= 100 and i % 20 == 0:
                    gc.collect()
                    assert tracemalloc.get_traced_memory()[0] <= kept.cache.bytes
        finally:
            tracemalloc.stop()

    run(scenario())


# Who waits for whom


def test_fifty_callers_are_one_computation() -> None:
    async def scenario() -> None:
        kept, model, other = Kept(), Model(gate=False), Model()
        callers = [asyncio.create_task(kept.cache.get("key", model)) for _ in range(50)]
        await settled()
        assert (await kept.cache.get("other", other))[1] == "miss"  # another key waits for nobody
        model.gate.set()
        answers = await asyncio.gather(*callers)
        assert model.runs == 1
        assert Counter(outcome for _, outcome in answers) == {"miss": 1, "joined": 49}
        assert len({id(answer["label"]) for answer, _ in answers}) == 50
        assert kept.counts == {"miss": 2, "joined": 49}

    run(scenario())


@pytest.mark.parametrize("leaving", [[0], [1], [0, 1]])
def test_a_caller_that_leaves_takes_nothing_from_the_others(leaving: list[int]) -> None:
    async def scenario() -> None:
        kept, model = Kept(), Model(gate=False)
        callers = [asyncio.create_task(kept.cache.get("key", model)) for _ in range(3)]
        await settled()
        for i in leaving:
            callers[i].cancel()
        await settled()
        assert [caller.cancelled() for caller in callers] == [i in leaving for i in range(3)]
        model.gate.set()
        for i in {0, 1, 2} - set(leaving):
            same((await callers[i])[0], ANSWER)
        assert (model.runs, model.cancelled) == (1, 0)

    run(scenario())


def test_a_caller_whose_time_is_over_leaves() -> None:
    async def scenario() -> None:
        kept, model = Kept(), Model(gate=False)
        stays = asyncio.create_task(kept.cache.get("key", model))
        await settled()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await kept.cache.get("key", model)
        model.gate.set()
        assert (await stays)[1] == "miss"

    run(scenario())


def test_the_computation_is_cancelled_with_its_last_caller() -> None:
    async def scenario() -> None:
        kept, model = Kept(), Model(gate=False)
        callers = [asyncio.create_task(kept.cache.get("key", model)) for _ in range(3)]
        await settled()
        for caller in callers:
            caller.cancel()
        await settled()
        assert (model.runs, model.cancelled) == (1, 1)
        model.gate.set()
        assert (await kept.cache.get("key", model))[1] == "miss"
        assert model.runs == 2

    run(scenario())


@pytest.mark.parametrize("fails", [True, False])
def test_nobody_joins_a_computation_that_is_being_cancelled(fails: bool) -> None:
    async def scenario() -> None:
        kept, model, go_on = Kept(), Model(), asyncio.Event()

        async def lingering() -> Outputs:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await go_on.wait()
            if fails:
                raise RuntimeError("nobody is there to see it")
            return ANSWER

        last = asyncio.create_task(kept.cache.get("key", lingering))
        await settled()
        last.cancel()
        await settled()
        assert last.cancelled()
        assert (await kept.cache.get("key", model))[1] == "miss"
        go_on.set()
        await settled()
        assert (await kept.cache.get("key", model))[1] == "hit"
        assert kept.cache.bytes == await entry_bytes() + len("key") - len("a")

    run(scenario())


@pytest.mark.parametrize("error", [RuntimeError("unforeseen"), InvalidInput("refused")])
def test_an_error_is_everyones_and_is_not_kept(error: Exception) -> None:
    async def scenario() -> None:
        kept, model = Kept(), Model(gate=False)
        model.errors.append(error)
        callers = [asyncio.create_task(kept.cache.get("key", model)) for _ in range(5)]
        await settled()
        model.gate.set()
        assert await asyncio.gather(*callers, return_exceptions=True) == [error] * 5
        assert model.runs == 1
        assert (await kept.cache.get("key", model))[1] == "miss"

    run(scenario())


LATE = [DeadlineExceeded("too late"), Overloaded("the queue is full", 1)]


@pytest.mark.parametrize("error", LATE)
def test_the_others_go_on_after_the_first_ones_deadline(error: ServingError) -> None:
    async def scenario() -> None:
        kept, model = Kept(), Model(gate=False)
        model.errors.append(error)
        callers = [asyncio.create_task(kept.cache.get("key", model)) for _ in range(5)]
        await settled()
        model.gate.set()
        first, *others = await asyncio.gather(*callers, return_exceptions=True)
        assert first is error
        assert [other[1] for other in others if isinstance(other, tuple)] == ["miss", "joined", "joined", "joined"]
        assert model.runs == 2

    run(scenario())


@pytest.mark.parametrize("error", LATE)
def test_each_caller_computes_once_at_the_most(error: ServingError) -> None:
    async def scenario() -> None:
        kept, model = Kept(), Model()
        model.errors.extend([error] * 5)
        callers = [kept.cache.get("key", model) for _ in range(5)]
        assert await asyncio.gather(*callers, return_exceptions=True) == [error] * 5
        assert model.runs == 5

    run(scenario())


def test_close_cancels_what_is_being_computed() -> None:
    async def scenario() -> None:
        kept, model = Kept(), Model(gate=False)
        caller = asyncio.create_task(kept.cache.get("key", model))
        await settled()
        await kept.cache.close()
        assert model.cancelled == 1
        with pytest.raises(asyncio.CancelledError):
            await caller

    run(scenario())


def test_what_is_not_final_is_computed_again() -> None:
    async def scenario() -> None:
        kept, model = Kept(), Model()
        for _ in range(2):
            outputs, outcome = await kept.cache.get("key", model, keeps=lambda outputs: False)
            same(outputs, ANSWER)
            assert outcome == "miss"
        assert (model.runs, kept.cache.bytes) == (2, 0)
        assert (await kept.cache.get("key", model))[1] == "miss"
        assert (await kept.cache.get("key", model))[1] == "hit"

    run(scenario())


@pytest.mark.parametrize(("deadline", "runs", "outcome"), [(1004.0, 1, "joined"), (1100.0, 2, "miss")])
def test_who_has_more_time_does_not_take_what_is_not_final(deadline: float, runs: int, outcome: str) -> None:
    async def scenario() -> None:
        kept, model = Kept(), Model(gate=False)
        first = asyncio.create_task(kept.cache.get("key", model, lambda outputs: False, 1003.0))
        await settled()
        second = asyncio.create_task(kept.cache.get("key", model, lambda outputs: False, deadline))
        await settled()
        kept.clock.now += 3
        model.gate.set()
        assert (await first)[1] == "miss"
        assert (await second)[1] == outcome
        assert model.runs == runs

    run(scenario())
