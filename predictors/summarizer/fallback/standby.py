"""Answers in the summarizer's place.

- A chat goes to the endpoint, without the personal data that is recognized.
- A summary of clauses asks nobody: its points are the document's own words, chosen by rules, and the model would only
  have left asides out. So of such a document nothing leaves.
- A summary of chunks sends them as they would be sent to the model. What comes back is checked against the document as
  the model's own points are.
- Completions, and answers that must follow a JSON schema, are not handed over: few endpoints have the ones, and none
  enforces all that is promised of the others.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import Any, Literal, TypeVar

from predictors.serving.model.standby import Outcome, Reason, Standby, StandbyFailed
from predictors.serving.model.types import Batch, Event, Job, Limits, Outputs, PromptBatch, TextBatch
from predictors.summarizer.allowance import Allowance
from predictors.summarizer.engine.types import Generation, Stopped
from predictors.summarizer.fallback.endpoint import Ask, Endpoint, Messages
from predictors.summarizer.fallback.engines import RemoteEngine
from predictors.summarizer.fallback.placeholders import Mask, Unmasking
from predictors.summarizer.fallback.recognizers import Recognizers
from predictors.summarizer.fallback.settings import FallbackSettings
from predictors.summarizer.fallback.summaries import Summaries
from predictors.summarizer.outputs import answer_outputs
from predictors.summarizer.parameters import PromptParameters, SummaryParameters, parse_parameters
from predictors.summarizer.settings import SummarizerSettings
from predictors.summarizer.text.digest import CHARS_PER_TOKEN

T = TypeVar("T")

logger = logging.getLogger(__name__)

# What leaves, by how documents are read.
_SENT = {
    "clauses": "chats",
    "chunks": "chats and documents",
    "auto": "chats, and documents that are read in chunks,",
}
# Parameters of a chat that other endpoints have too; they get those that the caller gave.
_OPTIONS = ("temperature", "top_p", "seed")


class SummarizerStandby(Standby):
    """The endpoint, and what can be done without it. Takes seconds to make.

    Args:
        name: the model's.
        fallback: where the endpoint is, and how much may be asked.
        settings: how documents are read.
        limits: of documents.
        reading: how the model reads documents, as far as it is known.

    Raises:
        StartupError: Presidio is not installed, or the key cannot be read.
    """

    def __init__(
        self,
        name: str,
        fallback: FallbackSettings,
        settings: SummarizerSettings,
        limits: Limits,
        reading: Callable[[], Literal["clauses", "chunks"]],
    ) -> None:
        super().__init__()
        self._settings = settings
        self._reading = reading
        self._most_answer_tokens = fallback.fallback_max_answer_tokens
        self._recognizers = Recognizers()
        self._summaries = Summaries(settings, limits, self._recognizers.find)
        self._endpoint = Endpoint(fallback)
        self._most_running = fallback.fallback_max_concurrent
        self._running = 0
        self._abandoned: set[Future[Any]] = set()  # work whose caller has gone, and which still has its thread
        self._executor = ThreadPoolExecutor(self._most_running, thread_name_prefix=f"fallback-{name}")
        model = self._recognizers.language_model
        logger.warning(
            "fallback: while %s cannot answer, %s go to %s, without personal data that is recognized; %s",
            name, _SENT[settings.reading], fallback.fallback_url,
            f"names of people by {model}" if model
            else "names of people are not recognized, since no English language model for spaCy is installed",
        )  # fmt: skip

    def unable(self) -> Outcome | None:
        """Why it cannot answer anything now."""
        if self._is_busy:
            return Outcome.BUSY
        return self._endpoint.unable() if self._sends_documents else None

    @property
    def _is_busy(self) -> bool:
        return self._running + len(self._abandoned) >= self._most_running

    @property
    def _sends_documents(self) -> bool:
        return (self._reading() if self._settings.reading == "auto" else self._settings.reading) == "chunks"

    async def answer(self, batch: Batch, job: Job, reason: Reason) -> Outputs:
        """Answer a chat, or summarize documents."""
        if self._is_busy:
            raise StandbyFailed(Outcome.BUSY)
        self._running += 1
        try:
            if isinstance(batch, PromptBatch):
                return await self._chat(batch, job)
            if isinstance(batch, TextBatch):
                return await self._summarize(batch, job, reason)
            raise StandbyFailed(Outcome.UNFIT)
        except Stopped:
            raise StandbyFailed(Outcome.LATE) from None
        finally:
            self._running -= 1

    async def _chat(self, batch: PromptBatch, job: Job) -> Outputs:
        parameters = parse_parameters(PromptParameters, batch.parameters)
        characters = sum(len(content) for _, content in batch.messages)
        too_long = characters > self._settings.context_tokens * CHARS_PER_TOKEN
        if not batch.messages or parameters.json_schema is not None or too_long:
            raise StandbyFailed(Outcome.UNFIT)
        self._require_endpoint()
        begun = time.monotonic()
        mask = Mask(self._recognizers.find, [*(content for _, content in batch.messages), *parameters.stop])
        options = {name: getattr(parameters, name) for name in _OPTIONS if name in batch.parameters}

        def hide() -> Messages:
            if parameters.stop:
                options["stop"] = [mask.hide(text) for text in parameters.stop]
            return [(role, mask.hide(content)) for role, content in batch.messages]

        chat = await self._on_thread(hide)
        told = _Told(Unmasking(mask), job)
        max_tokens = parameters.max_tokens or self._most_answer_tokens
        generation = await self._endpoint.complete(Ask(chat, max_tokens, options, _end(job)), told.add)
        told.finish()
        return answer_outputs(replace(generation, text=told.text), time.monotonic() - begun)

    async def _summarize(self, batch: TextBatch, job: Job, reason: Reason) -> Outputs:
        parameters = parse_parameters(SummaryParameters, batch.parameters)
        if not self._sends_documents:
            if reason is Reason.SLOW:  # the model's own summary is there at the deadline too
                raise StandbyFailed(Outcome.UNFIT)
            return await self._on_thread(lambda: self._summaries.of_clauses(batch, parameters, job))
        self._require_endpoint()
        if parameters.mode == "auto":  # each part of the document is a request of the budget
            parameters = parameters.model_copy(update={"mode": "fast"})
        engine = RemoteEngine(lambda chat, tokens: self._ask(chat, tokens, job), asyncio.get_running_loop())
        try:
            return await self._on_thread(lambda: self._summaries.of_chunks(batch, parameters, job, engine))
        finally:
            engine.close()

    def _ask(self, chat: Messages, max_tokens: int, job: Job) -> Coroutine[Any, Any, Generation]:
        return self._endpoint.complete(Ask(chat, max_tokens, {}, _end(job)), lambda text: None)

    def _require_endpoint(self) -> None:
        outcome = self._endpoint.unable()
        if outcome is not None:
            raise StandbyFailed(outcome)

    async def _on_thread(self, work: Callable[[], T]) -> T:
        future = self._executor.submit(copy_context().run, work)  # what it logs names the request's trace
        try:
            return await asyncio.wrap_future(future)
        finally:
            if not future.done():  # nothing interrupts a thread
                self._abandoned.add(future)
                future.add_done_callback(self._abandoned.discard)

    async def close(self) -> None:
        """End the threads once they are idle, and close the connections."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        await self._endpoint.close()


def _end(job: Job) -> float:
    """When an answer has to be complete to leave before the deadline."""
    return time.monotonic() + Allowance(job).left


class _Told:
    """The text of an answer as the caller gets it."""

    def __init__(self, unmasking: Unmasking, job: Job) -> None:
        self.text = ""
        self._unmasking = unmasking
        self._job = job

    def add(self, text: str) -> None:
        self._tell(self._unmasking.feed(text))

    def finish(self) -> None:
        self._tell(self._unmasking.finish())

    def _tell(self, text: str) -> None:
        self.text += text
        if text and self._job.emit is not None:
            self._job.emit(Event("text", {"text": text}))
