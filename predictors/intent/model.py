"""The intent predictor: a text in; one of the model's intents, or "unknown", and probabilities out."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from predictors.intent.intents import CLASS_NAMES, UNKNOWN, Intents
from predictors.intent.normalize import normalize
from predictors.intent.settings import IntentSettings
from predictors.intent.tfidf import TextClassifier
from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.joblib_file import load_joblib
from predictors.serving.errors import ArtifactError
from predictors.serving.kserve_model import KServeModel
from predictors.serving.model.agreement import Bounds, same_predictions
from predictors.serving.model.types import FloatArray, Job, Limits, Outputs, TensorSpec, TextBatch, TextInput
from predictors.serving.settings import Source
from predictors.serving.telemetry.metrics import Metrics

# How much of a text is looked at for words that the model does not know: it is done on the event loop.
_BEGINNING_CHARS = 500


def output_specs(classes: int) -> tuple[TensorSpec, ...]:
    """The outputs of a classifier with so many intents."""
    return TensorSpec("predict", "BYTES", (-1,)), TensorSpec("predict_proba", "FP64", (-1, classes))


class IntentPredictor(KServeModel[TextBatch]):
    """A linear classifier over intents, and a background class if there is one.

    Args:
        name: the name it is served under.
        source: where it is loaded from.
        settings: the threshold.
    """

    kind = "intent"
    platform = "sklearn-tfidf-logistic-regression"
    input = TextInput("text")
    outputs = output_specs(len(CLASS_NAMES))
    label_output = "predict"
    v1_fields: ClassVar = {"predictions": "predict", "probabilities": "predict_proba"}
    limits = Limits(max_rows=1_000, max_text_chars=10_000)
    max_queue = 64
    rowwise = True
    memory_factor = 6.5

    _model: TextClassifier
    _intents: Intents
    _threshold: float
    _normalizes: bool

    def __init__(self, name: str, source: Source, settings: IntentSettings | None = None) -> None:
        super().__init__(name, source)
        self._settings = settings or IntentSettings()

    @property
    def labels(self) -> tuple[str, ...]:
        """The intents, and what a text with none of them gets."""
        return tuple(dict.fromkeys((*self._intents.names, UNKNOWN)))

    def load_artifact(self, artifact: Artifact) -> None:
        """Load the pickle-free classifier, or convert a trusted joblib file into one."""
        entry, manifest = artifact.choose(), artifact.manifest
        raw = artifact.read(entry)
        self._model = _from_joblib(raw) if entry.format == "joblib" else TextClassifier.from_bytes(raw)
        given = _read_settings(manifest.settings)
        self._intents = Intents.of(self._model.classes, manifest.class_names, given.get("background_class"))
        self._normalizes = given.get("normalize", False)
        threshold = self._settings.unknown_threshold
        self._threshold = float(given.get("unknown_threshold", 0.0) if threshold is None else threshold)
        self.outputs, self.format = output_specs(len(self._intents.names)), entry.format

    def infer(self, batch: TextBatch, job: Job) -> Outputs:
        """Predict intents ``[N]`` and probabilities ``[N, C]``."""
        texts = [normalize(text) for text in batch.texts] if self._normalizes else batch.texts
        probabilities = self._intents.fold(self._model.predict_proba(texts))
        return {"predict": self._intents.called(probabilities, self._threshold), "predict_proba": probabilities}

    def agrees(self, ours: Outputs, theirs: Outputs, bounds: Bounds) -> bool:
        """Whether two classifiers see the same intents, nearly as surely."""
        return same_predictions(ours, theirs, self.label_output, bounds)

    def measure_texts(self, texts: Sequence[str]) -> Mapping[str, FloatArray]:
        """The length, and the share of words that the model does not know among those at the text's beginning."""
        measured, block = super().measure_texts(texts), self._model.word_block
        if block is None:
            return measured
        beginnings = (text[:_BEGINNING_CHARS] for text in texts)
        shares = [block.unknown_share(normalize(text) if self._normalizes else text) for text in beginnings]
        return {**measured, "unknown_words": np.array(shares, dtype=np.float64)}

    def close(self) -> None:
        """Free the vocabulary and the coefficients."""
        self.__dict__.pop("_model", None)

    def observe(self, outputs: Outputs, metrics: Metrics) -> None:
        """Count the predicted intents and their probabilities."""
        metrics.count_predictions(self.name, self.version, outputs["predict"], outputs["predict_proba"])


def _from_joblib(raw: bytes) -> TextClassifier:
    model = load_joblib(raw)
    from predictors.intent.proof import convert  # which needs scikit-learn, as serving does not

    return convert(model)[0]


def _read_settings(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check a manifest's settings.

    Raises:
        ArtifactError: naming the one at fault.
    """
    threshold = settings.get("unknown_threshold", 0.0)
    if type(threshold) not in (int, float) or not 0 <= threshold <= 1:
        raise ArtifactError("the manifest's setting unknown_threshold must be a number from 0 to 1")
    for name, kind, expected in (
        ("background_class", str, "the name of a class"),
        ("normalize", bool, "true or false"),
    ):
        if not isinstance(settings.get(name, kind()), kind):
            raise ArtifactError(f"the manifest's setting {name} must be {expected}")
    unknown = sorted(set(settings) - {"unknown_threshold", "background_class", "normalize"})
    if unknown:
        raise ArtifactError(f"the manifest has a setting {unknown[0]}, which intent does not know")
    return settings
