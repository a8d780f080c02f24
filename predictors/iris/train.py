"""Train the iris forest and write its artifact."""

import io
from dataclasses import replace
from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split

from predictors.iris.model import FLOWER_CLASSES, FLOWER_FEATURES
from predictors.iris.pack import package
from predictors.serving.artifacts.reference import Reference
from predictors.serving.drift.columns import CONFIDENCE, PREDICTION, Columns
from predictors.serving.drift.reference import make_reference
from predictors.serving.model.training import Names, Trained, write_artifact

SEED = 20
TREES = 100
HOLD_OUT = 0.2
FOLDS = 5
# One flower of each species.
EXAMPLES = ((5.1, 3.5, 1.4, 0.2), (6.0, 2.7, 5.1, 1.6), (6.3, 3.3, 6.0, 2.5))


def fit() -> tuple[RandomForestClassifier, dict[str, float | int]]:
    """Fit on four fifths of scikit-learn's iris data and measure on the rest.

    Returns:
        The model, and the evaluation figures for the manifest.
    """
    data = load_iris()
    train_x, test_x, train_y, test_y = train_test_split(
        data.data, data.target, test_size=HOLD_OUT, random_state=SEED, stratify=data.target
    )
    model = RandomForestClassifier(n_estimators=TREES, random_state=SEED).fit(train_x, train_y)
    probabilities = model.predict_proba(test_x)
    evaluation = {
        "holdout_accuracy": float(accuracy_score(test_y, probabilities.argmax(axis=1))),
        "holdout_log_loss": float(log_loss(test_y, probabilities)),
        "holdout_rows": len(test_y),
        "training_rows": len(train_y),
        "seed": SEED,
    }
    return model, evaluation


def reference() -> Reference:
    """All of scikit-learn's iris data, and what such forests answer to flowers that they were not fitted on.

    To those that it was fitted on, a forest answers more surely than to others.
    """
    data = load_iris()
    forest = RandomForestClassifier(n_estimators=TREES, random_state=SEED)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    probabilities = cross_val_predict(forest, data.data, data.target, cv=folds, method="predict_proba")
    columns: Columns = {("input", name): column for name, column in zip(FLOWER_FEATURES, data.data.T, strict=True)}
    columns["output", PREDICTION] = [FLOWER_CLASSES[i] for i in probabilities.argmax(axis=1)]
    columns["output", CONFIDENCE] = probabilities.max(axis=1)
    return make_reference(columns, "scikit-learn's iris data; answers out of fold", FLOWER_CLASSES)


def train(directory: Path, version: str) -> Trained:
    """Fit, evaluate, and write ``model.npz``, ``model.joblib`` and ``manifest.json``."""
    model, evaluation = fit()
    pickled = io.BytesIO()
    joblib.dump(model, pickled)
    names = Names(FLOWER_FEATURES, FLOWER_CLASSES)
    made = package(model, pickled.getvalue(), evaluation, names, EXAMPLES)
    return write_artifact(directory, replace(made, reference=reference()), version)
