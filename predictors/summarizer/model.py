"""The summarizer predictor: turns documents into points that cite their sources, and answers OpenAI's API."""

import logging
import math
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np

from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.files import file_entry
from predictors.serving.artifacts.manifest import Manifest
from predictors.serving.errors import ArtifactError, DeadlineExceeded
from predictors.serving.kserve_model import KServeModel
from predictors.serving.model.agreement import Bounds
from predictors.serving.model.types import Event, Job, Limits, Outputs, PromptBatch, TensorSpec, TextBatch, TextInput
from predictors.serving.settings import Source
from predictors.serving.telemetry.answers import Usage
from predictors.serving.telemetry.metrics import Metrics
from predictors.summarizer.engine.metrics import EngineCollector
from predictors.summarizer.engine.scheduler import Scheduler
from predictors.summarizer.engine.types import Stopped
from predictors.summarizer.fallback.counts import Counts, FallbackCollector
from predictors.summarizer.fallback.settings import FallbackSettings
from predictors.summarizer.inputs import read_inputs
from predictors.summarizer.llama.gpus import GpuCollector
from predictors.summarizer.outputs import answer_outputs, summary_outputs
from predictors.summarizer.parameters import PromptParameters, SamplingParameters, SummaryParameters, parse_parameters
from predictors.summarizer.runtime import Runtime
from predictors.summarizer.settings import SummarizerSettings
from predictors.summarizer.text.overlap import word_overlap
from predictors.summarizer.tuning import Tuning, read_tuning, read_tuning_file

logger = logging.getLogger(__name__)

_VERSION_DIGITS = 12
# Summarized once at load, to page the model in, to find out whether it works, and to measure its speed.
_WARM_UP = "The customer pays 5 euros a month for towels (such as plain blue towels)."
_WARM_UP_SECONDS = 600.0
# The outputs that make up a `Usage`, in its order.
_USAGE = ("prompt_tokens", "cached_tokens", "completion_tokens", "seconds_to_first_token", "seconds")


