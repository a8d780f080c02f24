"""The engine's scheduler, on a decoder that tracks its KV cache strictly and takes no time."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.engine.scheduler import Scheduler
from predictors.summarizer.engine.types import EngineError, Generation, GrammarError, Prompt, Sampling, Stopped
from tests.unit.summarizer.fake_decoder import FakeDecoder, Impossible, OneOf, expected

WAIT = 30.0


def never() -> bool:
    return False


@contextmanager
def running(decoder: FakeDecoder, slots: int = 4) -> Iterator[Scheduler]:
    scheduler = Scheduler(decoder, slots)
    try:
        yield scheduler
    finally:
        if decoder.gate is not None:
            decoder.gate.release(10_000)
        scheduler.close()
        assert decoder.closed
        assert decoder.samplers == 0


def tokens(count: int, salt: int = 0) -> list[int]:
    return [(i * 7 + salt * 31 + (i * i) % 13) % 200 + 1 for i in range(count)]


def settle(scheduler: Scheduler, decoder: FakeDecoder) -> None:
    """After all answers: no slot is in use, and only cached prefixes are in the KV cache."""
    done = threading.Event()
    scheduler.submit(Prompt([1]), Sampling(1), never).add_done_callback(lambda _: done.set())
    assert done.wait(WAIT)
    assert scheduler.busy == scheduler.waiting == 0
    assert sum(bool(decoder.tokens(number)) for number in range(decoder.sequences)) == scheduler.cached_prefixes


def test_an_answer_ends_at_its_time_with_what_there_is() -> None:
    decoder = FakeDecoder(sequences=4)
    with running(decoder) as scheduler:
        prompt = Prompt(tokens(10))
        at_once = scheduler.submit(prompt, Sampling(20, ends_at=0.0), never).result(WAIT)
        assert (at_once.finish_reason, at_once.completion_tokens) == ("deadline", 1)
        later = scheduler.submit(prompt, Sampling(20, ends_at=time.monotonic() + 3600), never).result(WAIT)
        assert later.finish_reason in ("stop", "length")


jobs = st.lists(
    st.tuples(
        st.integers(1, 60),  # tokens of the prompt
        st.integers(1, 20),  # tokens to generate
        st.integers(0, 3),  # which prefix it has
        st.integers(-1, 70),  # reusable
        st.integers(0, 2),  # flow
    ),
    min_size=1,
    max_size=25,
)


@given(jobs=jobs, slots=st.integers(1, 6), batch=st.integers(7, 40), cached=st.integers(0, 3), copies=st.booleans())
def test_every_prompt_gets_its_own_answer_once_whatever_else_is_in_the_batch(
    jobs: list[tuple[int, int, int, int, int]], slots: int, batch: int, cached: int, copies: bool
) -> None:
    decoder = FakeDecoder(80, slots + cached, batch, copies)
    flows = [object() for _ in range(3)]
    with running(decoder, slots) as scheduler:
        prompts = [tokens(size, salt) for size, _, salt, _, _ in jobs]
        answers = [
            scheduler.submit(Prompt(prompt, reusable), Sampling(count, seed=salt), never, flows[flow])
            for prompt, (_, count, salt, reusable, flow) in zip(prompts, jobs, strict=True)
        ]
        for prompt, (_, count, salt, _, _), answer in zip(prompts, jobs, answers, strict=True):
            result = answer.result(WAIT)
            assert result.text == expected(prompt, count, salt)
            assert (result.prompt_tokens, result.completion_tokens) == (len(prompt), count)
            assert result.finish_reason == "length"
        settle(scheduler, decoder)


def test_answers_join_and_leave_between_steps() -> None:
    decoder = FakeDecoder(batch_tokens=32)
    with running(decoder) as scheduler:
        answers = [scheduler.submit(Prompt(tokens(4, i)), Sampling(10 + i), never) for i in range(4)]
        for answer in answers:
            answer.result(WAIT)
    assert max(len(parts) for parts in decoder.batches) == 4
    assert len(decoder.batches) < sum(10 + i for i in range(4))


def stepwise(decoder: FakeDecoder) -> Callable[[int], None]:
    """Returns a function that lets the decoder take a number of steps."""
    gate = decoder.gate = threading.Semaphore(0)

    def step(count: int) -> None:
        gate.release(count)

    return step


def first(decoder: FakeDecoder, condition: Callable[[list[int]], bool]) -> int:
    """Index of the first batch whose numbers of tokens meet a condition."""
    return next(i for i, parts in enumerate(decoder.batches) if condition([len(part.tokens) for part in parts]))


def test_a_short_prompt_overtakes_a_long_one_that_still_progresses() -> None:
    decoder = FakeDecoder(sequence_tokens=1000, batch_tokens=16)
    step = stepwise(decoder)
    with running(decoder) as scheduler:
        long = scheduler.submit(Prompt(tokens(600)), Sampling(1), never)
        step(3)
        short = scheduler.submit(Prompt(tokens(8, 1)), Sampling(2), never)
        step(6)
        assert short.result(WAIT).completion_tokens == 2
        assert not long.done()
        step(100)
        long.result(WAIT)
    together = [parts for parts in decoder.batches if len(parts) == 2]
    assert together
    assert all(len(part.tokens) >= 1 for parts in together for part in parts)


def test_a_long_prompt_progresses_although_short_ones_keep_coming() -> None:
    decoder = FakeDecoder(sequence_tokens=1000, batch_tokens=16)
    with running(decoder) as scheduler:
        long = scheduler.submit(Prompt(tokens(400)), Sampling(1), never)
        shorts: list[Future[Generation]] = []
        while not long.done():
            shorts.append(scheduler.submit(Prompt(tokens(12, len(shorts))), Sampling(3), never))
            shorts[-1].result(WAIT)
        assert len(shorts) < 200
        long.result(WAIT)


def test_equals_are_served_in_order_of_arrival() -> None:
    decoder = FakeDecoder(sequence_tokens=400)
    step = stepwise(decoder)
    order: list[int] = []
    with running(decoder, slots=1) as scheduler:
        answers = [scheduler.submit(Prompt(tokens(5, i)), Sampling(3), never) for i in range(10)]
        for i, answer in enumerate(answers):
            answer.add_done_callback(lambda _, i=i: order.append(i))  # type: ignore[misc]
        step(1000)
        for answer in answers:
            answer.result(WAIT)
    assert order == list(range(10))


def test_a_flow_with_fewer_answers_under_way_goes_first() -> None:
    decoder = FakeDecoder(sequence_tokens=4000, batch_tokens=64)
    step = stepwise(decoder)
    order: list[str] = []
    crowd = object()
    with running(decoder, slots=2) as scheduler:
        answers = [scheduler.submit(Prompt(tokens(5, i)), Sampling(4), never, crowd) for i in range(20)]
        answers.append(scheduler.submit(Prompt(tokens(5, 99)), Sampling(4), never))
        for i, answer in enumerate(answers):
            answer.add_done_callback(lambda _, name="crowd" if i < 20 else "single": order.append(name))  # type: ignore[misc]
        step(1000)
        for answer in answers:
            answer.result(WAIT)
    assert order.index("single") <= 4


def test_a_common_prefix_is_prefilled_once() -> None:
    decoder = FakeDecoder(sequence_tokens=2000, batch_tokens=32)
    common = tokens(300)
    with running(decoder, slots=4) as scheduler:
        answers = [scheduler.submit(Prompt([*common, 200 + i, 5], reusable=300), Sampling(3), never) for i in range(8)]
        results = [answer.result(WAIT) for answer in answers]
        read = sum(len(part.tokens) for parts in decoder.batches for part in parts)
        assert read < 300 + 8 * (2 + 3) + 32
        assert sorted(result.cached_tokens for result in results)[1:] == [300] * 7
        assert scheduler.cached_prefixes == 1
        again = scheduler.submit(Prompt([*common, 7]), Sampling(1), never).result(WAIT)
        assert again.cached_tokens == 300


def test_a_chat_goes_on_from_where_it_ended() -> None:
    decoder = FakeDecoder(sequence_tokens=2000)
    with running(decoder) as scheduler:
        prompt = tokens(40)
        answer = scheduler.submit(Prompt(prompt, reusable=-1), Sampling(5), never).result(WAIT)
        history = [*prompt, *(ord(letter) - 96 for letter in answer.text)]
        follow = scheduler.submit(Prompt([*history, 9, 9], reusable=-1), Sampling(5), never).result(WAIT)
        assert follow.cached_tokens >= len(history) - 1


def test_the_least_recently_used_prefix_is_evicted() -> None:
    decoder = FakeDecoder(sequences=4, batch_tokens=64)
    with running(decoder, slots=1) as scheduler:

        def cached(salt: int) -> int:
            prompt = Prompt([*tokens(40, salt), 3], reusable=40)
            return scheduler.submit(prompt, Sampling(1), never).result(WAIT).cached_tokens

        assert [cached(salt) for salt in (1, 2, 3, 1, 2, 3)] == [0, 0, 0, 40, 40, 40]
        assert [cached(salt) for salt in (4, 3)] == [0, 40]
        assert [cached(salt) for salt in (5, 6, 7, 1)] == [0, 0, 0, 0]


def test_few_answers_have_consecutive_sequence_numbers() -> None:
    decoder = FakeDecoder(sequences=10, batch_tokens=64)
    with running(decoder, slots=8) as scheduler:
        for round_ in range(6):
            prompts = [Prompt(tokens(40, 10 * round_ + i), reusable=-1) for i in range(3)]
            for answer in [scheduler.submit(prompt, Sampling(3), never) for prompt in prompts]:
                answer.result(WAIT)
    assert {part.sequence for parts in decoder.batches for part in parts} <= {0, 1, 2, 3}


def test_a_prefix_is_not_lost_to_prompts_that_begin_with_it() -> None:
    decoder = FakeDecoder(sequences=5, batch_tokens=64)
    common = tokens(100)
    with running(decoder, slots=4) as scheduler:
        scheduler.submit(Prompt(common, reusable=-1), Sampling(1), never).result(WAIT)
        for round_ in range(5):
            answers = [
                scheduler.submit(Prompt([*common, i + 1, round_ + 1], reusable=100), Sampling(2), never)
                for i in range(4)
            ]
            assert [answer.result(WAIT).cached_tokens for answer in answers] == [100] * 4


@pytest.mark.parametrize("after_steps", [1, 5])
def test_a_cancelled_answer_frees_its_slot_within_one_step(after_steps: int) -> None:
    decoder = FakeDecoder(sequence_tokens=1000)
    step = stepwise(decoder)
    gone = threading.Event()
    with running(decoder, slots=1) as scheduler:
        answer = scheduler.submit(Prompt(tokens(40)), Sampling(50), gone.is_set)
        following = scheduler.submit(Prompt(tokens(4, 1)), Sampling(1), never)
        step(after_steps)
        while len(decoder.batches) < after_steps:
            pass
        gone.set()
        step(2)  # the one under way when it was cancelled, and the first of the next
        assert following.result(WAIT).completion_tokens == 1
        with pytest.raises(Stopped):
            answer.result(WAIT)
        assert len(decoder.batches) <= after_steps + 2


def test_a_cancelled_prompt_in_the_queue_is_dropped() -> None:
    decoder = FakeDecoder()
    step = stepwise(decoder)
    with running(decoder, slots=1) as scheduler:
        first = scheduler.submit(Prompt(tokens(4)), Sampling(5), never)
        waiting = scheduler.submit(Prompt(tokens(4, 1)), Sampling(5), lambda: True)
        step(1)
        with pytest.raises(Stopped):
            waiting.result(WAIT)
        step(100)
        assert first.result(WAIT).completion_tokens == 5


def test_after_a_failure_slots_work_again_and_the_queue_is_not_lost() -> None:
    decoder = FakeDecoder()
    step = stepwise(decoder)
    with running(decoder, slots=2) as scheduler:
        hit = [scheduler.submit(Prompt(tokens(4, i)), Sampling(5), never) for i in range(2)]
        spared = scheduler.submit(Prompt(tokens(4, 3)), Sampling(5), never)
        decoder.fail_next = True
        step(100)
        failed = [answer for answer in hit if isinstance(answer.exception(WAIT), EngineError)]
        assert failed
        assert spared.result(WAIT).text == expected(tokens(4, 3), 5)
        settle(scheduler, decoder)


def test_an_answer_follows_its_constraint_alone() -> None:
    with running(FakeDecoder()) as scheduler:
        bound = scheduler.submit(Prompt(tokens(4)), Sampling(5, constraint=OneOf(3)), never)
        free = scheduler.submit(Prompt(tokens(4)), Sampling(5), never)
        assert bound.result(WAIT).text == "ccccc"
        assert free.result(WAIT).text == expected(tokens(4), 5)


def test_an_impossible_constraint_fails_alone() -> None:
    decoder = FakeDecoder()
    with running(decoder) as scheduler:
        bad = scheduler.submit(Prompt(tokens(4)), Sampling(5, constraint=Impossible()), never)
        good = scheduler.submit(Prompt(tokens(4)), Sampling(5), never)
        assert isinstance(bad.exception(WAIT), GrammarError)
        assert good.result(WAIT).text == expected(tokens(4), 5)
        settle(scheduler, decoder)


@pytest.mark.parametrize(("size", "count"), [(0, 1), (512, 2), (1, 513), (513, 1), (100, 1000)])
def test_a_prompt_that_can_never_fit_is_refused(size: int, count: int) -> None:
    with running(FakeDecoder(sequence_tokens=512)) as scheduler, pytest.raises(ValueError, match="513"):
        scheduler.submit(Prompt(tokens(size)), Sampling(count), never)


def test_a_prompt_that_just_fits_is_accepted() -> None:
    with running(FakeDecoder(sequence_tokens=64)) as scheduler:
        assert scheduler.submit(Prompt(tokens(60)), Sampling(5), never).result(WAIT).completion_tokens == 5
        assert scheduler.submit(Prompt(tokens(64)), Sampling(1), never).result(WAIT).completion_tokens == 1


def test_text_comes_in_pieces_and_a_stop_text_never_shows() -> None:
    prompt = tokens(9)
    whole = expected(prompt, 20)
    stop = whole[6:9]
    pieces: list[str] = []
    with running(FakeDecoder()) as scheduler:
        result = scheduler.submit(Prompt(prompt), Sampling(20, stop=(stop,)), never, on_text=pieces.append).result(WAIT)
    end = whole.index(stop)
    assert result.text == "".join(pieces) == whole[:end]
    assert result.finish_reason == "stop"
    assert len(pieces) > 1


def test_closing_abandons_answers_under_way_and_later_ones() -> None:
    decoder = FakeDecoder()
    step = stepwise(decoder)
    with running(decoder, slots=1) as scheduler:
        answers = [scheduler.submit(Prompt(tokens(4, i)), Sampling(50), never) for i in range(3)]
        step(3)
        closing = threading.Thread(target=scheduler.close)
        closing.start()
        step(10)
        closing.join(WAIT)
        for answer in answers:
            assert isinstance(answer.exception(WAIT), Stopped)
        assert isinstance(scheduler.submit(Prompt([1]), Sampling(1), never).exception(WAIT), Stopped)


def test_a_storm_of_requests_and_cancellations_leaves_nothing_behind() -> None:
    decoder = FakeDecoder(sequence_tokens=80, sequences=5, batch_tokens=24)
    choose = random.Random(4)
    with running(decoder, slots=4) as scheduler:
        cases = []
        for i in range(400):
            prompt, count = tokens(choose.randint(1, 60), choose.randint(0, 5)), choose.randint(1, 15)
            gone = threading.Event()
            cases.append(
                (
                    prompt,
                    count,
                    gone,
                    scheduler.submit(Prompt(prompt, choose.randint(-1, 30)), Sampling(count), gone.is_set),
                )
            )
            if choose.random() < 0.3:
                cases[choose.randrange(len(cases))][2].set()
            if i % 97 == 50:
                decoder.fail_next = True
        for prompt, count, gone, answer in cases:
            error = answer.exception(WAIT)
            if error is None:
                assert answer.result().text == expected(prompt, count)
            else:
                assert isinstance(error, EngineError) or (isinstance(error, Stopped) and gone.is_set())
        settle(scheduler, decoder)
