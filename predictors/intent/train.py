"""Train the intent classifier on `utterances.csv` and write its artifact."""

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import FeatureUnion, Pipeline
from threadpoolctl import threadpool_limits

from predictors.intent.analysis import Analysis
from predictors.intent.calibration import answers, choose_temperature, choose_threshold, evaluate
from predictors.intent.intents import BACKGROUND, Intents
from predictors.intent.normalize import normalize
from predictors.intent.pack import package
from predictors.intent.utterances import utterances
from predictors.serving.artifacts.reference import Reference
from predictors.serving.drift.columns import CONFIDENCE, PREDICTION, Columns
from predictors.serving.drift.reference import make_reference
from predictors.serving.model.training import Trained, write_artifact
from predictors.serving.model.types import FloatArray

SEED = 20
FOLDS = 5
# Words with their apostrophes, each mark and pictograph, and an empty word at the start and the end of a text: "how"
# that starts a text is followed by other words than "how" within one, and "help" alone is not "that helps".
WORD_PATTERN = r"(?u)^|\w+(?:'\w+)*|[?!]+|[^\w\s]|$"
# How far a fit converges: the final one so far that every machine comes to the same probabilities, to three places.
FINAL_TOLERANCE, FOLD_TOLERANCE = 1e-6, 1e-4
# Cosine of two texts' runs of characters from which they are so alike that one fold gets both.
ALIKE = 0.75


def pipeline(tolerance: float = FINAL_TOLERANCE) -> Pipeline:
    """The untrained model, to be fitted up to a tolerance."""
    words = TfidfVectorizer(ngram_range=(1, 3), sublinear_tf=True, token_pattern=WORD_PATTERN)
    chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, max_features=20_000)
    classifier = LogisticRegression(C=30, tol=tolerance, max_iter=2_000, random_state=SEED)
    return Pipeline([("features", FeatureUnion([("words", words), ("chars", chars)])), ("classifier", classifier)])


class Fitted(NamedTuple):
    """What training comes to.

    Args:
        model: fitted on all utterances.
        evaluation: figures, from answers out of fold.
        threshold: the confidence below which an intent is unknown.
        reference: the utterances, and the answers to them out of fold.
    """

    model: Pipeline
    evaluation: dict[str, Any]
    threshold: float
    reference: Reference


def fit() -> Fitted:
    """Fit on all utterances; calibrate and measure on out-of-fold predictions."""
    read, named = utterances()
    texts, labels = [normalize(text) for text in read], np.array(named)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    fold_model, groups = pipeline(FOLD_TOLERANCE), groups_of_alike(texts)
    logits = cross_val_predict(fold_model, texts, labels, groups=groups, cv=folds, method="decision_function")
    model = pipeline().fit(texts, labels)
    intents = Intents.of([str(name) for name in model.classes_])
    temperature = choose_temperature(logits, labels, intents)
    classifier = model.named_steps["classifier"]
    classifier.coef_ /= temperature  # so that the model's own predict_proba is the calibrated one
    classifier.intercept_ /= temperature
    probabilities = answers(logits, temperature, intents)
    threshold = choose_threshold(probabilities, labels, intents)
    evaluation = evaluate(probabilities, labels, intents, threshold)
    columns: Columns = {
        ("input", "text_length"): np.array([len(text) for text in read], dtype=np.float64),
        ("input", "unknown_words"): unknown_words(texts, list(folds.split(texts, labels, groups))),
        ("output", PREDICTION): [*intents.called(probabilities, threshold)],
        ("output", CONFIDENCE): probabilities.max(axis=1),
    }
    reference = make_reference(columns, "the utterances of training; answers and words out of fold", intents.names)
    evaluation |= {"temperature": temperature, "utterances": len(texts), "seed": SEED}
    return Fitted(model, evaluation, threshold, reference)


def unknown_words(texts: Sequence[str], folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> FloatArray:
    """For each text, ``[N]``, the share of its words that are in none of the texts outside its fold."""
    analysis = Analysis("word", 1, 1, pattern=WORD_PATTERN)
    words = [analysis.words(analysis.prepared(text)) for text in texts]
    shares = np.full(len(texts), np.nan)
    for fitted, held_out in folds:
        known = {word for i in fitted for word in words[i]}
        for i in held_out:
            if words[i]:
                shares[i] = sum(word not in known for word in words[i]) / len(words[i])
    return shares


def groups_of_alike(texts: Sequence[str]) -> NDArray[np.int64]:
    """For each text, ``[N]``, the place of the first text that leads its group: one that it is nearly equal to."""
    runs = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True).fit_transform(texts)
    cosines = (runs @ runs.T).tocsr()
    cosines.data[cosines.data < ALIKE] = 0
    cosines.eliminate_zeros()
    cosines.sort_indices()
    leaders = np.arange(len(texts))
    for i, (start, end) in enumerate(pairwise(cosines.indptr)):
        alike = cosines.indices[start:end]
        earlier = alike[alike < i]
        leading = earlier[leaders[earlier] == earlier]
        leaders[i] = leading[0] if len(leading) else i
    return leaders


def train(directory: Path, version: str) -> Trained:
    """Fit, evaluate, and write ``model.npz``, ``model.joblib`` and ``manifest.json``."""
    # A pool's threads sum in another order for each number of cores, and spin while they wait.
    with threadpool_limits(1):
        fitted = fit()
    pickled = io.BytesIO()
    joblib.dump(fitted.model, pickled, compress=3)
    settings = {"unknown_threshold": fitted.threshold, "background_class": BACKGROUND, "normalize": True}
    made = package(fitted.model, pickled.getvalue(), fitted.evaluation, settings)
    return write_artifact(directory, replace(made, reference=fitted.reference), version)
