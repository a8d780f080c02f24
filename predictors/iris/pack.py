"""Make a package of a fitted forest: its pickle-free form, checked against scikit-learn, and golden examples."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from predictors.iris.forest import Forest, from_sklearn
from predictors.iris.model import CLASS_NAMES, IrisPredictor, check_shape
from predictors.iris.scorer import new_scorer
from predictors.serving.model.training import Package, check_agreement, golden_examples
from predictors.serving.model.types import FloatArray

_EXAMPLES = [[5.1, 3.5, 1.4, 0.2], [6.0, 2.7, 5.1, 1.6], [6.3, 3.3, 6.0, 2.5]]
_SEED = 20
_RANDOM_ROWS = 2_000
_EDGE_ROWS = 4_000


def package(model: Any, pickled: bytes, evaluation: Mapping[str, Any] | None = None) -> Package:
    """Convert a fitted `RandomForestClassifier`.

    Args:
        model: takes 4 features and knows 3 classes.
        pickled: its joblib file.
        evaluation: how good it is, if that was measured.

    Raises:
        ArtifactError: it is another kind of model, or the two forms do not agree.
    """
    forest = from_sklearn(model)
    check_shape(forest, CLASS_NAMES)
    npz = forest.to_bytes()
    rows = np.concatenate([_EXAMPLES, sample(forest)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a model that was fitted on a table misses the columns' names
        probabilities = model.predict_proba(rows)
    check_agreement(new_scorer(Forest.from_bytes(npz)).predict_proba(rows), probabilities)
    examples = probabilities[: len(_EXAMPLES)]
    best = examples.argmax(axis=1)
    outputs = {
        "predict": forest.classes[best].tolist(),
        "label": [CLASS_NAMES[i] for i in best],
        "predict_proba": examples.tolist(),
    }
    return Package(
        predictor=IrisPredictor,
        pickled=pickled,
        npz=npz,
        class_names=CLASS_NAMES,
        golden=golden_examples(_EXAMPLES, outputs),
        evaluation=evaluation or {},
    )


def sample(forest: Forest) -> FloatArray:
    """Rows that tell forests apart, float64 ``[N, F]``: random ones, and ones at and beside the forest's thresholds."""
    random = np.random.default_rng(_SEED)
    columns = [_column(random, thresholds) for thresholds in _thresholds(forest)]
    return np.stack(columns, axis=1)


def _column(random: np.random.Generator, thresholds: FloatArray) -> FloatArray:
    spread = random.uniform(thresholds.min() - 1, thresholds.max() + 1, size=_RANDOM_ROWS)
    beside = [np.nextafter(thresholds.astype(np.float32), np.float32(way)) for way in (-np.inf, np.inf)]
    edges = random.choice(np.concatenate([thresholds, *beside]), size=_EDGE_ROWS)
    return np.concatenate([spread, edges])


def _thresholds(forest: Forest) -> list[FloatArray]:
    """Each feature's thresholds; 0 where it is never tested."""
    inner = ~forest.is_leaf
    found = [forest.threshold[inner & (forest.feature == feature)] for feature in range(int(forest.n_features))]
    return [np.unique(each) if len(each) else np.zeros(1) for each in found]
