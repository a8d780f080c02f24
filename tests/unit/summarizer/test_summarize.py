"""The summarizer, on an engine that answers at once."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, cast

import pytest

from predictors.serving.errors import TooLarge
from predictors.serving.model.types import Event, Job
from predictors.summarizer.allowance import Allowance
from predictors.summarizer.engine.scheduler import Scheduler
from predictors.summarizer.engine.slots import Usage
from predictors.summarizer.engine.types import FinishReason, Generation, Prompt, Sampling, Stopped
from predictors.summarizer.summarize import AnyMode, ReadingSettings, Summarizer, Wish
from predictors.summarizer.summary import Summary
from predictors.summarizer.text.digest import Mode
from predictors.summarizer.text.topics import TOPICS
from predictors.summarizer.tuning import Tuning

DOCUMENT = """TERMS

1. The fee is 9 euros a month. We greet you. Pets (such as a dog or a parrot) are not allowed in your flat.
2. We may share your address, which is on the form, with our partners. You waive your right to a jury trial.
"""
FEE, JURY = "The fee is 9 euros a month.", "You waive your right to a jury trial."
PETS, NO_EXAMPLES = (
    "Pets (such as a dog or a parrot) are not allowed in your flat.",
    "Pets are not allowed in your flat.",
)
# A point of its own for each sentence, and something to leave out in each.
ASIDES = " ".join(f"You pay {i} euros for a towel in room {i} (such as a plain blue towel)." for i in range(1, 31))
SYSTEM_ROLE, EMPTY = -1, -2


class WordModel:
    """A tokenizer with a token for each word."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def tokenize(self, text: str) -> list[int]:
        self.words += [word for word in dict.fromkeys(text.split()) if word not in self.words]
        return [self.words.index(word) for word in text.split()]

    def frame(self, roles: Sequence[str]) -> list[list[int]]:
        return [[SYSTEM_ROLE], *([EMPTY] for _ in roles)]

    def passage(self, prompt: Prompt) -> str:
        """What was put into a prompt of a clause."""
        last = list(prompt.tokens)[prompt.reusable : -1]
        return " ".join(self.words[token] for token in last)


class Engine:
    """Answers each prompt at once, as the test says; from some prompt on, never."""

    def __init__(self, answer: Callable[[Prompt], tuple[str, FinishReason]]) -> None:
        self.usage = Usage()
        self.prompts: list[Prompt] = []
        self.limits: list[int] = []
        self.stopped: list[Callable[[], bool]] = []
        self.answers = 1_000_000
        self._answer = answer

    def submit(
        self, prompt: Prompt, sampling: Sampling, stopped: Callable[[], bool], flow: object
    ) -> "Future[Generation]":
        self.prompts.append(prompt)
        self.limits.append(sampling.max_tokens)
        self.stopped.append(stopped)
        future: Future[Generation] = Future()
        if len(self.prompts) <= self.answers:
            text, reason = self._answer(prompt)
            future.set_result(Generation(text, len(prompt.tokens), 2, len(text.split()), reason, 0.5))
        return future


class Bench:
    """A summarizer with its model and its engine."""

    def __init__(self, tuning: Tuning | None = None, **settings: Any) -> None:
        self.model = WordModel()
        self.engine = Engine(lambda prompt: (self.answer(prompt), self.reason))
        self.answer: Callable[[Prompt], str] = self.model.passage
        self.reason: FinishReason = "stop"
        self.events: list[Event] = []
        given = {"context_tokens": 1000, "fast_tokens": 1000, "unsupported": "quote", "slots": 1, **settings}
        scheduler = cast(Scheduler, self.engine)
        self.summarizer = Summarizer(self.model, scheduler, ReadingSettings(tuning=tuning or Tuning(), **given))

    def summarize(self, text: str, mode: AnyMode, max_tokens: int | None = None, seconds: float = 60) -> Summary:
        """Summarize for a caller who waits a minute; the summary may take less."""
        self.events.clear()
        job = Job(time.monotonic() + 60, self.events.append)
        wish = Wish(mode=mode, most_tokens=max_tokens, sampling=Sampling(1))
        allowance = Allowance(Job(time.monotonic() + seconds))
        return self.summarizer.summarize(text, wish, job, allowance, instance=3)