class SummarizerPredictor(KServeModel[TextBatch | PromptBatch]):
    """A GGUF model on llama.cpp.

    Args:
        name: the name it is served under.
        source: where it is loaded from.
        settings: model file, context, slots, threads, and how documents are read.
        fallback: what answers while the model cannot, if anything does.

    Raises:
        StartupError: the fallback cannot be used.
    """

    kind = "summarizer"
    platform = "llama-cpp-gguf"
    input = TextInput("text")
    outputs = (
        TensorSpec("summary", "BYTES", (-1,)),
        TensorSpec("bullets", "BYTES", (-1,)),
        TensorSpec("mode", "BYTES", (-1,)),
        TensorSpec("prompt_tokens", "INT64", (-1,)),
        TensorSpec("cached_tokens", "INT64", (-1,)),
        TensorSpec("completion_tokens", "INT64", (-1,)),
        TensorSpec("finish_reason", "BYTES", (-1,)),
        TensorSpec("read", "FP64", (-1,)),
        TensorSpec("more", "BYTES", (-1,)),
        TensorSpec("language", "BYTES", (-1,)),
        TensorSpec("warning", "BYTES", (-1,)),
        TensorSpec("text", "BYTES", (-1,)),
    )
    v1_fields: ClassVar = {
        "predictions": "summary",
        "bullets": "points",
        "texts": "text",
        "usage": (
            "prompt_tokens",
            "cached_tokens",
            "completion_tokens",
            "finish_reason",
            "mode",
            "read",
            "more",
            "language",
            "warning",
        ),
    }
    limits = Limits(max_rows=16, max_text_chars=2_000_000)
    max_queue = 32
    workers = 64
    slow = True
    streams = True
    generates = True

    def __init__(
        self,
        name: str,
        source: Source,
        settings: SummarizerSettings | None = None,
        fallback: FallbackSettings | None = None,
    ) -> None:
        super().__init__(name, source)
        self._settings = settings or SummarizerSettings()
        if fallback is not None and fallback.fallback_url:
            self.standby = self._new_standby(fallback)
        self._runtime: Runtime | None = None
        self.tuning = Tuning()
        """What the loaded model was tuned to."""

    def _new_standby(self, fallback: FallbackSettings) -> Any:
        from predictors.summarizer.fallback.standby import SummarizerStandby

        return SummarizerStandby(self.name, fallback, self._settings, self.limits, lambda: self.tuning.reading)

    def open_artifact(self) -> Artifact:
        """Open the artifact directory, or make an artifact of the file that ``--gguf`` names."""
        path = self._settings.gguf
        if path is None:
            return super().open_artifact()
        if self.source.digest:
            raise ArtifactError("a pinned artifact digest needs an artifact directory; it cannot vouch for --gguf")
        try:
            entry = file_entry(path, "gguf")
        except OSError as error:
            raise ArtifactError(f"{path.name} cannot be read: {os.strerror(error.errno or 0)}") from None
        version = entry.sha256[:_VERSION_DIGITS]
        manifest = Manifest(name=path.stem, version=version, kind=self.kind, files=(entry,), inputs=(), outputs=())
        return Artifact(path.parent, manifest)

    def load_artifact(self, artifact: Artifact) -> None:
        """Verify the GGUF file, load it, and let it summarize a sentence."""
        entry = artifact.choose()
        if entry.format != "gguf":
            raise ArtifactError(f"{entry.name} has the format {entry.format}; gguf is expected")
        self.close()
        self.tuning = effective_tuning(self._settings, artifact.manifest)
        with artifact.verified_path(entry) as path:
            self._runtime = Runtime(path, entry.name, self._settings, self.tuning)
        self.format = entry.format
        self.infer(TextBatch([_WARM_UP], {"mode": "full"}), Job(time.monotonic() + _WARM_UP_SECONDS))

    def check_golden(self, manifest: Manifest) -> None:
        """Compare token counts: unlike summaries, they are the same on every processor."""
        for i, golden in enumerate(manifest.golden):
            if not isinstance(golden.input, str):
                raise ArtifactError(f"golden example {i} has an input that is not a text")
            count = self._loaded.count_tokens(golden.input)
            if golden.output != {"prompt_tokens": count}:
                raise ArtifactError(f"golden example {i} has {count} prompt tokens, not what the manifest says")

    def check(self, batch: TextBatch | PromptBatch) -> None:
        """Reject unknown and invalid parameters."""
        self._parse(batch)

    def is_deterministic(self, batch: TextBatch | PromptBatch) -> bool:
        """Whether tokens are not chosen at random, or with a fixed seed."""
        return self._parse(batch).deterministic

    def is_final(self, outputs: Outputs) -> bool:
        """Whether no deadline cut the answer short."""
        return "deadline" not in outputs["finish_reason"]

    def variant(self, batch: TextBatch | PromptBatch, seconds: float) -> str:
        """The time left as a power of two, if it decides the mode."""
        decides = isinstance(batch, TextBatch) and batch.parameters.get("mode", "auto") == "auto"
        return str(math.frexp(seconds)[1]) if decides else ""

    def agrees(self, ours: Outputs, theirs: Outputs, bounds: Bounds) -> bool:
        """Whether both versions say much the same of every document; a summary is its points, one a line."""
        pairs = zip(ours["summary"], theirs["summary"], strict=True)
        return all(word_overlap(one, other) >= bounds.min_overlap for one, other in pairs)

    def settings_identity(self) -> str:
        """The settings that affect answers."""
        settings = self._settings.model_dump_json(include={"context_tokens", "fast_tokens", "unsupported"})
        return settings + self.tuning.model_dump_json()

    def memory(self) -> dict[str, int]:
        """The plan that the model was loaded by: weights, KV cache, buffers, and what of it is in a GPU."""
        return self._loaded.memory

    def infer(self, batch: TextBatch | PromptBatch, job: Job) -> Outputs:
        """Summarize documents, or answer a prompt."""
        try:
            return self._answer(batch, job) if isinstance(batch, PromptBatch) else self._summarize(batch, job)
        except Stopped:
            raise DeadlineExceeded(f'model "{self.name}" did not answer before the deadline') from None

    def _summarize(self, batch: TextBatch, job: Job) -> Outputs:
        parameters = self._summary_parameters(batch)
        texts = read_inputs(batch.texts, parameters.content_type, self.limits.max_text_chars, job)
        return summary_outputs(texts, parameters, self._loaded.summarize(texts, parameters, job))

    def _answer(self, batch: PromptBatch, job: Job) -> Outputs:
        parameters = self._prompt_parameters(batch)
        emit = job.emit
        begun = time.monotonic()
        generation = self._loaded.answer(
            batch, parameters, job, (lambda text: emit(Event("text", {"text": text}))) if emit else None
        )
        return answer_outputs(generation, time.monotonic() - begun)

    def _parse(self, batch: TextBatch | PromptBatch) -> SamplingParameters:
        if isinstance(batch, PromptBatch):
            return self._prompt_parameters(batch)
        return self._summary_parameters(batch)

    def _prompt_parameters(self, batch: PromptBatch) -> PromptParameters:
        """The request's parameters, and the model's own where it has none."""
        return parse_parameters(PromptParameters, {**self.tuning.sampling.given, **batch.parameters})

    def _summary_parameters(self, batch: TextBatch) -> SummaryParameters:
        """The request's parameters, and the model's own where it has none."""
        return parse_parameters(SummaryParameters, {**self.tuning.sampling.given, **batch.parameters})

    @property
    def _loaded(self) -> Runtime:
        assert self._runtime is not None  # noqa: S101  # only a ready model gets work
        return self._runtime

    def register_metrics(self, metrics: Metrics) -> None:
        """Add the engine's metrics."""
        metrics.shared(EngineCollector).engines.add(self)
        if self.standby is not None:
            metrics.shared(FallbackCollector).models.add(self)
        if self._settings.gpu_layers:
            metrics.shared(GpuCollector)

    @property
    def fallback_counts(self) -> Counts:
        """Requests that the model itself did not answer."""
        return Counter() if self.standby is None else self.standby.counts

    @property
    def scheduler(self) -> Scheduler | None:
        """The engine, while the model is loaded."""
        return self._runtime.scheduler if self._runtime else None

    def announce(self, metrics: Metrics) -> None:
        """Let the series of this model be there, at 0."""
        super().announce(metrics)
        metrics.answers.announce(self.name, self.version)

    def observe(self, outputs: Outputs, metrics: Metrics) -> None:
        """Count what answers cost, and what summaries are like."""
        for usage in _usages(outputs):
            metrics.answers.count_usage(self.name, self.version, usage)
        for points, reason in zip(outputs.get("points", ()), outputs["finish_reason"], strict=False):
            metrics.answers.count_summary(self.name, self.version, points, reason)

    def phases(self, outputs: Outputs) -> Iterable[tuple[str, float]]:
        """Reading up to the first token, and writing, of each answer."""
        for usage in _usages(outputs):
            yield "prefill", usage.seconds_to_first_token
            yield "generate", max(usage.seconds - usage.seconds_to_first_token, 0.0)

    def observe_late(self, batch: TextBatch | PromptBatch, metrics: Metrics) -> None:
        """Count summaries that were not written in time."""
        if isinstance(batch, TextBatch):
            metrics.answers.count_late(self.name, self.version, len(batch.texts))

    def parameters_schema(self) -> dict[str, Any]:
        """JSON schema of the request parameters."""
        return SummaryParameters.model_json_schema()

    def close(self) -> None:
        """Free the model."""
        if self._runtime is not None:
            self._runtime.close()
            self._runtime = None


def effective_tuning(settings: SummarizerSettings, manifest: Manifest) -> Tuning:
    """What the manifest says of the model's prompt, unless the instructions file or a flag says otherwise.

    Raises:
        ArtifactError: naming the setting at fault.
    """
    given = read_tuning(manifest.settings, f"the manifest of {manifest.name}").model_dump(exclude_unset=True)
    if settings.instructions_file is not None:
        own = read_tuning_file(settings.instructions_file)
        given |= read_tuning(own, settings.instructions_file.name).model_dump(exclude_unset=True)
    flags = {
        "reading": None if settings.reading == "auto" else settings.reading,
        "chunk_tokens": settings.chunk_tokens,
    }
    return Tuning.model_validate(given | {name: value for name, value in flags.items() if value is not None})


def _usages(outputs: Outputs) -> Iterator[Usage]:
    """What each answer cost."""
    return map(Usage, *(np.asarray(outputs[name]).tolist() for name in _USAGE))
