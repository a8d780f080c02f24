"""Make a package of a fitted pipeline: its pickle-free form, checked against scikit-learn, and golden examples."""

from collections.abc import Mapping
from typing import Any

from predictors.intent.model import CLASS_NAMES, IntentPredictor, check_classes, fold_background
from predictors.intent.tfidf import TextClassifier, from_sklearn
from predictors.intent.utterances import utterances
from predictors.serving.model.training import Package, check_agreement, golden_examples

_EXAMPLES = [
    "good morning everyone",
    "when will my parcel arrive",
    "the app crashes all the time",
    "great service, thank you",
]


def package(
    model: Any,
    pickled: bytes,
    evaluation: Mapping[str, Any] | None = None,
    unknown_threshold: float | None = None,
) -> Package:
    """Convert a fitted pipeline of TF-IDF and logistic regression.

    Args:
        model: knows the four intents, and at most the background class besides.
        pickled: its joblib file.
        evaluation: how good it is, if that was measured.
        unknown_threshold: probability below which an intent is unknown; none ever is if omitted.

    Raises:
        ArtifactError: it is another kind of model, or the two forms do not agree.
    """
    classifier = from_sklearn(model)
    check_classes(classifier)
    npz = classifier.to_bytes()
    texts = [*_EXAMPLES, *utterances()[0]]
    probabilities = model.predict_proba(texts)
    check_agreement(TextClassifier.from_bytes(npz).predict_proba(texts), probabilities)
    examples = fold_background(probabilities[: len(_EXAMPLES)], classifier.classes)
    return Package(
        predictor=IntentPredictor,
        pickled=pickled,
        npz=npz,
        class_names=CLASS_NAMES,
        golden=golden_examples(_EXAMPLES, {"predict_proba": examples.tolist()}),
        settings={} if unknown_threshold is None else {"unknown_threshold": unknown_threshold},
        evaluation=evaluation or {},
    )
