"""The predictor for any scikit-learn model: its artifact says what it takes and gives."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.files import FileEntry
from predictors.serving.artifacts.joblib_file import load_joblib
from predictors.serving.errors import ArtifactError, PackageMissing
from predictors.serving.kserve_model import KServeModel
from predictors.serving.model.agreement import Bounds, same_predictions
from predictors.serving.model.types import (
    ColumnInput,
    FeatureInput,
    Input,
    Job,
    Limits,
    Outputs,
    TensorSpec,
)
from predictors.serving.settings import Source
from predictors.serving.telemetry.metrics import Metrics
from predictors.sklearn import nesting
from predictors.sklearn.answers import Answers
from predictors.sklearn.describe import Hints, describe, input_of
from predictors.sklearn.estimator import EstimatorRunner, Runner
from predictors.sklearn.frames import Rows
from predictors.sklearn.onnx_file import OnnxRunner
from predictors.sklearn.sample import sample_taken
from predictors.sklearn.signature import Signature, read_settings, read_signature
from predictors.sklearn.skops_file import load_skops
from predictors.sklearn.versions import warn_of_versions

logger = logging.getLogger(__name__)

_DESCRIBED_ROWS = 8


class SklearnPredictor(KServeModel[Rows]):
    """A fitted scikit-learn estimator, of any kind that predicts.

    Args:
        name: the name it is served under.
        source: where it is loaded from.
    """

    kind = "sklearn"
    platform = "sklearn"
    input: Input = FeatureInput(())
    outputs: tuple[TensorSpec, ...] = (TensorSpec("predict", "FP64", (-1,)),)
    v1_fields: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"predictions": "predict"}
    limits = Limits(max_rows=10_000, max_text_chars=100_000)
    max_queue = 64
    rowwise = True
    golden_relative = 1e-5

    _runner: Runner
    _signature: Signature
    _answers: Answers

    def __init__(self, name: str, source: Source) -> None:
        super().__init__(name, source)
        self._labels: tuple[str, ...] = ()
        self._file_bytes = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """A classifier's labels."""
        return self._labels

    @property
    def classifies(self) -> bool:
        """Whether it outputs class probabilities for numbers or a text, which the earlier services' paths take."""
        return super().classifies and not isinstance(self.input, ColumnInput)

    def load_artifact(self, artifact: Artifact) -> None:
        """Load the first form that may be loaded, and that this environment can compute: ONNX, skops, or joblib."""
        missing: list[str] = []
        for entry in _loadable(artifact):
            try:
                signature, runner = _load(artifact, entry)
            except PackageMissing as error:
                missing.append(str(error))
                continue
            for reason in missing:
                logger.warning("model %s: %s; %s is served instead", self.name, reason, entry.name)
            self._take(signature, runner)
            self.format, self._file_bytes = entry.format, entry.size_bytes
            return
        raise ArtifactError("; ".join(missing))

    def _take(self, signature: Signature, runner: Runner) -> None:
        self._signature, self._runner, self._answers = signature, runner, Answers(signature)
        self.input, self.outputs = signature.input, signature.outputs
        self.v1_fields = signature.v1_fields  # type: ignore[misc]  # each artifact has its own
        self.label_output = "label" if signature.has("label") else "predict" if signature.classes else ""
        self._labels = signature.labels

    def infer(self, batch: Rows, job: Job) -> Outputs:
        """Compute what the model gives: `predict`, and probabilities or scores where it has them."""
        return self._runner.run(batch)

    def agrees(self, ours: Outputs, theirs: Outputs, bounds: Bounds) -> bool:
        """Whether two versions answer alike: the same labels, nearly as surely; or numbers that differ by little."""
        if not self._signature.classes:
            return _close(ours, theirs, bounds.max_difference)
        if self._signature.has("predict_proba"):
            return same_predictions(ours, theirs, self.label_output, bounds)
        return list(ours[self.label_output]) == list(theirs[self.label_output])

    def memory(self) -> dict[str, int]:
        """The size of the file, since most of a model is in compiled code, which does not tell."""
        return {"model": self._file_bytes}

    def close(self) -> None:
        """Free the model."""
        self.__dict__.pop("_runner", None)

    def observe(self, outputs: Outputs, metrics: Metrics) -> None:
        """Count a classifier's labels and their probabilities."""
        if not self._signature.classes:
            return
        labels = outputs["label"] if "label" in outputs else self._answers.labels(outputs["predict"])
        if "predict_proba" in outputs:
            metrics.count_predictions(self.name, self.version, labels, outputs["predict_proba"])
        else:
            metrics.count_labels(self.name, self.version, labels)


def _loadable(artifact: Artifact) -> Iterator[FileEntry]:
    """The forms in order of preference; a joblib file only if it is trusted, or else the reason."""
    first = artifact.choose()
    entries = list(artifact.manifest.files)
    for entry in entries[entries.index(first) :]:
        if artifact.trusted or entry.format != "joblib":
            yield entry


def _load(artifact: Artifact, entry: FileEntry) -> tuple[Signature, Runner]:
    raw = artifact.read(entry)
    if entry.format == "onnx":
        signature = read_signature(artifact.manifest)
        return signature, OnnxRunner(raw, signature)
    if entry.format not in ("skops", "joblib"):
        raise ArtifactError(f"{entry.name}: a file of the format {entry.format} is not for this predictor")
    warn_of_versions(artifact.manifest)
    if entry.format == "skops":
        approved = read_settings(artifact.manifest).approved_types
        model = load_skops(raw, approved, artifact.trusted)
    else:
        model = load_joblib(raw)
    model = nesting.unwrapped(model)
    if not hasattr(model, "predict"):
        raise nesting.no_estimator(model)
    signature = read_signature(artifact.manifest) if artifact.manifest.outputs else _found_out(model)
    return signature, EstimatorRunner(model, signature)


def _found_out(model: Any) -> Signature:
    """The signature of a model that has no manifest."""
    kind = input_of(model, Hints())
    return describe(model, kind, sample_taken(model, kind, _DESCRIBED_ROWS), Hints())


def _close(ours: Outputs, theirs: Outputs, difference: float) -> bool:
    """Whether numbers are the same within this part of them."""
    mine, other = ours["predict"], theirs["predict"]
    if isinstance(mine, list) or isinstance(other, list):
        return mine == other
    return mine.shape == other.shape and bool(np.allclose(other, mine, rtol=difference, atol=1e-6))
