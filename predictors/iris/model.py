"""The iris predictor: four numbers in; class id, label and probabilities out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from predictors.iris.forest import Forest, from_sklearn
from predictors.iris.scorer import Scorer, new_scorer
from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.joblib_file import load_joblib
from predictors.serving.errors import ArtifactError
from predictors.serving.kserve_model import KServeModel
from predictors.serving.model.agreement import Bounds, same_predictions
from predictors.serving.model.types import FeatureBatch, FeatureInput, Job, Limits, Outputs, TensorSpec
from predictors.serving.telemetry.metrics import Metrics

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
CLASS_NAMES = ("setosa", "versicolor", "virginica")


class IrisPredictor(KServeModel[FeatureBatch]):
    """A random forest over sepal and petal length and width, centimetres."""

    kind = "iris"
    platform = "sklearn-random-forest"
    input = FeatureInput(FEATURES)
    outputs = (
        TensorSpec("predict", "INT64", (-1,)),
        TensorSpec("label", "BYTES", (-1,)),
        TensorSpec("predict_proba", "FP64", (-1, len(CLASS_NAMES))),
    )
    label_output = "label"
    v1_fields = {"predictions": "predict", "labels": "label", "probabilities": "predict_proba"}  # noqa: RUF012
    limits = Limits(max_rows=10_000)
    max_queue = 64
    rowwise = True

    _scorer: Scorer
    _classes: NDArray[np.int64]
    _labels: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The species."""
        return self._labels

    def load_artifact(self, artifact: Artifact) -> None:
        """Load the pickle-free forest, or convert a trusted joblib file into one."""
        entry = artifact.choose()
        raw = artifact.read(entry)
        forest = from_sklearn(load_joblib(raw)) if entry.format == "joblib" else Forest.from_bytes(raw)
        labels = artifact.manifest.class_names or CLASS_NAMES
        check_shape(forest, labels)
        self._scorer, self._classes = new_scorer(forest), forest.classes
        self._labels, self.format = labels, entry.format

    def infer(self, batch: FeatureBatch, job: Job) -> Outputs:
        """Predict class ids ``[N]``, labels ``[N]`` and probabilities ``[N, 3]``."""
        probabilities = self._scorer.predict_proba(batch.features)
        best = probabilities.argmax(axis=1)
        return {
            "predict": self._classes.take(best),
            "label": [self._labels[i] for i in best.tolist()],
            "predict_proba": probabilities,
        }

    def agrees(self, ours: Outputs, theirs: Outputs, bounds: Bounds) -> bool:
        """Whether two forests see the same species, nearly as surely."""
        return same_predictions(ours, theirs, self.label_output, bounds)

    def close(self) -> None:
        """Free the forest."""
        self.__dict__.pop("_scorer", None)

    def observe(self, outputs: Outputs, metrics: Metrics) -> None:
        """Count the predicted labels and their probabilities."""
        metrics.count_predictions(self.name, self.version, outputs["label"], outputs["predict_proba"])


def check_shape(forest: Forest, labels: Sequence[str]) -> None:
    """Check that a forest is one for flowers.

    Raises:
        ArtifactError: it has another number of features, or of classes.
    """
    if int(forest.n_features) != len(FEATURES):
        raise ArtifactError(f"the forest takes {forest.n_features} features; {len(FEATURES)} are expected")
    if len(labels) != len(forest.classes) or len(labels) != len(CLASS_NAMES):
        raise ArtifactError(
            f"the forest has {len(forest.classes)} classes and the manifest {len(labels)} class names; "
            f"{len(CLASS_NAMES)} are expected"
        )
