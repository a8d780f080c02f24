"""The summarizer's running parts put together: model, engine, summaries.

This is imported without llama-cpp-python; what needs it is imported when a model is loaded.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictors.serving.model.types import Job, PromptBatch
from predictors.summarizer.engine.cpu import usable_cpus
from predictors.serving.errors import ArtifactError, InvalidInput
from predictors.summarizer.engine.types import Generation, GrammarError, Prompt
from predictors.summarizer.llama.memory import fitting_tokens, memory_limit, memory_plan
from predictors.summarizer.parameters import PromptParameters, SummaryParameters
from predictors.summarizer.engine.scheduler import Scheduler
from predictors.summarizer.settings import SummarizerSettings

if TYPE_CHECKING:
    from predictors.summarizer.summarize import Summary

logger = logging.getLogger(__name__)

# Tokens in one step of the engine. Prompts are read about as fast as by 512; and a cancellation, or the next token of a
# running answer, waits for one step at the most.
BATCH_TOKENS = 128
# Sequences beside the slots', which keep beginnings of prompts that may come again.
KEPT_SEQUENCES = 2
# No token has more characters than this.
_MOST_TOKEN_CHARS = 256
_MIB = 2**20


class Runtime:
    """A model at work.

    Args:
        path: the GGUF file.
        name: what to call it in errors.
        settings: context, slots, threads and how to summarize.

    Raises:
        ArtifactError: it cannot be loaded, or does not fit the memory.
        ImportError: llama-cpp-python is not installed.
    """

    def __init__(self, path: Path, name: str, settings: SummarizerSettings) -> None:
        from predictors.summarizer.llama.gguf import read_shape
        from predictors.summarizer.llama.model import LlamaModel
        from predictors.summarizer.llama.decoder import LlamaDecoder
        from predictors.summarizer.summarize import SMALL_MODEL_PARAMETERS, Summarizer

        self._model: LlamaModel = LlamaModel(path, name)
        try:
            self.context_tokens = min(settings.context_tokens, self._model.trained_context)
            sequences = settings.slots + KEPT_SEQUENCES
            threads = settings.threads or usable_cpus()
            shape = read_shape(self._model.pointer, path)
            _check_memory(shape, self.context_tokens, sequences)
            decoder = LlamaDecoder(self._model, self.context_tokens, sequences, BATCH_TOKENS, threads)
        except BaseException:
            self._model.close()
            raise
        self.scheduler = Scheduler(decoder, settings.slots)
        reading = settings.reading
        if reading == "auto":
            reading = "clauses" if shape.parameters < SMALL_MODEL_PARAMETERS else "chunks"
        try:
            self._summarizer: Summarizer = Summarizer(
                self._model,
                self.scheduler,
                reading,
                self.context_tokens,
                settings.fast_tokens,
                settings.unsupported,
                settings.slots,
            )
        except ValueError as error:
            self.close()
            raise ArtifactError(f"--context_tokens {self.context_tokens} is too small: {error}") from None
        logger.info(
            "%s: %d slots of %d tokens, %d threads; documents are read in %s",
            name, settings.slots, self.context_tokens, threads, reading,
        )  # fmt: skip

    def count_tokens(self, text: str) -> int:
        """Tokens of a chat with one message."""
        return len(self._chat([("user", text)]))

    def summarize(self, text: str, parameters: SummaryParameters, job: Job, instance: int) -> "Summary":
        """Summarize a document.

        Raises:
            Stopped: the job was stopped.
        """
        document = self._summarizer.read(text, job)
        mode = parameters.mode if parameters.mode != "auto" else self._summarizer.choose_mode(document, job)
        sampling = parameters.sampling(parameters.max_tokens)
        return self._summarizer.summarize(document, mode, parameters.max_tokens, sampling, job, instance)

    def answer(
        self, batch: PromptBatch, parameters: PromptParameters, job: Job, on_text: Callable[[str], None] | None
    ) -> Generation:
        """Go on from a prompt.

        Raises:
            InvalidInput: it does not fit the context, or no grammar can be made of its schema.
            Stopped: the job was stopped.
        """
        characters = len(batch.text) + sum(len(content) for _, content in batch.messages)
        if characters > _MOST_TOKEN_CHARS * self.context_tokens:  # before time is spent on it
            raise InvalidInput(f"the prompt has {characters} characters, too many for {self.context_tokens} tokens")
        tokens = self._chat(batch.messages) if batch.messages else self._model.completion(batch.text)
        room = self.context_tokens - len(tokens)
        wanted = parameters.max_tokens or max(room, 1)
        if not tokens or wanted > room:
            raise InvalidInput(
                f"the prompt has {len(tokens)} tokens and max_tokens is {wanted}; together at least 1 and at most "
                f"{self.context_tokens} are allowed"
            )
        grammar = ""
        if parameters.json_schema is not None:
            from predictors.summarizer.llama.grammar import grammar_of

            grammar = grammar_of(parameters.json_schema)
        sampling = parameters.sampling(wanted, grammar)
        try:
            return self.scheduler.submit(Prompt(tokens, keep=-1), sampling, job.stopped, on_text=on_text).result()
        except GrammarError:
            raise InvalidInput("no answer can follow the JSON schema") from None

    def close(self) -> None:
        """Give up what is under way, and the memory."""
        self.scheduler.close()

    def _chat(self, messages: list[tuple[str, str]]) -> list[int]:
        from predictors.summarizer.llama.model import Message

        try:
            return self._model.chat([Message(role, content) for role, content in messages])
        except ValueError as error:
            raise InvalidInput(f"messages: {error}") from None


def _check_memory(shape: Any, context_tokens: int, sequences: int) -> None:
    plan, limit = memory_plan(shape, context_tokens, sequences, BATCH_TOKENS), memory_limit()
    logger.info(
        "memory: model %d MiB + KV cache %d MiB + compute %d MiB = %d MiB of %d MiB",
        plan.model_bytes // _MIB, plan.kv_bytes // _MIB, plan.compute_bytes // _MIB, plan.total_bytes // _MIB,
        limit // _MIB,
    )  # fmt: skip
    if plan.total_bytes > limit:
        fits = fitting_tokens(shape, limit, sequences, BATCH_TOKENS)
        what = f"--context_tokens {fits} would fit" if fits else "fewer --slots or a smaller model are needed"
        raise ArtifactError(
            f"a KV cache of {sequences} times {context_tokens} tokens makes {plan.total_bytes // _MIB} MiB in all, and "
            f"the memory limit is {limit // _MIB} MiB; {what}"
        )
