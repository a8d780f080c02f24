"""The intent predictor: a text in; one of four intents, or "unknown", and probabilities out."""

from typing import ClassVar

from predictors.intent.settings import IntentSettings
from predictors.intent.tfidf import TextClassifier, from_sklearn
from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.joblib_file import load_joblib
from predictors.serving.errors import ArtifactError
from predictors.serving.kserve_model import KServeModel
from predictors.serving.model.agreement import Bounds, same_predictions
from predictors.serving.model.types import FloatArray, Job, Limits, Outputs, TensorSpec, TextBatch, TextInput
from predictors.serving.settings import Source
from predictors.serving.telemetry.metrics import Metrics

CLASS_NAMES = ("greeting", "question", "complaint", "praise")
BACKGROUND = "other"
UNKNOWN = "unknown"


class IntentPredictor(KServeModel[TextBatch]):
    """A linear classifier over four intents and a background class.

    Args:
        name: the name it is served under.
        source: where it is loaded from.
        settings: the threshold.
    """

    kind = "intent"
    platform = "sklearn-tfidf-logistic-regression"
    input = TextInput("text")
    outputs = (TensorSpec("predict", "BYTES", (-1,)), TensorSpec("predict_proba", "FP64", (-1, len(CLASS_NAMES))))
    label_output = "predict"
    v1_fields: ClassVar = {"predictions": "predict", "probabilities": "predict_proba"}
    limits = Limits(max_rows=1_000, max_text_chars=10_000)
    max_queue = 64
    rowwise = True

    def __init__(self, name: str, source: Source, settings: IntentSettings | None = None) -> None:
        super().__init__(name, source)
        self._settings = settings or IntentSettings()

    @property
    def labels(self) -> tuple[str, ...]:
        """The intents, and what a text with none of them gets."""
        return *CLASS_NAMES, UNKNOWN

    def load_artifact(self, artifact: Artifact) -> None:
        """Load the pickle-free classifier, or convert a trusted joblib file into one."""
        entry = artifact.choose()
        raw = artifact.read(entry)
        model = from_sklearn(load_joblib(raw)) if entry.format == "joblib" else TextClassifier.from_bytes(raw)
        check_classes(model)
        threshold = self._settings.unknown_threshold
        if threshold is None:
            threshold = artifact.manifest.settings.get("unknown_threshold", 0.0)
        if not isinstance(threshold, (int, float)) or not 0 <= threshold <= 1:
            raise ArtifactError("the manifest's setting unknown_threshold must be a number from 0 to 1")
        self._model, self._threshold, self.format = model, float(threshold), entry.format

    def infer(self, batch: TextBatch, job: Job) -> Outputs:
        """Predict intents ``[N]`` and probabilities ``[N, 4]``."""
        probabilities = fold_background(self._model.predict_proba(batch.texts), self._model.classes)
        best = probabilities.argmax(axis=1).tolist()
        confidence = probabilities.max(axis=1).tolist()
        labels = [
            CLASS_NAMES[i] if value >= self._threshold else UNKNOWN for i, value in zip(best, confidence, strict=True)
        ]
        return {"predict": labels, "predict_proba": probabilities}

    def agrees(self, ours: Outputs, theirs: Outputs, bounds: Bounds) -> bool:
        """Whether two classifiers see the same intents, nearly as surely."""
        return same_predictions(ours, theirs, self.label_output, bounds)

    def close(self) -> None:
        """Free the vocabulary and the coefficients."""
        self.__dict__.pop("_model", None)

    def observe(self, outputs: Outputs, metrics: Metrics) -> None:
        """Count the predicted intents and their probabilities."""
        metrics.count_predictions(self.name, self.version, outputs["predict"], outputs["predict_proba"])


def check_classes(model: TextClassifier) -> None:
    """Check that a classifier knows the four intents, and at most the background class besides.

    Raises:
        ArtifactError: it knows others.
    """
    if set(model.classes) - {BACKGROUND} != set(CLASS_NAMES):
        raise ArtifactError(f"the classifier knows {', '.join(model.classes)}; {', '.join(CLASS_NAMES)} are expected")


def fold_background(probabilities: FloatArray, classes: tuple[str, ...]) -> FloatArray:
    """Probabilities over the four intents, float64 ``[N, 4]``.

    A text with none of the four intents belongs to the background class, whose probability says nothing about the
    intent. So it is divided evenly: rows still sum to 1, and such a text gets about 0.25 for each intent.
    """
    intents = probabilities.take([classes.index(name) for name in CLASS_NAMES], axis=1)
    if BACKGROUND in classes:
        intents += probabilities[:, [classes.index(BACKGROUND)]] / len(CLASS_NAMES)
    return intents
