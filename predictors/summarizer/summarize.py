"""Documents of any length → summaries whose every point names its source.

All passages of a document go through the engine at once and share the part of the prompt before them (map).
Each answer is checked against its source, and the best points are kept, up to the length of the summary (reduce).
``full`` reads all clauses; ``fast`` only those that matter most, up to a number of tokens.
"""

import contextlib
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from predictors.serving.model.types import Event, Job
from predictors.summarizer.engine.scheduler import Scheduler
from predictors.summarizer.engine.types import Generation, Sampling, Stopped
from predictors.summarizer.prompts import Tokenizer
from predictors.summarizer.readers import Reading, new_reader
from predictors.summarizer.summary import Mode, Summary
from predictors.summarizer.text.bullets import Bullet, Unsupported
from predictors.summarizer.text.document import Document
from predictors.summarizer.text.points import BestPoints, FirstPoints, Points
from predictors.summarizer.text.selection import select

# A summary is at most this share of its document, but may always have this many tokens.
_LARGEST_SHARE, _ALWAYS_ALLOWED = 0.5, 120
# The share of the remaining time that ``auto`` gives ``full``.
_SHARE_OF_TIME = 0.5
# Prompts of one document that wait in the engine at once, per slot: enough to keep it busy.
_AHEAD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSettings:
    """How documents are read.

    Args:
        reading: what the model reads at a time.
        context_tokens: maximum length of a prompt and its answer together.
        fast_tokens: how much of a document ``fast`` reads.
        unsupported: what happens to a point that its source does not support.
        slots: maximum number of answers in progress.
    """

    reading: Reading
    context_tokens: int
    fast_tokens: int
    unsupported: Unsupported
    slots: int


class Summarizer:
    """Summarizes with one model.

    Args:
        model: tokenizes.
        scheduler: generates.
        settings: how to read.

    Raises:
        ValueError: the context has no room for the instructions and an answer.
    """

    def __init__(self, model: Tokenizer, scheduler: Scheduler, settings: ReadingSettings) -> None:
        self._model = model
        self._scheduler = scheduler
        self._settings = settings
        self._reader = new_reader(settings.reading, model, settings.unsupported)
        reserved = self._reader.prompts.overhead + self._reader.answer_tokens
        self._window = settings.context_tokens - reserved
        if self._window < 1:
            raise ValueError(f"the instructions and an answer need a context of at least {reserved + 1} tokens")

    def read(self, text: str, job: Job) -> Document:
        """Split a document.

        Raises:
            TooLarge: too many clauses.
            Stopped: the job was stopped.
        """

        def tokenize(text: str) -> list[int]:
            if job.stopped():
                raise Stopped
            return self._model.tokenize(text)

        return Document(text, tokenize, self._window)

    def choose_mode(self, document: Document, job: Job) -> Mode:
        """``full`` if half of the remaining time is enough for it, judged by how fast the engine has been."""
        usage = self._scheduler.usage
        read = sum(len(document.tokens[i]) for i in document.body)
        passages = self._reader.passages(document, document.body, self._window)
        written = min(self._reader.answer_tokens * len(passages), read)
        seconds = (read + written) * usage.decode_seconds / max(usage.tokens, 1)
        return "full" if seconds <= _SHARE_OF_TIME * (job.deadline - time.monotonic()) else "fast"

    def summarize(self, document: Document, mode: Mode, sampling: Sampling, job: Job, *, instance: int) -> Summary:
        """Summarize a document.

        Args:
            document: from `read`.
            mode: how much of it the model reads.
            sampling: how the model writes; its ``max_tokens`` are the summary's.
            job: says whether to stop, and receives each point as an event.
            instance: the document's place in the request, for those events.

        Raises:
            Stopped: the job was stopped.
        """
        summary = Summary(mode)
        budget = min(sampling.max_tokens, self._most_tokens(document))
        chosen = document.body if mode == "full" else self._most_salient(document, budget)
        passages = self._reader.passages(document, chosen, self._window)
        points = self._points(document, mode, budget)
        events = _Events(job, document, instance)
        with contextlib.closing(self._generate(document, passages, sampling, job)) as generations:
            for done, (passage, generation) in enumerate(generations, 1):
                summary.count(generation)
                events.progress(mode, done, len(passages))
                events.bullets(points.add(self._reader.bullets(document, passage, generation)))
        events.bullets(points.finish())
        summary.points = [bullet.as_json(document) for bullet in points.kept]
        summary.finish_reason = "length" if points.left_out else "stop"
        return summary

    def _most_tokens(self, document: Document) -> int:
        return max(_ALWAYS_ALLOWED, int(_LARGEST_SHARE * sum(map(len, document.tokens))))

    def _most_salient(self, document: Document, budget: int) -> list[int]:
        """The clauses that ``fast`` reads."""
        clauses = document.body
        scores = [document.salience[i] for i in clauses]
        counts = [len(document.tokens[i]) for i in clauses]
        limit = self._settings.fast_tokens
        # If each clause becomes a point of its own length, more clauses than fit the summary are not needed.
        limit = min(limit, budget) if self._reader.one_to_one else limit
        chosen = select(scores, counts, [document.sentences[i] for i in clauses], limit)
        if not chosen and clauses:  # none fits
            chosen = [max(range(len(clauses)), key=scores.__getitem__)]
        return [clauses[place] for place in chosen]

    def _points(self, document: Document, mode: Mode, budget: int) -> Points:
        def count(text: str) -> int:
            return len(self._model.tokenize(text))

        # What `fast` reads one to one is within the budget already, so points can be sent at once.
        if mode == "fast" and self._reader.one_to_one:
            return FirstPoints(count, budget)
        return BestPoints(document, count, budget)

    def _generate(
        self, document: Document, passages: Sequence[Sequence[int]], sampling: Sampling, job: Job
    ) -> Generator[tuple[Sequence[int], Generation], None, None]:
        """Have the model write about each passage; yields the answers in order. Closing it abandons unfinished ones."""
        closed = threading.Event()
        waiting: list[Future[Generation]] = []
        submitted = 0
        try:
            for passage in passages:
                while submitted < len(passages) and len(waiting) < _AHEAD * self._settings.slots:
                    tokens = [token for i in passages[submitted] for token in document.tokens[i]]
                    waiting.append(self._submit(tokens, sampling, job, closed))
                    submitted += 1
                yield passage, waiting.pop(0).result()
        finally:
            closed.set()

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
