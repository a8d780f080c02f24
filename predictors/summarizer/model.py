"""The summarizer predictor: a document in; a plain-English summary and token counts out."""

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from predictors.serving.artifact import Artifact, FileEntry, Manifest, file_entry
from predictors.serving.batch import Job, Limits, Outputs, TensorSpec, TextBatch, TextInput
from predictors.serving.cpu import usable_cpus
from predictors.serving.errors import ArtifactError, DeadlineExceeded, InvalidInput
from predictors.serving.metrics import Metrics
from predictors.serving.predictor import Predictor
from predictors.serving.settings import Source
from predictors.summarizer.engine import Engine, Generation, Sampling, Stopped
from predictors.summarizer.settings import SummarizerSettings

SYSTEM = "You explain documents in plain English to people who are not lawyers. You only say what the document says."
TASK = (
    "Summarize this document in a few short sentences of plain English. Say what the reader agrees to, what it costs, "
    "and what they should watch out for.\n\nDocument:\n\n"
)
# Read and written once at load: pages the model in, and finds out whether it works at all.
_WARM_UP = "The customer pays 5 euros a month."
_VERSION_DIGITS = 12


class Parameters(BaseModel):
    """Request parameters. gRPC has no fractional parameter, so numbers may come as strings there."""

    model_config = ConfigDict(extra="forbid")

    max_tokens: int = Field(default=200, ge=1, le=100_000, description="Most tokens to write.")
    temperature: float = Field(default=0.0, ge=0, le=2, allow_inf_nan=False, description="0 is greedy.")
    seed: int | None = Field(default=None, ge=0, lt=2**32 - 1, description="Of the random choice; random by default.")
    stop: list[str] = Field(default=[], max_length=8, description="Texts that end the answer, at most 8.")

    @field_validator("max_tokens", "temperature", "seed", mode="before")
    @classmethod
    def _no_booleans(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("a number is expected, not a boolean")  # pydantic reports ValueError
        return value

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("stop")
    @classmethod
    def _not_empty(cls, value: list[str]) -> list[str]:
        if any(not 0 < len(text) <= 200 for text in value):
            raise ValueError("each text needs 1 to 200 characters")
        return value


class SummarizerPredictor(Predictor[TextBatch]):
    """Summaries by a GGUF model on llama.cpp.

    Args:
        name: the name it is served under.
        source: where it is loaded from.
        settings: model file, context and threads.
    """

    kind = "summarizer"
    platform = "llama-cpp-gguf"
    input = TextInput("text")
    outputs = (
        TensorSpec("summary", "BYTES", (-1,)),
        TensorSpec("prompt_tokens", "INT64", (-1,)),
        TensorSpec("completion_tokens", "INT64", (-1,)),
        TensorSpec("finish_reason", "BYTES", (-1,)),
    )
    v1_fields: ClassVar = {"predictions": "summary", "usage": ("prompt_tokens", "completion_tokens", "finish_reason")}
    limits = Limits(max_rows=16, max_text_chars=400_000)
    max_queue = 16

    def __init__(self, name: str, source: Source, settings: SummarizerSettings | None = None) -> None:
        super().__init__(name, source)
        self._settings = settings or SummarizerSettings()
        self._engine: Engine | None = None

    def open_artifact(self) -> Artifact:
        """Open the artifact directory, or make one out of ``--gguf``'s file."""
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
        """Verify the GGUF file, load it, and let it write one token."""
        entry = artifact.choose()
        self.close()
        with _gguf(artifact, entry) as path:
            engine = _new_engine(path, entry.name, self._settings)
        self._engine, self.format = engine, entry.format
        engine.generate(engine.prompt(SYSTEM, TASK, _WARM_UP), Sampling(max_tokens=1), lambda: False)

    def check_golden(self, manifest: Manifest) -> None:
        """Compare token counts: unlike a summary, they are the same on every processor."""
        assert self._engine is not None  # noqa: S101  # set by load_artifact
        for i, golden in enumerate(manifest.golden):
            if not isinstance(golden.input, str):
                raise ArtifactError(f"golden example {i} has an input that is not a text")
            count = len(self._engine.prompt(SYSTEM, TASK, golden.input))
            if golden.output != {"prompt_tokens": count}:
                raise ArtifactError(f"golden example {i} has {count} prompt tokens, not what the manifest says")

    def check(self, batch: TextBatch) -> None:
        """Refuse unknown and wrong parameters."""
        parse_parameters(batch.parameters)

    def infer(self, batch: TextBatch, job: Job) -> Outputs:
        """Summarize the documents one after the other."""
        sampling = _sampling(parse_parameters(batch.parameters))
        generations = [self._summarize(text, sampling, job) for text in batch.texts]
        return {
            "summary": [generation.text for generation in generations],
            "prompt_tokens": np.array([generation.prompt_tokens for generation in generations]),
            "completion_tokens": np.array([generation.completion_tokens for generation in generations]),
            "finish_reason": [generation.finish_reason for generation in generations],
            "seconds_to_first_token": np.array([generation.seconds_to_first_token for generation in generations]),
        }

    def _summarize(self, text: str, sampling: Sampling, job: Job) -> Generation:
        assert self._engine is not None  # noqa: S101  # only a ready model gets work
        prompt = self._engine.prompt(SYSTEM, TASK, text)
        room = self._engine.context_tokens - sampling.max_tokens
        if len(prompt) > room:
            raise InvalidInput(
                f"the document makes a prompt of {len(prompt)} tokens; with max_tokens {sampling.max_tokens}, "
                f"the model's context of {self._engine.context_tokens} has room for {max(room, 0)}"
            )
        try:
            return self._engine.generate(prompt, sampling, job.stopped)
        except Stopped:
            raise DeadlineExceeded(f'model "{self.name}" did not answer before the deadline') from None

    def observe(self, outputs: Outputs, metrics: Metrics) -> None:
        """Count tokens and the time to the first one."""
        columns = ("prompt_tokens", "completion_tokens", "seconds_to_first_token")
        metrics.count_tokens(*(np.asarray(outputs[name], dtype=np.float64).tolist() for name in columns))

    def parameters_schema(self) -> dict[str, Any]:
        """JSON schema of the request parameters."""
        return Parameters.model_json_schema()

    def close(self) -> None:
        """Free the model."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def parse_parameters(given: dict[str, Any]) -> Parameters:
    """Check request parameters.

    Raises:
        InvalidInput: naming the first one at fault.
    """
    try:
        return Parameters.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])[:64]
        if first["type"] == "extra_forbidden":
            raise InvalidInput(
                f'unknown parameter "{name}"; allowed are {", ".join(Parameters.model_fields)}'
            ) from None
        raise InvalidInput(f'the parameter "{name}" is wrong: {first["msg"].removeprefix("Value error, ")}') from None


def _sampling(parameters: Parameters) -> Sampling:
    seed = int.from_bytes(os.urandom(4), "little") if parameters.seed is None else parameters.seed
    return Sampling(parameters.max_tokens, parameters.temperature, seed, tuple(parameters.stop))


def _gguf(artifact: Artifact, entry: FileEntry) -> AbstractContextManager[Path]:
    if entry.format != "gguf":
        raise ArtifactError(f"{entry.name} has the format {entry.format}; gguf is expected")
    return artifact.verified_path(entry)


def _new_engine(path: Path, name: str, settings: SummarizerSettings) -> Engine:
    try:
        from predictors.summarizer.llama import LlamaEngine
    except ImportError:
        raise ArtifactError("llama-cpp-python is not installed: install kserve-predictors[summarizer]") from None
    return LlamaEngine(path, name, settings.context_tokens, settings.threads or usable_cpus())
