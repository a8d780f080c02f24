"""A loaded model: its file, the engine that runs it, and the summarizer that uses both.

All of this imports without llama-cpp-python, which is loaded with the first model.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from predictors.serving.errors import ArtifactError, InvalidInput
from predictors.serving.model.types import Job, PromptBatch
from predictors.summarizer.allowance import Allowance
from predictors.summarizer.engine.cpu import usable_cpus
from predictors.summarizer.engine.scheduler import Scheduler
from predictors.summarizer.engine.types import Generation, GrammarError, Prompt
from predictors.summarizer.llama.decoder import LlamaDecoder
from predictors.summarizer.llama.gguf import read_shape
from predictors.summarizer.llama.json_schema import JsonSchemas
from predictors.summarizer.llama.memory import (
    RUNTIME_BYTES,
    ModelShape,
    fitting_tokens,
    gpu_bytes,
    layers_on_gpu,
    memory_limit,
    memory_plan,
)
from predictors.summarizer.llama.model import LlamaModel, Message
from predictors.summarizer.parameters import PromptParameters, SummaryParameters
from predictors.summarizer.settings import SummarizerSettings
from predictors.summarizer.summarize import ContextTooSmall, ReadingSettings, Summarizer, Wish
from predictors.summarizer.summary import Summary
from predictors.summarizer.tuning import Tuning

logger = logging.getLogger(__name__)

# Tokens in one step of the engine. Prefill is about as fast as with 512, and a cancellation or the next token of
# another answer waits for at most one step.
BATCH_TOKENS = 128
# The same on a GPU, which reads larger batches faster: on an H100, with a model of 3 GB, 4 and 8 answers at once had
# 1.37 and 1.21 times the tokens/s that they have with 128 (tests/benchmarks/summarizer.py).
GPU_BATCH_TOKENS = 512
# Sequences of the KV cache besides the slots', for prefixes that later prompts may begin with.
KEPT_SEQUENCES = 2
# No token has more characters than this.
_MOST_TOKEN_CHARS = 256
_MIB = 2**20


class Runtime:
    """A loaded model.

    Args:
        path: the GGUF file.
        name: what to call it in errors.
        settings: context, slots, threads and how to summarize.
        tuning: the model's own prompt.

    Raises:
        ArtifactError: it cannot be loaded, does not fit into memory, its chat template does not go with its prompt, or
            llama-cpp-python is not installed.
    """

    def __init__(self, path: Path, name: str, settings: SummarizerSettings, tuning: Tuning) -> None:
        if not settings.gpu_layers:
            _check_weights(path, name)
        self._model = LlamaModel(path, name, tuning.chat_template, settings.gpu_layers)
        try:
            self._schemas = JsonSchemas(self._model)
            self.context_tokens = min(settings.context_tokens, self._model.trained_context)
            shape = read_shape(self._model.pointer, path)
            decoder = self._new_decoder(shape, settings)
        except BaseException:
            self._model.close()
            raise
        self.scheduler = Scheduler(decoder, settings.slots)
        self._summarizer = self._new_summarizer(settings, tuning)

    def _new_decoder(self, shape: ModelShape, settings: SummarizerSettings) -> LlamaDecoder:
        sequences = settings.slots + KEPT_SEQUENCES
        threads = settings.threads or usable_cpus()
        self.memory = _checked_memory(shape, settings.gpu_layers, self.context_tokens, sequences)
        batch = batch_tokens(settings.gpu_layers)
        decoder = LlamaDecoder(self._model, self.context_tokens, sequences, batch, threads)
        logger.info(
            "%s: %d slots of %d tokens, %d threads, %s", self._model.name, settings.slots, self.context_tokens, threads,
            f"{layers_on_gpu(shape, settings.gpu_layers)} of {shape.layers + 1} layers on a GPU",
        )  # fmt: skip
        return decoder

    def _new_summarizer(self, settings: SummarizerSettings, tuning: Tuning) -> Summarizer:
        logger.info("%s: documents are read in %s", self._model.name, tuning.reading)
        reading_settings = ReadingSettings(
            tuning=tuning,
            context_tokens=self.context_tokens,
            fast_tokens=settings.fast_tokens,
            unsupported=settings.unsupported,
            slots=settings.slots,
        )
        try:
            return Summarizer(self._model, self.scheduler, reading_settings)
        except ContextTooSmall as error:
            self.close()
            raise ArtifactError(f"--context_tokens {self.context_tokens} is too small: {error}") from None
        except ValueError as error:
            self.close()
            raise ArtifactError(f"{self._model.name}: {error}, as its instructions and examples need") from None

    def count_tokens(self, text: str) -> int:
        """Tokens of a chat with one message."""
        return len(self._chat([("user", text)]))

    def summarize(self, texts: Sequence[str], parameters: SummaryParameters, job: Job) -> Iterator[Summary]:
        """Summarize documents, one after another; each has an equal share of the time that is left.

        Raises:
            Stopped: the job was stopped.
        """
        wish = Wish(mode=parameters.mode, most_tokens=parameters.max_tokens, sampling=parameters.sampling(max_tokens=1))
        return self._summarizer.summarize_all(texts, wish, job)

    def answer(
        self, batch: PromptBatch, parameters: PromptParameters, job: Job, on_text: Callable[[str], None] | None
    ) -> Generation:
        """Continue a prompt; the answer that is not finished when the deadline comes ends there.

        Raises:
            InvalidInput: it does not fit the context, or no answer can follow its schema.
            Stopped: the job was stopped.
        """
        tokens = self._prompt_tokens(batch)
        room = self.context_tokens - len(tokens)
        wanted = parameters.max_tokens or max(room, 1)
        if not tokens or wanted > room:
            raise InvalidInput(
                f"the prompt has {len(tokens)} tokens and max_tokens is {wanted}; together at least 1 and at most "
                f"{self.context_tokens} are allowed"
            )
        schema = parameters.json_schema
        constraint = None if schema is None else self._schemas.compile(schema)
        ends_at = time.monotonic() + Allowance(job).left
        sampling = replace(parameters.sampling(wanted, constraint), ends_at=ends_at)
        try:
            return self.scheduler.submit(Prompt(tokens, reusable=-1), sampling, job.stopped, on_text=on_text).result()
        except GrammarError as error:
            raise InvalidInput(str(error)) from None

    def close(self) -> None:
        """Abandon all answers, and free the memory."""
        self.scheduler.close()

    def _prompt_tokens(self, batch: PromptBatch) -> list[int]:
        characters = len(batch.text) + sum(len(content) for _, content in batch.messages)
        if characters > _MOST_TOKEN_CHARS * self.context_tokens:  # before time is spent on tokenizing
            raise InvalidInput(f"the prompt has {characters} characters, too many for {self.context_tokens} tokens")
        return self._chat(batch.messages) if batch.messages else self._model.completion(batch.text)

    def _chat(self, messages: list[tuple[str, str]]) -> list[int]:
        try:
            return self._model.chat([Message(role, content) for role, content in messages])
        except ValueError as error:
            raise InvalidInput(f"messages: {error}") from None


def _check_weights(path: Path, name: str) -> None:
    """Refuse a file that cannot fit before it is loaded: the kernel would kill the process, which then says nothing."""
    least, limit = path.stat().st_size + RUNTIME_BYTES, memory_limit()
    if least > limit:
        raise ArtifactError(
            f"{name} takes {least // _MIB} MiB even without a KV cache, and the memory limit is {limit // _MIB} MiB; "
            "raise the limit or use a smaller model"
        )


def batch_tokens(gpu_layers: int) -> int:
    """Most tokens in one step of the engine.

    Args:
        gpu_layers: as in `SummarizerSettings`.
    """
    return GPU_BATCH_TOKENS if gpu_layers else BATCH_TOKENS


def _checked_memory(shape: ModelShape, gpu_layers: int, context_tokens: int, sequences: int) -> dict[str, int]:
    """What takes how much memory, bytes, if it fits."""
    batch = batch_tokens(gpu_layers)
    whole = memory_plan(shape, context_tokens, sequences, batch)
    plan = memory_plan(shape, context_tokens, sequences, batch, gpu_layers)
    limit = memory_limit()
    moved = gpu_bytes(whole, plan)
    if moved:
        logger.info("memory of the GPU: about %d MiB, without what its driver takes", -(-moved // _MIB))
    logger.info(
        "memory: model %d MiB + KV cache %d MiB + compute %d MiB + process %d MiB = %d MiB of %d MiB",
        *(-(-part // _MIB) for part in plan.parts), sum(-(-part // _MIB) for part in plan.parts), limit // _MIB,
    )  # fmt: skip
    if plan.total_bytes > limit:
        fits = fitting_tokens(shape, limit, sequences, batch, gpu_layers)
        advice = f"--context_tokens {fits} would fit" if fits else "use fewer --slots or a smaller model"
        raise ArtifactError(
            f"a KV cache of {sequences} times {context_tokens} tokens makes {plan.total_bytes // _MIB} MiB in all, and "
            f"the memory limit is {limit // _MIB} MiB; {advice}"
        )
    parts = {"model": plan.model_bytes, "kv_cache": plan.kv_bytes, "compute": plan.compute_bytes}
    return {**parts, "gpu": moved} if moved else parts
