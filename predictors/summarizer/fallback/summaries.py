"""Summaries without the model: the pipeline is the same, and so are its checks. For threads; it may take seconds."""

from collections.abc import Sequence
from typing import Literal

from predictors.serving.model.standby import Outcome, StandbyFailed
from predictors.serving.model.types import Event, Job, Limits, Outputs, TextBatch
from predictors.summarizer.fallback.engines import RemoteEngine, SilentEngine
from predictors.summarizer.fallback.masked_text import MaskedText
from predictors.summarizer.fallback.passages import TextTokens
from predictors.summarizer.fallback.placeholders import Find, Mask
from predictors.summarizer.inputs import read_inputs
from predictors.summarizer.outputs import summary_outputs
from predictors.summarizer.parameters import SummaryParameters
from predictors.summarizer.settings import SummarizerSettings
from predictors.summarizer.summarize import ReadingSettings, Summarizer, Wish
from predictors.summarizer.tuning import Tuning

# What is sent of a document at a time, with the instructions and the answer; tokens as `TextTokens` counts them.
_CONTEXT_TOKENS = 2048
# Twice as many passages of a document are asked about ahead; how many go at once, the endpoint's client bounds.
_SLOTS = 2
# Of all documents of a request together: to search one for personal data takes a second, and to read it whole, some
# dozen requests of the budget.
_MOST_CHARS = 100_000


class Summaries:
    """Summarizes documents.

    Args:
        settings: how they are read.
        limits: of their texts.
        find: finds personal data.
    """

    def __init__(self, settings: SummarizerSettings, limits: Limits, find: Find) -> None:
        self._settings = settings
        self._limits = limits
        self._find = find

    def of_clauses(self, batch: TextBatch, parameters: SummaryParameters, job: Job) -> Outputs:
        """Points are clauses, which nobody has shortened.

        Raises:
            Stopped: the job was stopped.
            InvalidInput, TooLarge: a document cannot be read.
        """
        texts = self._texts(batch, parameters, job)
        summarizer = Summarizer(TextTokens(), SilentEngine(), self._how("clauses"))
        return summary_outputs(texts, parameters, summarizer.summarize_all(texts, _wish(parameters), job))

    def of_chunks(self, batch: TextBatch, parameters: SummaryParameters, job: Job, engine: RemoteEngine) -> Outputs:
        """Points are the endpoint's, as far as the document says them.

        Raises:
            Stopped: the job was stopped.
            InvalidInput, TooLarge: a document cannot be read.
            StandbyFailed: the endpoint gives no answer, or the documents are too long to be sent.
        """
        texts = self._texts(batch, parameters, job)
        if sum(map(len, texts)) > _MOST_CHARS:
            raise StandbyFailed(Outcome.UNFIT)
        mask = Mask(self._find, texts)
        masked = [MaskedText(mask, text) for text in texts]
        hidden = [each.text for each in masked]
        engine.prepare(Mask(self._find, hidden))
        summarizer = Summarizer(TextTokens(), engine, self._how("chunks"))
        summaries = []
        for each, summary in zip(
            masked, summarizer.summarize_all(hidden, _wish(parameters), _RestoringJob(job, masked)), strict=True
        ):
            summary.points = [each.restored(point) for point in summary.points]
            summaries.append(summary)
        engine.require_an_answer()
        return summary_outputs(texts, parameters, summaries)

    def _texts(self, batch: TextBatch, parameters: SummaryParameters, job: Job) -> list[str]:
        return read_inputs(batch.texts, parameters.content_type, self._limits.max_text_chars, job)

    def _how(self, reading: Literal["clauses", "chunks"]) -> ReadingSettings:
        return ReadingSettings(
            tuning=Tuning(reading=reading),
            context_tokens=_CONTEXT_TOKENS,
            fast_tokens=self._settings.fast_tokens,
            unsupported=self._settings.unsupported,
            slots=_SLOTS,
        )


class _RestoringJob(Job):
    """A job whose points are told with what was hidden."""

    __slots__ = ("_job", "_masked")

    def __init__(self, job: Job, masked: Sequence[MaskedText]) -> None:
        super().__init__(job.deadline, None if job.emit is None else self._tell)
        self._job = job
        self._masked = masked

    def _tell(self, event: Event) -> None:
        if "citations" in event.data:
            event = Event(event.name, self._masked[event.data["instance"]].restored(event.data))
        if self._job.emit is not None:
            self._job.emit(event)

    def stopped(self) -> bool:
        return self._job.stopped()


def _wish(parameters: SummaryParameters) -> Wish:
    return Wish(mode=parameters.mode, most_tokens=parameters.max_tokens, sampling=parameters.sampling(max_tokens=1))
