"""The summarizer, on an engine that answers at once."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Literal, cast

import pytest

from predictors.serving.errors import TooLarge
from predictors.serving.model.types import Event, Job
from predictors.summarizer.engine.scheduler import Scheduler
from predictors.summarizer.engine.slots import Usage
from predictors.summarizer.engine.types import FinishReason, Generation, Prompt, Sampling, Stopped
from predictors.summarizer.readers import Reading
from predictors.summarizer.summarize import ReadingSettings, Summarizer
from predictors.summarizer.summary import Mode

DOCUMENT = """TERMS

1. The fee is 9 euros a month. We greet you. Pets are not allowed in the flat.
2. We may share your address with our partners. You waive your right to a jury trial.
"""
FEE, DATA = "The fee is 9 euros a month.", "We may share your address with our partners."
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
    """Answers each prompt at once, as the test says."""

    def __init__(self, answer: Callable[[Prompt], tuple[str, FinishReason]]) -> None:
        self.usage = Usage()
        self.prompts: list[Prompt] = []
        self.limits: list[int] = []
        self.stopped: list[Callable[[], bool]] = []
        self._answer = answer

    def submit(
        self, prompt: Prompt, sampling: Sampling, stopped: Callable[[], bool], flow: object
    ) -> "Future[Generation]":
        self.prompts.append(prompt)
        self.limits.append(sampling.max_tokens)
        self.stopped.append(stopped)
        future: Future[Generation] = Future()
        text, reason = self._answer(prompt)
        future.set_result(Generation(text, len(prompt.tokens), 2, len(text.split()), reason, 0.5))
        return future


class Bench:
    """A summarizer with its model and its engine."""

    def __init__(self, reading: Reading = "clauses", **settings: Any) -> None:
        self.model = WordModel()
        self.engine = Engine(lambda prompt: (self.answer(prompt), self.reason))
        self.answer: Callable[[Prompt], str] = self.model.passage
        self.reason: FinishReason = "stop"
        self.events: list[Event] = []
        given = {"context_tokens": 1000, "fast_tokens": 1000, "unsupported": "quote", "slots": 1, **settings}
        scheduler = cast(Scheduler, self.engine)
        self.summarizer = Summarizer(self.model, scheduler, ReadingSettings(reading=reading, **given))

    def summarize(self, text: str, mode: Mode, max_tokens: int = 800) -> Any:
        self.events.clear()
        job = Job(time.monotonic() + 60, self.events.append)
        document = self.summarizer.read(text, job)
        return self.summarizer.summarize(document, mode, Sampling(max_tokens), job, instance=3)


def texts(summary: Any) -> list[str]:
    return [point["text"] for point in summary.points]


def test_full_reads_each_clause_and_counts_its_cost() -> None:
    bench = Bench()
    summary = bench.summarize(DOCUMENT, "full")
    assert texts(summary) == [
        FEE,
        "We greet you.",
        "Pets are not allowed in the flat.",
        DATA,
        "You waive your right to a jury trial.",
    ]
    assert len(bench.engine.prompts) == 5
    assert summary.prompt_tokens == sum(len(prompt.tokens) for prompt in bench.engine.prompts)
    assert (summary.cached_tokens, summary.seconds_to_first_token) == (10, 0.5)
    assert summary.finish_reason == "stop"
    assert summary.text.splitlines()[0] == f"- {FEE}"


def test_fast_reads_what_matters_most() -> None:
    bench = Bench(fast_tokens=20)
    found = texts(bench.summarize(DOCUMENT, "fast"))
    assert FEE in found
    assert "Pets are not allowed in the flat." not in found
    assert len(bench.engine.prompts) == len(found)
    assert sum(len(text.split()) for text in found) <= 20


def test_an_answer_is_not_much_longer_than_its_clause() -> None:
    bench = Bench()
    bench.summarize(f"{FEE} {'Whatever ' * 100}.", "full")
    assert bench.engine.limits == [len(FEE.split()) + 8, 80]


def test_a_cut_answer_is_replaced_by_the_clause() -> None:
    bench = Bench()
    bench.reason = "length"
    assert [point["quoted"] for point in bench.summarize(DOCUMENT, "full").points] == [True] * 5


def test_points_beyond_the_length_are_left_out() -> None:
    summary = Bench().summarize(DOCUMENT, "full", max_tokens=15)
    assert 0 < sum(len(text.split()) for text in texts(summary)) <= 15
    assert summary.finish_reason == "length"


def test_a_chunk_becomes_a_point_a_line() -> None:
    bench = Bench("chunks")
    bench.answer = lambda prompt: f"- {FEE}\n- Cats are welcome in Peru.\n- {DATA}"
    summary = bench.summarize(DOCUMENT, "full")
    assert texts(summary) == [FEE, DATA]
    assert len(bench.engine.prompts) == 1
    assert bench.engine.limits == [400]


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_events_tell_the_progress_and_each_point(mode: Literal["fast", "full"]) -> None:
    bench = Bench()
    summary = bench.summarize(DOCUMENT, mode)
    progress = [event.data for event in bench.events if event.name == "progress"]
    assert progress == [{"instance": 3, "mode": mode, "done": i, "total": 5} for i in range(1, 6)]
    assert [event.data for event in bench.events if event.name == "bullet"] == [
        {"instance": 3, **point} for point in summary.points
    ]
    kinds = [event.name for event in bench.events]
    assert kinds == (["progress", "bullet"] * 5 if mode == "fast" else ["progress"] * 5 + ["bullet"] * 5)


def test_only_a_few_prompts_wait_in_the_engine() -> None:
    bench = Bench(slots=2)
    ahead = []

    def answer(prompt: Prompt) -> str:
        ahead.append(len(bench.engine.prompts) - sum(event.name == "progress" for event in bench.events))
        return bench.model.passage(prompt)

    bench.answer = answer
    bench.summarize("You pay 9 euros. " * 50, "full")
    assert max(ahead) == 4


def test_nothing_is_read_once_the_job_is_stopped() -> None:
    bench = Bench()
    job = Job(time.monotonic() + 60)
    document = bench.summarizer.read(DOCUMENT, job)
    job.cancel()
    with pytest.raises(Stopped):
        bench.summarizer.read(DOCUMENT, job)
    bench.summarizer.summarize(document, "full", Sampling(100), job, instance=0)
    assert all(stopped() for stopped in bench.engine.stopped)


def test_a_failure_abandons_the_other_passages() -> None:
    bench = Bench(slots=4)
    bench.engine.submit(Prompt([1]), Sampling(1), threading.Event().is_set, None)

    def fail(event: Event) -> None:
        raise RuntimeError("the client is gone")

    job = Job(time.monotonic() + 60, fail)
    document = bench.summarizer.read(DOCUMENT, job)
    with pytest.raises(RuntimeError, match="the client is gone"):
        bench.summarizer.summarize(document, "full", Sampling(100), job, instance=0)
    assert [stopped() for stopped in bench.engine.stopped] == [False, *[True] * 5]


@pytest.mark.parametrize(("seconds", "mode"), [(1000.0, "full"), (0.5, "fast")])
def test_auto_goes_by_the_time_that_the_engine_needs(seconds: float, mode: Mode) -> None:
    bench = Bench()
    bench.engine.usage.decode_seconds, bench.engine.usage.tokens = 10.0, 1000
    job = Job(time.monotonic() + seconds)
    assert bench.summarizer.choose_mode(bench.summarizer.read(DOCUMENT, job), job) == mode


def test_too_many_clauses_are_refused() -> None:
    bench = Bench()
    with pytest.raises(TooLarge, match="30000 sentences; at most 25000 are allowed"):
        bench.summarizer.read("- a\n" * 30_000, Job(time.monotonic() + 60))


def test_the_context_must_hold_the_instructions_and_an_answer() -> None:
    with pytest.raises(ValueError, match="need a context of at least"):
        Bench(context_tokens=80)
