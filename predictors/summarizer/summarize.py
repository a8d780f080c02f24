"""Documents of any length → summaries whose every point names its source.

What the model reads at a time depends on the model (``reading``). A small one (under about a billion parameters) loses
the thread of a page, but can say one sentence in other words: it reads *clauses*, one at a time, and what matters is
decided by `salience`. A larger one reads *chunks*, as much as its context holds, and decides itself.

Both ways are map and reduce: all passages go through the engine at once, and share what stands before them in the
prompt; then the points are checked against their source, and the best are kept, up to the length of the answer. The
reduction chooses and rewrites nothing. So it invents nothing, keeps citations exact, and needs one level, however many
chunks there are.

``full`` reads all clauses; ``fast`` only those that matter the most, up to a number of tokens.
"""

import contextlib
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from predictors.serving.model.types import Event, Job
from predictors.summarizer.text.bullets import Bullet, Unsupported, check_chunk, check_clause
from predictors.summarizer.text.chunks import pack
from predictors.summarizer.text.document import Document
from predictors.summarizer.engine.types import FinishReason, Generation, Sampling, Stopped
from predictors.summarizer.llama.model import LlamaModel
from predictors.summarizer.prompts import chunk_prompts, clause_prompts
from predictors.summarizer.text.salience import select
from predictors.summarizer.engine.scheduler import Scheduler

Mode = Literal["full", "fast"]
Reading = Literal["clauses", "chunks"]

# Models below this many parameters read clauses.
SMALL_MODEL_PARAMETERS = 1_000_000_000
# A summary is at most this share of its document, but may always have this many tokens.
_LARGEST_SHARE, _ALWAYS_ALLOWED = 0.5, 120
# Most tokens that the model may write about a clause, and about a chunk.
_CLAUSE_ANSWER_TOKENS, _CHUNK_ANSWER_TOKENS = 80, 400
# The share of the time left that ``auto`` gives ``full``.
_SHARE_OF_TIME = 0.5
# Prompts of one document that wait in the engine at once, per slot: enough to keep it busy.
_AHEAD = 2


@dataclass(slots=True)
class Summary:
    """A summary, and what it cost.

    Args:
        mode: how it was made.
        points: the bullets as answers show them.
    """

    mode: Mode
    points: list[dict[str, Any]] = field(default_factory=list)
    finish_reason: FinishReason = "stop"
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds_to_first_token: float = 0.0

    @property
    def text(self) -> str:
        """The bullets as text."""
        return "\n".join(f"- {point['text']}" for point in self.points)

    def count(self, generation: Generation) -> None:
        """Add what a passage cost."""
        self.prompt_tokens += generation.prompt_tokens
        self.cached_tokens += generation.cached_tokens
        self.completion_tokens += generation.completion_tokens
        first = self.seconds_to_first_token
        self.seconds_to_first_token = min(first or generation.seconds_to_first_token, generation.seconds_to_first_token)


