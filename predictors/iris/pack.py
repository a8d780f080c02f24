"""Make a package of a fitted forest: its pickle-free form, checked against scikit-learn, and golden examples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from predictors.iris.conversion import convert, feature_names, probabilities
from predictors.iris.model import IrisPredictor, forest_outputs, name_classes, name_features
from predictors.serving.model.training import Names, Package, golden_examples
from predictors.serving.model.types import FeatureInput, FloatArray

_MAX_EXAMPLES = 5


def package(
    model: Any,
    pickled: bytes,
    evaluation: Mapping[str, Any] | None = None,
    names: Names | None = None,
    examples: Sequence[Sequence[float]] = (),
) -> Package:
    """Convert a fitted forest or tree.

    Args:
        model: of scikit-learn.
        pickled: its joblib file.
        evaluation: how good it is, if that was measured.
        names: of its features and classes; those that it was trained with, or f0, f1 and so on, if omitted.
        examples: rows for the golden examples; some are chosen if there are none.

    Raises:
        ArtifactError: it is another kind of model, the two forms do not agree, or the names do not fit.
    """
    forest, random = convert(model)
    names = names or Names()
    labels = name_classes(forest, names.classes)
    features = name_features(forest, names.features or feature_names(model))
    rows = np.array(examples, dtype=np.float64) if len(examples) else _telling(random, probabilities(model, random))
    answers = probabilities(model, rows)
    best = answers.argmax(axis=1)
    outputs = {
        "predict": forest.classes[best].tolist(),
        "label": [labels[i] for i in best],
        "predict_proba": answers.tolist(),
    }
    return Package(
        predictor=IrisPredictor,
        pickled=pickled,
        npz=forest.to_bytes(),
        inputs=FeatureInput(features).specs(),
        outputs=forest_outputs(forest),
        names=Names(features, labels),
        golden=golden_examples(rows.tolist(), outputs),
        evaluation=evaluation or {},
    )


def _telling(rows: FloatArray, answers: FloatArray) -> FloatArray:
    """The rows that are surest of each class; at most `_MAX_EXAMPLES`."""
    surest = dict.fromkeys(answers.argmax(axis=0).tolist())
    return rows[list(surest)[:_MAX_EXAMPLES]]