def run(bench: Bench, text: str, job: Job) -> Summary:
    wish = Wish(mode="full", most_tokens=None, sampling=Sampling(1))
    return bench.summarizer.summarize(text, wish, job, Allowance(job), instance=0)


def texts(summary: Summary) -> list[str]:
    return [point["text"] for point in summary.points]


def test_the_model_chooses_what_is_left_out_and_says_nothing() -> None:
    bench = Bench()
    bench.answer = lambda prompt: "Pets are not allowed, and you win 1,000 euros."
    assert NO_EXAMPLES in texts(bench.summarize(DOCUMENT, "full"))
    bench.answer = lambda prompt: "A dog or parrot is allowed."
    assert PETS in texts(bench.summarize(DOCUMENT, "full"))


def test_only_what_can_be_shorter_is_asked_about_and_counted() -> None:
    bench = Bench()
    summary = bench.summarize(DOCUMENT, "full")
    assert [bench.model.passage(prompt) for prompt in bench.engine.prompts] == [PETS]
    assert (summary.prompt_tokens, summary.completion_tokens) == (
        len(bench.engine.prompts[0].tokens),
        len(PETS.split()),
    )
    assert (summary.cached_tokens, summary.seconds_to_first_token) == (2, 0.5)
    assert (summary.finish_reason, summary.read, summary.more) == ("stop", 1.0, "")


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_what_matters_is_said_under_its_topic(mode: Mode) -> None:
    summary = Bench().summarize(DOCUMENT, mode)
    assert FEE in texts(summary)
    assert JURY in texts(summary)
    assert "We greet you." not in texts(summary)
    order = [point["topic"] for point in summary.points]
    assert order == sorted(order, key=list(TOPICS).index)
    lines = summary.text.splitlines()
    assert lines[0] == TOPICS[order[0]].title.upper()
    for point in summary.points:
        assert lines.index(point["gloss"]) < lines.index(f"- {point['text']}")


def test_quoted_says_that_nothing_was_left_out() -> None:
    bench = Bench()
    bench.answer = lambda prompt: "Pets are not allowed in your flat."
    points = bench.summarize(DOCUMENT, "full").points
    assert [point["text"] for point in points if not point["quoted"]] == [NO_EXAMPLES]


def test_an_answer_is_not_much_longer_than_its_clause() -> None:
    bench = Bench()
    long = f"You pay 9 euros (such as a plain blue towel) {'every Tuesday ' * 40}."
    bench.summarize(f"{PETS} {long} {'We greet you. ' * 200}", "full")
    assert bench.engine.limits == [len(PETS.split()) + 8, 80]


def test_a_cut_answer_leaves_nothing_out() -> None:
    bench = Bench()
    bench.answer, bench.reason = lambda prompt: "Pets are", "length"
    assert all(point["quoted"] for point in bench.summarize(DOCUMENT, "full").points)


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_points_beyond_the_length_are_left_out(mode: Mode) -> None:
    summary = Bench().summarize(DOCUMENT, mode, max_tokens=15)
    assert 0 < sum(len(text.split()) for text in texts(summary)) <= 15
    assert summary.finish_reason == "length"
    assert "max_tokens" in summary.more
    assert all(point["quoted"] for point in summary.points)


def test_a_clause_is_never_cut() -> None:
    summary = Bench().summarize(DOCUMENT, "full", max_tokens=3)
    assert (summary.points, summary.finish_reason) == ([], "length")


def test_a_chunk_becomes_a_point_a_line() -> None:
    bench = Bench(Tuning(reading="chunks"))
    bench.answer = lambda prompt: f"- {FEE}\n- Cats are welcome in Peru.\n- {JURY}"
    summary = bench.summarize(DOCUMENT, "full")
    assert FEE in texts(summary)
    assert JURY in texts(summary)
    assert not any("Peru" in text for text in texts(summary))
    assert len(bench.engine.prompts) == 1
    assert bench.engine.limits == [400]


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_events_tell_the_progress_and_each_point(mode: Mode) -> None:
    bench = Bench()
    summary = bench.summarize(DOCUMENT, mode)
    progress = [event.data for event in bench.events if event.name == "progress"]
    total = len(progress)
    assert progress == [{"instance": 3, "mode": mode, "done": i, "total": total} for i in range(1, total + 1)]
    told = [event.data for event in bench.events if event.name == "bullet"]
    assert sorted(told, key=str) == sorted(({"instance": 3, **point} for point in summary.points), key=str)
    assert [event.name for event in bench.events] == ["progress", "bullet"] * total