class Summarizer:
    """Summarizes with one model.

    Args:
        model: tokenizes.
        scheduler: generates.
        reading: what the model reads at a time.
        context_tokens: of prompt and answer together.
        fast_tokens: how much of a document ``fast`` reads.
        unsupported: what becomes of a point that its source does not support.
        slots: most answers under way at once.
    """

    def __init__(
        self,
        model: LlamaModel,
        scheduler: Scheduler,
        reading: Reading,
        context_tokens: int,
        fast_tokens: int,
        unsupported: Unsupported,
        slots: int,
    ) -> None:
        self._model = model
        self._scheduler = scheduler
        self._clauses = reading == "clauses"
        self._prompts = clause_prompts(model) if self._clauses else chunk_prompts(model)
        self._answer_tokens = _CLAUSE_ANSWER_TOKENS if self._clauses else _CHUNK_ANSWER_TOKENS
        self._window = context_tokens - self._prompts.overhead - self._answer_tokens
        self._fast_tokens = fast_tokens
        self._unsupported: Unsupported = unsupported
        self._ahead = _AHEAD * slots
        if self._window < 1:
            needed = self._prompts.overhead + self._answer_tokens + 1
            raise ValueError(f"the instructions and an answer need a context of at least {needed} tokens")

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
        """``full`` if it can be done in half of the time that is left, judged by how fast the engine has been."""
        usage = self._scheduler.usage
        read = sum(len(document.tokens[i]) for i in document.body)
        written = min(self._answer_tokens * len(self._passages(document, document.body)), read)
        seconds = (read + written) * usage.decode_seconds / max(usage.tokens, 1)
        return "full" if seconds <= _SHARE_OF_TIME * (job.deadline - time.monotonic()) else "fast"

    def summarize(
        self, document: Document, mode: Mode, max_tokens: int, sampling: Sampling, job: Job, instance: int
    ) -> Summary:
        """Summarize a document.

        Args:
            document: from `read`.
            mode: how much of it the model reads.
            max_tokens: most tokens of the summary.
            sampling: how the model writes; its ``max_tokens`` is not used.
            job: is asked whether to stop, and given each point as an event.
            instance: the document's place in the request, for those events.

        Raises:
            Stopped: the job was stopped.
        """
        summary = Summary(mode)
        total = sum(map(len, document.tokens))
        budget = min(max_tokens, max(_ALWAYS_ALLOWED, int(_LARGEST_SHARE * total)))
        chosen = document.body
        if mode == "fast":
            most = min(self._fast_tokens, budget) if self._clauses else self._fast_tokens
            chosen = self._most_salient(document, chosen, most)
        passages = self._passages(document, chosen)
        # What fast reads in clauses is within the answer's length already, so points can be sent at once.
        at_once = mode == "fast" and self._clauses
        found: list[Bullet] = []
        with contextlib.closing(self._generate(document, passages, sampling, job)) as generations:
            for done, (passage, generation) in enumerate(generations, 1):
                summary.count(generation)
                new = self._check(document, passage, generation)
                _emit(job, "progress", {"instance": instance, "mode": mode, "done": done, "total": len(passages)})
                if at_once:
                    new = self._reduce(document, found + new, budget)[len(found) :]
                    _emit_bullets(job, instance, [bullet.as_json(document) for bullet in new])
                found += new
        bullets = found if at_once else self._reduce(document, found, budget)
        if len(bullets) < len({bullet.text for bullet in found}):
            summary.finish_reason = "length"
        summary.points = [bullet.as_json(document) for bullet in bullets]
        if not at_once:
            _emit_bullets(job, instance, summary.points)
        return summary

    def _most_salient(self, document: Document, clauses: Sequence[int], budget: int) -> list[int]:
        scores = [document.salience[i] for i in clauses]
        counts = [len(document.tokens[i]) for i in clauses]
        chosen = select(scores, counts, [document.sentences[i] for i in clauses], budget)
        if not chosen and clauses:  # not one fits
            chosen = [max(range(len(clauses)), key=scores.__getitem__)]
        return [clauses[place] for place in chosen]

    def _passages(self, document: Document, clauses: Sequence[int]) -> list[list[int]]:
        if self._clauses:
            return [[i] for i in clauses]
        counts = [len(document.tokens[i]) for i in clauses]
        sections = [document.clauses[i].section for i in clauses]
        return [[clauses[place] for place in chunk.clauses] for chunk in pack(counts, sections, self._window)]

    def _generate(
        self, document: Document, passages: Sequence[Sequence[int]], sampling: Sampling, job: Job
    ) -> Generator[tuple[Sequence[int], Generation], None, None]:
        """Have the model write about each passage; gives the answers in order. Closing it gives up those under way."""
        over = threading.Event()  # it also stands for the document in the engine's queue
        waiting: list[Future[Generation]] = []
        submitted = 0
        try:
            for passage in passages:
                while submitted < len(passages) and len(waiting) < self._ahead:
                    waiting.append(self._submit(document, passages[submitted], sampling, job, over))
                    submitted += 1
                yield passage, waiting.pop(0).result()
        finally:
            over.set()

    def _submit(
        self, document: Document, passage: Sequence[int], sampling: Sampling, job: Job, over: threading.Event
    ) -> "Future[Generation]":
        tokens = [token for i in passage for token in document.tokens[i]]
        longest = min(self._answer_tokens, len(tokens) + 8) if self._clauses else self._answer_tokens
        prompt = self._prompts.prompt(tokens)
        limited = replace(sampling, max_tokens=longest)
        return self._scheduler.submit(prompt, limited, lambda: over.is_set() or job.stopped(), over)

    def _check(self, document: Document, passage: Sequence[int], generation: Generation) -> list[Bullet]:
        if not self._clauses:
            return check_chunk(document, passage, generation.text, self._unsupported)
        answer = generation.text if generation.finish_reason == "stop" else ""  # what was cut says too little
        bullet = check_clause(document, passage[0], answer, self._unsupported)
        return [bullet] if bullet else []

    def _reduce(self, document: Document, bullets: Sequence[Bullet], budget: int) -> list[Bullet]:
        """Keep the best bullets, each once, in the order of the document, up to a number of tokens."""
        unique: dict[str, Bullet] = {}
        for bullet in bullets:
            unique.setdefault(bullet.text, bullet)
        bullets = list(unique.values())
        scores = [max(document.salience[i] for i in bullet.clauses) * bullet.support for bullet in bullets]
        counts = [len(self._model.tokenize(bullet.text)) for bullet in bullets]
        kept = select(scores, counts, [bullet.text for bullet in bullets], budget)
        if not kept and bullets:  # not one fits: the best, cut
            best = bullets[max(range(len(bullets)), key=scores.__getitem__)]
            return [replace(best, text=self._cut(best.text, budget))]
        return [bullets[place] for place in kept]

    def _cut(self, text: str, budget: int) -> str:
        while len(text) > 1 and len(self._model.tokenize(text)) > budget:
            text = text.rpartition(" ")[0] or text[:-1]
        return text


def _emit_bullets(job: Job, instance: int, points: Sequence[dict[str, Any]]) -> None:
    for point in points:
        _emit(job, "bullet", {"instance": instance, **point})


def _emit(job: Job, name: str, data: dict[str, Any]) -> None:
    if job.emit is not None:
        job.emit(Event(name, data))
