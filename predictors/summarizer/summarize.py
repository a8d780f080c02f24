"""Documents of any length → summaries whose every point names its source.

A reader plans what to say and what to ask. The questions about a document go through the engine at once and share the
part of the prompt before them. At the deadline, a summary is what was found until then.
"""

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeAlias

from predictors.serving.model.types import Event, Job
from predictors.summarizer.allowance import Allowance
from predictors.summarizer.engine.slots import Usage
from predictors.summarizer.engine.types import Generation, Prompt, Sampling, Stopped
from predictors.summarizer.prompts import Tokenizer
from predictors.summarizer.questions import Plan, Question
from predictors.summarizer.readers import new_reader
from predictors.summarizer.summary import Summary
from predictors.summarizer.text.bullets import Bullet, Unsupported
from predictors.summarizer.text.digest import CHARS_PER_TOKEN, Mode
from predictors.summarizer.text.document import Document
from predictors.summarizer.tuning import Tuning

AnyMode: TypeAlias = Literal["auto", "fast", "full"]

# The share of the remaining time that ``auto`` gives ``full``.
_SHARE_OF_TIME = 0.5
# Prompts of one document that wait in the engine at once, per slot: enough to keep it busy.
_AHEAD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSettings:
    """How documents are read.

    Args:
        tuning: what the model reads at a time, and its own prompt.
        context_tokens: maximum length of a prompt and its answer together.
        fast_tokens: how much of a document ``fast`` reads in chunks.
        unsupported: what happens to a point that its source does not support.
        slots: maximum number of answers in progress.
    """

    tuning: Tuning
    context_tokens: int
    fast_tokens: int
    unsupported: Unsupported
    slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a summary should be like.

    Args:
        mode: how much of a document is considered; ``auto``: ``full`` if there is time.
        most_tokens: of the summary; None for what suits the length of the document.
        sampling: how the model writes.
    """

    mode: AnyMode
    most_tokens: int | None
    sampling: Sampling


class Engine(Protocol):
    """What generates answers; see `Scheduler`."""

    @property
    def usage(self) -> Usage:
        """How much it has done."""
        ...

    def submit(
        self, prompt: Prompt, sampling: Sampling, stopped: Callable[[], bool], flow: object = None
    ) -> "Future[Generation]":
        """Queue a prompt."""
        ...


class ContextTooSmall(ValueError):
    """The context has no room for the instructions and an answer."""


class Summarizer:
    """Summarizes with one model.

    Args:
        model: tokenizes.
        scheduler: generates.
        settings: how to read.

    Raises:
        ContextTooSmall: the context has no room for the instructions and an answer.
        ValueError: the chat template does not accept the prompt's roles.
    """

    def __init__(self, model: Tokenizer, scheduler: Engine, settings: ReadingSettings) -> None:
        self._model = model
        self._scheduler = scheduler
        self._settings = settings
        self._reader = new_reader(model, settings.tuning, settings.unsupported, settings.fast_tokens)
        reserved = self._reader.prompts.overhead + self._reader.answer_tokens
        self._window = settings.context_tokens - reserved
        if self._window < 1:
            raise ContextTooSmall(f"the instructions and an answer need a context of at least {reserved + 1} tokens")
        if settings.tuning.chunk_tokens is not None:
            self._window = min(self._window, settings.tuning.chunk_tokens)

    def summarize_all(self, texts: Sequence[str], wish: Wish, job: Job) -> Iterator[Summary]:
        """Summarize documents, one after another; each has an equal share of the time that is left.

        Raises:
            TooLarge, Stopped: see `summarize`.
        """
        for instance, text in enumerate(texts):
            allowance = Allowance(job, len(texts) - instance)
            yield self.summarize(text, wish, job, allowance, instance=instance)

    def summarize(self, text: str, wish: Wish, job: Job, allowance: Allowance, *, instance: int) -> Summary:
        """Summarize a document.

        Args:
            text: the document.
            wish: what the summary should be like.
            job: says whether to stop, and receives each point as an event.
            allowance: the time that there is.
            instance: the document's place in the request, for those events.

        Raises:
            TooLarge: too many clauses.
            Stopped: the job was stopped.
        """
        document = self._read(text, job, allowance)
        before = allowance.left
        mode, plan = self._plan(document, wish, allowance)
        allowance.keep(before - allowance.left)  # to give the points takes no longer than to choose them
        summary = Summary(mode)
        events = _Events(job, document, instance)
        missed = document.unread
        with contextlib.closing(self._answers(plan.questions, wish.sampling, job, allowance)) as answers:
            for done, (question, generation) in enumerate(answers, 1):
                if generation is not None:
                    summary.count(generation)
                elif question.asks:
                    missed += document.characters(question.clauses)
                events.progress(mode, done, len(plan.questions))
                events.bullets(plan.points.add(question.bullets(generation)))
        events.bullets(plan.points.finish())
        summary.take(plan.points.kept, document)
        if missed:
            summary.finish_reason, summary.read = "deadline", 1 - missed / (document.size + document.unread)
        elif wish.most_tokens is not None and (plan.left_out or plan.points.left_out):
            summary.finish_reason = "length"
        return summary

    def _read(self, text: str, job: Job, allowance: Allowance) -> Document:
        """Split a document, as much of it as there is time for."""

        def goes_on() -> bool:
            if job.stopped():
                raise Stopped
            return allowance.may_read

        return Document(text, self._model.tokenize, self._window, goes_on)

    def _plan(self, document: Document, wish: Wish, allowance: Allowance) -> tuple[Mode, Plan]:
        """``auto`` is ``full`` if a part of the time is enough for it, judged by how fast the engine has been."""
        if wish.mode != "auto":
            return wish.mode, self._plan_in(wish.mode, document, wish)
        plan = self._plan_in("full", document, wish)
        if self._seconds(document, plan) <= _SHARE_OF_TIME * allowance.left:
            return "full", plan
        return "fast", self._plan_in("fast", document, wish)

    def _plan_in(self, mode: Mode, document: Document, wish: Wish) -> Plan:
        return self._reader.plan(document, mode, wish.most_tokens, self._window)

    def _seconds(self, document: Document, plan: Plan) -> float:
        """How long the engine will take for the questions of a plan."""
        asked = [
            document.characters(question.clauses) / CHARS_PER_TOKEN for question in plan.questions if question.asks
        ]
        written = sum(min(tokens, self._reader.answer_tokens) for tokens in asked)
        usage = self._scheduler.usage
        return (sum(asked) + written) * usage.decode_seconds / max(usage.tokens, 1)

    def _answers(
        self, questions: Sequence[Question], sampling: Sampling, job: Job, allowance: Allowance
    ) -> Generator[tuple[Question, Generation | None], None, None]:
        """Ask the model; yields its answers in order, or none where it is not asked or the time is over.

        Closing it abandons unfinished answers.
        """
        closed = threading.Event()
        waiting: dict[int, Future[Generation]] = {}
        asked = iter([place for place, question in enumerate(questions) if question.asks])
        try:
            for place, question in enumerate(questions):
                while len(waiting) < _AHEAD * self._settings.slots and (following := next(asked, None)) is not None:
                    waiting[following] = self._submit(questions[following].tokens(), sampling, job, closed)
                yield question, self._result(waiting.pop(place, None), allowance, closed)
        finally:
            closed.set()

    def _result(
        self, future: "Future[Generation] | None", allowance: Allowance, closed: threading.Event
    ) -> Generation | None:
        if future is None or closed.is_set():
            return None
        try:
            return future.result(allowance.left)
        except TimeoutError:
            closed.set()
            return None

    def _submit(
        self, passage: Sequence[int], sampling: Sampling, job: Job, closed: threading.Event
    ) -> "Future[Generation]":
        prompt = self._reader.prompts.prompt(passage)
        limited = replace(sampling, max_tokens=self._reader.most_written(len(passage)))
        # The event is the document's own, so it also groups the document's prompts in the engine's queue.
        return self._scheduler.submit(prompt, limited, lambda: closed.is_set() or job.stopped(), closed)


class _Events:
    """Sends the events of one document to the caller, if it streams.

    Args:
        job: receives them.
        document: the document.
        instance: its place in the request.
    """

    def __init__(self, job: Job, document: Document, instance: int) -> None:
        self._emit = job.emit
        self._document = document
        self._instance = instance

    def progress(self, mode: Mode, done: int, total: int) -> None:
        """How many passages were read."""
        self._send("progress", {"mode": mode, "done": done, "total": total})

    def bullets(self, bullets: Sequence[Bullet]) -> None:
        """Points of the summary."""
        for bullet in bullets:
            self._send("bullet", bullet.as_json(self._document))

    def _send(self, name: str, data: dict[str, Any]) -> None:
        if self._emit is not None:
            self._emit(Event(name, {"instance": self._instance, **data}))
