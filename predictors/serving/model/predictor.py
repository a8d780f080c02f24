"""A model as the server sees it: its inputs and outputs, how it loads, and how it computes a batch.

It knows no wire format; `predictors.serving.kserve_model` has the base class that is also a `kserve.Model`.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from predictors import __version__
from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.manifest import MANIFEST, Golden, Manifest
from predictors.serving.artifacts.reference import Reference
from predictors.serving.errors import ArtifactError, PackageMissing, ServingError
from predictors.serving.model.agreement import Bounds, same_outputs
from predictors.serving.model.footprint import footprint
from predictors.serving.model.parameters import NO_PARAMETERS, own_parameters
from predictors.serving.model.standby import Standby
from predictors.serving.model.types import Batch, FloatArray, Input, Job, Limits, Outputs, TensorSpec
from predictors.serving.model.validation import batch_from_instances
from predictors.serving.settings import Source
from predictors.serving.telemetry.metrics import Metrics

BatchT = TypeVar("BatchT", bound=Batch)

GOLDEN_TOLERANCE = 1e-6
TEXT_LENGTH = "text_length"
"""What the length of texts is called where they are measured, characters."""
# The time limit of the golden examples.
_GOLDEN_SECONDS = 600.0


class Predictor(ABC, Generic[BatchT]):
    """One served model.

    Args:
        name: the name it is served under.
        source: where it is loaded from, and how far that is trusted.

    Subclasses set the variables of the class and implement `load_artifact` and `infer`.
    """

    kind: ClassVar[str]
    platform: ClassVar[str]
    input: Input
    """What it takes. Where artifacts differ in that, `load_artifact` sets it to the loaded one's own; `outputs` too."""
    outputs: tuple[TensorSpec, ...]
    label_output: str = ""
    """The output that holds the predicted label, of a classifier."""
    v1_fields: ClassVar[Mapping[str, str | tuple[str, ...]]]
    limits: ClassVar[Limits]
    max_queue: ClassVar[int]
    """The default limit on requests running and waiting; further ones are refused."""
    workers: ClassVar[int] = 1
    """How many batches are computed at once, each on a thread; with more than one, `infer` must be thread-safe."""
    rowwise: ClassVar[bool] = False
    """Whether rows are independent and `infer` is thread-safe: then requests may be computed together, and short ones
    on the event loop."""
    streams: ClassVar[bool] = False
    """Whether `infer` emits parts of the answer as they come; V1 then has the parameter ``stream``."""
    slow: ClassVar[bool] = False
    """Whether answers take so long that they are cached by default."""
    generates: ClassVar[bool] = False
    """Whether `infer` takes a `PromptBatch` too, so that the model is served over OpenAI's API."""

    memory_factor: ClassVar[float] = 1.0
    """How much memory a model takes, as a multiple of its file's size, as far as that is known before it is loaded."""

    standby: Standby | None = None
    """What answers while this model cannot, if anything does."""

    golden_relative: ClassVar[float] = 0.0
    """How far a number of a golden example may be off, besides `GOLDEN_TOLERANCE`, as a part of it."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self.source = source
        self.version = source.version
        self.format = ""
        self.identity = ""
        """Everything that determines an answer besides the request: artifact, code, settings."""
        self.reference: Reference | None = None
        """What live traffic is compared with, if the loaded artifact says."""
        self.digest = ""
        """What pins the artifact that is loaded."""
        self.is_evaluated = False
        """Whether that artifact says how good it is."""

    @property
    def classifies(self) -> bool:
        """Whether it outputs class probabilities."""
        return any(spec.name == "predict_proba" for spec in self.outputs)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that a classifier predicts."""
        return ()

    @abstractmethod
    def load_artifact(self, artifact: Artifact) -> None:
        """Load the model from an artifact whose manifest is verified.

        Raises:
            ArtifactError: with the reason that readiness reports.
        """

    @abstractmethod
    def infer(self, batch: BatchT, job: Job) -> Outputs:
        """Compute the outputs of a batch. Runs on one of this model's threads, `workers` batches at a time.

        If the job has an ``emit``, parts of the answer may be passed to it as they come.

        Raises:
            InvalidInput: what only the model can detect, such as a text longer than its context.
            DeadlineExceeded: the job was stopped.
        """

    def check(self, batch: BatchT) -> None:
        """Refuse an invalid batch before it is queued. Runs on the event loop, so it must be fast.

        Without an implementation of its own, a model has no parameters.

        Raises:
            InvalidInput: naming the offending field or parameter.
        """
        if batch.parameters:
            own_parameters(batch.parameters, ())

    def parameters_schema(self) -> dict[str, Any]:
        """JSON schema of the request parameters."""
        return NO_PARAMETERS

    def register_metrics(self, metrics: Metrics) -> None:
        """Add this model's own metrics."""

    def announce(self, metrics: Metrics) -> None:
        """Let the series of this model be there, at 0. Called after each load."""
        metrics.identify(self.name, self.version, self.digest, evaluated=self.is_evaluated)
        metrics.announce(self.name, self.version, self.labels)

    def memory(self) -> Mapping[str, int]:
        """About how much memory the loaded model takes, bytes, by what takes it. Runs on one of its threads."""
        return {"model": footprint(self)}

    def observe(self, outputs: Outputs, metrics: Metrics) -> None:
        """Count what was predicted."""

    def phases(self, outputs: Outputs) -> Iterable[tuple[str, float]]:
        """The steps by which outputs came about, one after another, and their seconds; none if there is one alone."""
        return ()

    def observe_late(self, batch: BatchT, metrics: Metrics) -> None:
        """Count a batch whose deadline came before its outputs."""

    def measure_texts(self, texts: Sequence[str]) -> Mapping[str, FloatArray]:
        """Numbers that tell one kind of texts from another, by name, float64 ``[N]``; NaN where a text has none."""
        return {TEXT_LENGTH: np.array([len(text) for text in texts], dtype=np.float64)}

    def is_deterministic(self, batch: BatchT) -> bool:
        """Whether the same batch always gets the same answer, so that it may be cached."""
        return True

    def is_final(self, outputs: Outputs) -> bool:
        """Whether an answer is all that there is to say, so that it may be cached."""
        return True

    def variant(self, batch: BatchT, seconds: float) -> str:
        """What else determines the answer, such as the seconds that are left; part of the cache key."""
        return ""

    def agrees(self, ours: Outputs, theirs: Outputs, bounds: Bounds) -> bool:
        """Whether another version's answer to the same batch is as good as equal.

        Args:
            ours: this version's outputs.
            theirs: the other's, of the same datatypes, ranks and number of rows.
            bounds: how equal.
        """
        return same_outputs(ours, theirs, self.outputs)

    def settings_identity(self) -> str:
        """The settings that determine an answer; part of `identity`."""
        return ""

    def close(self) -> None:
        """Release what `load` acquired."""

    def load(self) -> bool:
        """Load, then run the golden examples.

        Returns:
            True, as KServe expects.

        Raises:
            ArtifactError: with the reason.
        """
        artifact = self.open_artifact()
        try:
            self.load_artifact(artifact)
            self.check_golden(artifact.manifest)
        except PackageMissing:
            raise
        except ArtifactError as error:
            raise ArtifactError(f"{artifact.directory.name}: {error}") from error
        self.version, self.reference = self.source.version or artifact.manifest.version, artifact.manifest.reference
        self.digest, self.is_evaluated = artifact.digest, bool(artifact.manifest.evaluation)
        self.identity = "\n".join((__version__, artifact.manifest.model_dump_json(), self.settings_identity()))
        return True

    def has_artifact(self) -> bool:
        """Whether there is a manifest at the source by now, or a fault for loading to report."""
        try:
            return (self.source.directory / MANIFEST).exists()
        except OSError:
            return True

    def open_artifact(self) -> Artifact:
        """Open the artifact at the source."""
        source = self.source
        return Artifact.open(source.directory, self.kind, source.digest, source.trusted, source.signature_key)

    def check_golden(self, manifest: Manifest) -> None:
        """Compute the manifest's golden examples and compare.

        Raises:
            ArtifactError: naming the first example whose output differs.
        """
        if not manifest.golden:
            return
        outputs = self._infer_golden(manifest.golden)
        for i, golden in enumerate(manifest.golden):
            for name, expected in golden.output.items():
                if name not in outputs:
                    raise ArtifactError(f'golden example {i} names an output "{name}" that the model does not have')
                if not _matches(outputs[name][i], expected, self.golden_relative):
                    raise ArtifactError(f'golden example {i}: the output "{name}" differs from the manifest')

    def _infer_golden(self, golden: tuple[Golden, ...]) -> Outputs:
        try:
            batch = batch_from_instances([example.input for example in golden], self.input, self.limits, {})
        except ServingError as error:
            raise ArtifactError(f"the golden examples are not valid input: {error}") from None
        return self.infer(batch, Job(time.monotonic() + _GOLDEN_SECONDS))  # type: ignore[arg-type]


def _matches(actual: Any, expected: Any, relative: float) -> bool:
    if isinstance(actual, str):
        return bool(actual == expected)
    try:
        found, wanted = np.asarray(actual, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return found.shape == wanted.shape and bool(np.allclose(found, wanted, rtol=relative, atol=GOLDEN_TOLERANCE))
