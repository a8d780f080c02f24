"""Train the intent classifier on `utterances.csv` and write its artifact."""

import io
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import FeatureUnion, Pipeline

from predictors.intent.model import BACKGROUND, CLASS_NAMES, fold_background
from predictors.intent.pack import package
from predictors.intent.tfidf import WORD_PATTERN
from predictors.intent.utterances import utterances
from predictors.serving.model.training import Trained, write_artifact
from predictors.serving.model.types import FloatArray

SEED = 20
FOLDS = 5
# Share of the correct answers that may become "unknown", so that texts with none of the four intents do.
GIVEN_UP = 0.05


def pipeline() -> Pipeline:
    """The untrained model."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD_PATTERN)
    chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, max_features=20_000)
    # Converged so far that every machine comes to the same probabilities, to three places.
    classifier = LogisticRegression(C=30, tol=1e-6, max_iter=2_000, random_state=SEED)
    return Pipeline([("features", FeatureUnion([("words", words), ("chars", chars)])), ("classifier", classifier)])


def fit() -> tuple[Pipeline, dict[str, Any], float]:
    """Fit on all utterances; calibrate and measure on out-of-fold predictions.

    Returns:
        The model, evaluation figures, and the threshold below which an intent is unknown.
    """
    texts, named = utterances()
    labels = np.array(named)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    logits = cross_val_predict(pipeline(), texts, labels, cv=folds, method="decision_function")
    model = pipeline().fit(texts, labels)
    classes = tuple(str(name) for name in model.classes_)
    temperature = calibration_temperature(logits, np.searchsorted(model.classes_, labels))
    classifier = model.named_steps["classifier"]
    classifier.coef_ /= temperature  # so that the model's own predict_proba is the calibrated one
    classifier.intercept_ /= temperature
    probabilities = fold_background(np.exp(log_softmax(logits / temperature, axis=1)), classes)
    threshold = choose_threshold(probabilities, labels)
    evaluation = evaluate(probabilities, labels, threshold)
    return model, {**evaluation, "temperature": temperature, "utterances": len(texts), "seed": SEED}, threshold


def calibration_temperature(logits: FloatArray, targets: NDArray[Any]) -> float:
    """The temperature that makes held-out logits ``[N, K]`` most likely.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
    """
    rows = np.arange(len(targets))

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(logits / np.exp(log_temperature), axis=1)[rows, targets].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def choose_threshold(probabilities: FloatArray, labels: NDArray[Any]) -> float:
    """The highest confidence threshold that turns at most `GIVEN_UP` of the correct answers into "unknown"."""
    right = np.array(CLASS_NAMES)[probabilities.argmax(axis=1)] == labels
    return round(float(np.quantile(probabilities.max(axis=1)[right], GIVEN_UP)), 3)


def evaluate(probabilities: FloatArray, labels: NDArray[Any], threshold: float) -> dict[str, float]:
    """Accuracy on held-out probabilities ``[N, 4]``, with and without the threshold, and calibration."""
    known = labels != BACKGROUND
    confidence = probabilities.max(axis=1)
    right = np.array(CLASS_NAMES)[probabilities.argmax(axis=1)] == labels
    return {
        "heldout_accuracy": float(right[known].mean()),
        "heldout_accuracy_with_unknown": float((right & (confidence >= threshold))[known].mean()),
        "heldout_unknown_recall": float((confidence < threshold)[~known].mean()),
        "heldout_calibration_error": expected_calibration_error(confidence[known], right[known]),
    }


def expected_calibration_error(confidence: FloatArray, right: NDArray[Any], bins: int = 10) -> float:
    """Mean distance between confidence and accuracy over equal-width bins, weighted by size (Guo et al. 2017)."""
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (places == i).mean() * abs(confidence[places == i].mean() - right[places == i].mean())
        for i in np.unique(places)
    ]
    return float(sum(gaps))


def train(directory: Path, version: str) -> Trained:
    """Fit, evaluate, and write ``model.npz``, ``model.joblib`` and ``manifest.json``."""
    model, evaluation, threshold = fit()
    pickled = io.BytesIO()
    joblib.dump(model, pickled, compress=3)
    return write_artifact(directory, package(model, pickled.getvalue(), evaluation, threshold), version)