def test_only_a_few_prompts_wait_in_the_engine() -> None:
    bench = Bench(slots=2)
    ahead = []

    def answer(prompt: Prompt) -> str:
        ahead.append(len(bench.engine.prompts) - sum(event.name == "progress" for event in bench.events))
        return bench.model.passage(prompt)

    bench.answer = answer
    bench.summarize(ASIDES, "full")
    assert len(bench.engine.prompts) > 10
    assert max(ahead) == 4


def test_at_the_deadline_a_summary_has_every_clause_that_was_chosen() -> None:
    bench = Bench(slots=2)
    bench.answer = lambda prompt: "You pay 1 euro for a towel in room 1."
    whole = bench.summarize(ASIDES, "full")
    bench.engine.prompts.clear()
    bench.engine.answers = 3
    late = bench.summarize(ASIDES, "full", seconds=0.3)
    assert late.finish_reason == "deadline"
    assert 0 < late.read < 1
    assert "x-request-timeout-ms" in late.more
    assert len(late.points) == len(whole.points)
    assert sum(point["quoted"] for point in late.points) == len(late.points) - 3
    assert all(stopped() for stopped in bench.engine.stopped)


def test_at_the_deadline_a_summary_of_chunks_has_the_points_found_until_then() -> None:
    bench = Bench(Tuning(reading="chunks"), context_tokens=600)
    bench.answer = bench.model.passage
    bench.engine.answers = 1
    text = f"{FEE} {'You pay 9 euros for towels. ' * 200}"
    late = bench.summarize(text, "full", seconds=0.3)
    assert late.finish_reason == "deadline"
    assert 0 < late.read < 1
    assert late.points


def test_a_long_text_is_read_as_far_as_there_is_time() -> None:
    text = "You pay 9 euros for each of the towels.\n\n" * 6_000
    late = Bench().summarize(text, "fast", seconds=0.0)
    assert late.finish_reason == "deadline"
    assert 0 < late.read < 0.6
    assert texts(late) == ["You pay 9 euros for each of the towels."]


def test_nothing_is_read_once_the_job_is_cancelled() -> None:
    job = Job(time.monotonic() + 60)
    job.cancel()
    with pytest.raises(Stopped):
        run(Bench(), "You pay 9 euros.\n\n" * 12_000, job)


def test_a_failure_abandons_the_other_passages() -> None:
    bench = Bench(slots=4)
    bench.engine.submit(Prompt([1]), Sampling(1), threading.Event().is_set, None)

    def fail(event: Event) -> None:
        raise RuntimeError("the client is gone")

    with pytest.raises(RuntimeError, match="the client is gone"):
        run(bench, ASIDES, Job(time.monotonic() + 60, fail))
    abandoned = [stopped() for stopped in bench.engine.stopped]
    assert abandoned == [False, *[True] * (len(abandoned) - 1)]
    assert len(abandoned) > 4


@pytest.mark.parametrize(("seconds", "mode"), [(1000.0, "full"), (1.0, "fast")])
def test_auto_goes_by_the_time_that_the_engine_needs(seconds: float, mode: Mode) -> None:
    bench = Bench()
    bench.engine.usage.decode_seconds, bench.engine.usage.tokens = 10.0, 1000
    assert bench.summarize(ASIDES, "auto", seconds=seconds).mode == mode


def test_too_many_clauses_are_refused() -> None:
    with pytest.raises(TooLarge, match="more than 25000 sentences"):
        Bench().summarize("- a\n" * 25_001, "fast")


def test_the_context_must_hold_the_instructions_and_an_answer() -> None:
    with pytest.raises(ValueError, match="need a context of at least"):
        Bench(context_tokens=80)
