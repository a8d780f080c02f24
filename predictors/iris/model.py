"""The forest predictor: named numbers in; a class, its label and all classes' probabilities out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from predictors.iris.forest import Forest
from predictors.iris.scorer import Scorer, new_scorer
from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.joblib_file import load_joblib
from predictors.serving.errors import ArtifactError
from predictors.serving.kserve_model import KServeModel
from predictors.serving.model.agreement import Bounds, same_predictions
from predictors.serving.model.names import brief
from predictors.serving.model.types import FeatureBatch, FeatureInput, Job, Limits, Outputs, TensorSpec
from predictors.serving.telemetry.metrics import Metrics

# The default artifact's: lengths and widths in centimetres, and species.
FLOWER_FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
FLOWER_CLASSES = ("setosa", "versicolor", "virginica")

_DATATYPES = {"i": "INT64", "b": "BOOL", "U": "BYTES"}


def output_specs(datatype: str, classes: int) -> tuple[TensorSpec, ...]:
    """The outputs of a forest.

    Args:
        datatype: of the class labels that it was trained with.
        classes: how many there are.
    """
    return (
        TensorSpec("predict", datatype, (-1,)),
        TensorSpec("label", "BYTES", (-1,)),
        TensorSpec("predict_proba", "FP64", (-1, classes)),
    )


class IrisPredictor(KServeModel[FeatureBatch]):
    """A random forest over named numbers; of the default artifact, over sepal and petal length and width."""

    kind = "iris"
    platform = "sklearn-random-forest"
    input = FeatureInput(FLOWER_FEATURES)
    outputs = output_specs("INT64", len(FLOWER_CLASSES))
    label_output = "label"
    v1_fields = {"predictions": "predict", "labels": "label", "probabilities": "predict_proba"}  # noqa: RUF012
    limits = Limits(max_rows=10_000)
    max_queue = 64
    rowwise = True
    memory_factor = 2.0

    _scorer: Scorer
    _classes: NDArray[np.generic]
    _labels: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes' names."""
        return self._labels

    def load_artifact(self, artifact: Artifact) -> None:
        """Load the pickle-free forest, or convert a trusted joblib file into one."""
        entry = artifact.choose()
        raw = artifact.read(entry)
        forest, names = _from_joblib(raw) if entry.format == "joblib" else (Forest.from_bytes(raw), ())
        manifest = artifact.manifest
        self.input = FeatureInput(name_features(forest, manifest.feature_names or names))
        self._labels = name_classes(forest, manifest.class_names)
        self.outputs = forest_outputs(forest)
        self._scorer, self._classes, self.format = new_scorer(forest), forest.classes, entry.format

    def infer(self, batch: FeatureBatch, job: Job) -> Outputs:
        """Predict class labels ``[N]``, their names ``[N]`` and probabilities ``[N, C]``."""
        probabilities = self._scorer.predict_proba(batch.features)
        best = probabilities.argmax(axis=1)
        predicted = self._classes.take(best)
        return {
            "predict": predicted if predicted.dtype.kind != "U" else predicted.tolist(),
            "label": [self._labels[i] for i in best.tolist()],
            "predict_proba": probabilities,
        }

    def agrees(self, ours: Outputs, theirs: Outputs, bounds: Bounds) -> bool:
        """Whether two forests see the same classes, nearly as surely."""
        return same_predictions(ours, theirs, self.label_output, bounds)

    def close(self) -> None:
        """Free the forest."""
        self.__dict__.pop("_scorer", None)

    def observe(self, outputs: Outputs, metrics: Metrics) -> None:
        """Count the predicted labels and their probabilities."""
        metrics.count_predictions(self.name, self.version, outputs["label"], outputs["predict_proba"])


def _from_joblib(raw: bytes) -> tuple[Forest, tuple[str, ...]]:
    """Convert a joblib file; returns the forest and its columns' names, if it was trained with any."""
    model = load_joblib(raw)
    from predictors.iris import conversion  # which needs scikit-learn, as serving does not

    forest, _ = conversion.convert(model)
    return forest, conversion.feature_names(model)


def forest_outputs(forest: Forest) -> tuple[TensorSpec, ...]:
    """The outputs of this forest."""
    return output_specs(_DATATYPES[forest.classes.dtype.kind], len(forest.classes))


def name_features(forest: Forest, names: Sequence[str]) -> tuple[str, ...]:
    """The features' names: those given, or f0, f1 and so on.

    Raises:
        ArtifactError: there are more or fewer names than features, or a name is there twice or empty.
    """
    count = int(forest.n_features)
    if not names:
        return tuple(f"f{i}" for i in range(count))
    return _checked("features", names, count)


def name_classes(forest: Forest, names: Sequence[str]) -> tuple[str, ...]:
    """The classes' names: those given, or the labels that the forest was trained with, as text.

    Raises:
        ArtifactError: there are more or fewer names than classes, or a name is there twice or empty.
    """
    return _checked("classes", names or [str(label) for label in forest.classes.tolist()], len(forest.classes))


def _checked(what: str, names: Sequence[str], count: int) -> tuple[str, ...]:
    if len(names) != count:
        raise ArtifactError(f"the forest has {count} {what}, but {len(names)} names of {what} are given")
    if len(set(names)) != count or not all(name.strip() for name in names):
        raise ArtifactError(f"the names of the {what} must differ and not be empty; they are {brief(names)}")
    return tuple(names)
