import io
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import FeatureUnion, Pipeline

from predictors.intent.model import CLASS_NAMES
from predictors.intent.pack import package
from predictors.intent.tfidf import WORD_PATTERN
from predictors.serving.errors import ArtifactError
from tests.live import ARTIFACTS


def pipeline(vectorizer: Any = None, classifier: Any = None) -> Pipeline:
    words = vectorizer or TfidfVectorizer(sublinear_tf=True, token_pattern=WORD_PATTERN)
    return Pipeline(
        [("features", FeatureUnion([("words", words)])), ("classifier", classifier or LogisticRegression())]
    )


def fit(model: Pipeline, classes: tuple[str, ...] = CLASS_NAMES) -> Pipeline:
    return model.fit([f"{name} text {number}" for number in range(3) for name in classes], list(classes) * 3)


def test_the_pickle_free_form_is_the_models_own() -> None:
    raw = (ARTIFACTS / "intent/model.joblib").read_bytes()
    packed = package(joblib.load(io.BytesIO(raw)), raw, unknown_threshold=0.4)
    assert packed.npz == (ARTIFACTS / "intent/model.npz").read_bytes()
    assert packed.settings == {"unknown_threshold": 0.4}
    for golden in packed.golden:
        assert sum(golden.output["predict_proba"]) == pytest.approx(1)


def test_a_model_without_the_background_class_has_no_threshold() -> None:
    packed = package(fit(pipeline()), b"")
    assert packed.settings == {}
    assert [len(golden.output["predict_proba"]) for golden in packed.golden] == [4] * 4


def test_other_probabilities_than_scikit_learns_are_refused() -> None:
    model = fit(pipeline())
    classifier = model.named_steps["classifier"]
    own = classifier.predict_proba
    classifier.predict_proba = lambda rows: own(rows) + 2e-6
    with pytest.raises(ArtifactError, match="as plain arrays, the model gives other probabilities than scikit-learn"):
        package(model, b"")


def test_weights_that_the_arrays_do_not_have_are_found_on_the_utterances() -> None:
    model = pipeline()
    model.named_steps["features"].transformer_weights = {"words": 0.5}
    with pytest.raises(ArtifactError, match="they differ by up to"):
        package(fit(model), b"")


EXPECTED = "a pipeline of a FeatureUnion of TfidfVectorizers and a LogisticRegression is expected"


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({}, EXPECTED),
        (RandomForestClassifier(2).fit(np.eye(4), [0, 1, 2, 0]), EXPECTED),
        (pipeline(), EXPECTED),
        (fit(pipeline(classifier=SGDClassifier(loss="log_loss"))), EXPECTED),
        (fit(pipeline(CountVectorizer())), "a TfidfVectorizer with norm='l2' is expected"),
        (fit(pipeline(TfidfVectorizer(use_idf=False, sublinear_tf=True))), "with use_idf=True is expected"),
        (fit(pipeline(TfidfVectorizer(tokenizer=str.split, token_pattern=None, sublinear_tf=True))), "tokenizer=None"),
        (fit(pipeline(), ("yes", "no")), "fewer than 3 classes"),
        (fit(pipeline(), ("yes", "no", "perhaps")), "the classifier knows no, perhaps, yes; greeting, question"),
    ],
    ids=["dict", "forest", "unfitted", "another classifier", "counts", "no idf", "tokenizer", "two classes", "others"],
)
def test_other_models_are_refused(model: Any, says: str) -> None:
    with pytest.raises(ArtifactError, match=says):
        package(model, b"")
