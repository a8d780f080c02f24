"""Pipelines with settings of their own: what becomes of them, and that their answers are scikit-learn's."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from predictors.intent import proof
from predictors.intent.conversion import from_sklearn
from predictors.intent.proof import convert
from predictors.intent.tfidf import TextClassifier
from predictors.serving.errors import ArtifactError

TEXTS = [
    "Where is my parcel?", "When do you open?", "How do I pay?", "Is it in stock?",
    "The app crashes, AGAIN!", "This is broken", "my order is late", "It's the worst tea",
    "Great service, thank you!", "I love it", "what a lovely café", "Déjà vu, très bien!",
    "Blue chairs", "seven trees by the river", "naïve Élan", "co-op no. 7",
] * 3  # fmt: skip
CLASSES = ["ask", "moan", "cheer", "none"]
LABELS = [name for name in CLASSES for _ in range(4)] * 3


def assert_equal(pipeline: Pipeline) -> None:
    ours, texts = convert(pipeline)
    stored = TextClassifier.from_bytes(ours.to_bytes())
    expected = pipeline.predict_proba([*texts, *TEXTS, ""])
    np.testing.assert_allclose(stored.predict_proba([*texts, *TEXTS, ""]), expected, rtol=0, atol=1e-9)
    assert stored.classes == tuple(map(str, pipeline.classes_))


COUNTS: dict[str, st.SearchStrategy[Any]] = {
    "analyzer": st.sampled_from(["word", "char", "char_wb"]),
    "ngram_range": st.sampled_from([(1, 1), (1, 2), (2, 3), (3, 3), (1, 4)]),
    "lowercase": st.booleans(),
    "strip_accents": st.sampled_from([None, "ascii", "unicode"]),
    "binary": st.booleans(),
    "stop_words": st.sampled_from([None, "english", ["my", "it"]]),
    "token_pattern": st.sampled_from([r"(?u)\b\w\w+\b", r"(?u)\b\w+\b|[?!]", r"\S+", r"\b(\w)\w*"]),
    "max_features": st.sampled_from([None, 30]),
    "min_df": st.sampled_from([1, 4]),
}
WEIGHTS: dict[str, st.SearchStrategy[Any]] = {
    "norm": st.sampled_from([None, "l1", "l2"]),
    "use_idf": st.booleans(),
    "smooth_idf": st.booleans(),
    "sublinear_tf": st.booleans(),
}
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "softmax": LogisticRegression,
    "no intercept": lambda: LogisticRegression(C=20, fit_intercept=False),
    "cross-validated": lambda: LogisticRegressionCV(Cs=2, cv=2),
    "one against the rest": lambda: OneVsRestClassifier(LogisticRegression(C=5)),
    "gradient descent": lambda: SGDClassifier(loss="log_loss", random_state=0),
    "naive": MultinomialNB,
}


@st.composite
def vectorizers(draw: st.DrawFn) -> list[Any]:
    """A TF-IDF vectorizer, a vectorizer of counts, or one with a transformer behind it."""
    counts, weights = draw(st.fixed_dictionaries(COUNTS)), draw(st.fixed_dictionaries(WEIGHTS))
    return draw(
        st.sampled_from(
            [
                [TfidfVectorizer(**counts, **weights)],
                [CountVectorizer(**counts)],
                [CountVectorizer(**counts), TfidfTransformer(**weights)],
            ]
        )
    )


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    """Vectorizers, alone or as a union, and a classifier."""
    classifier = CLASSIFIERS[draw(st.sampled_from(sorted(CLASSIFIERS)))]()
    if draw(st.booleans()):
        return make_pipeline(*draw(vectorizers()), classifier)
    parts = [
        steps[0] if len(steps) == 1 else make_pipeline(*steps)
        for steps in draw(st.lists(vectorizers(), min_size=1, max_size=3))
    ]
    names = [f"part{i}" for i in range(len(parts))]
    weights = draw(st.none() | st.fixed_dictionaries({"part0": st.floats(0.1, 5)}))
    return make_pipeline(FeatureUnion([*zip(names, parts, strict=True)], transformer_weights=weights), classifier)


@settings(max_examples=25, deadline=None)
@given(pipeline=pipelines(), binary=st.booleans())
def test_any_settings(pipeline: Pipeline, binary: bool) -> None:
    labels = [str(label == "ask") for label in LABELS] if binary else LABELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # settings that do nothing, fits that do not converge
        try:
            pipeline.fit(TEXTS, labels)
        except ValueError:  # no term is left
            reject()
        assert_equal(pipeline)


@pytest.mark.parametrize(
    ("labels", "names"),
    [([0, 1], ("0", "1")), ([0.0, 2.0], ("0", "2")), ([False, True], ("False", "True")), (["b", "ä"], ("b", "ä"))],
)
def test_labels_of_any_kind_have_names(labels: list[Any], names: tuple[str, ...]) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, labels * (len(TEXTS) // 2))
    assert convert(pipeline)[0].classes == names


def test_a_part_that_is_dropped_and_a_step_that_does_nothing() -> None:
    union = FeatureUnion([("off", "drop"), ("words", TfidfVectorizer())])
    assert_equal(Pipeline([("a", union), ("b", "passthrough"), ("c", LogisticRegression())]).fit(TEXTS, LABELS))


@pytest.mark.parametrize("classifier", [OneVsRestClassifier(LogisticRegression()), SGDClassifier(loss="log_loss")])
def test_texts_that_no_class_claims(classifier: Any) -> None:
    """Where all probabilities are 0 before they are scaled, one of scikit-learn's classifiers says 0, another 1 / K."""
    pipeline = make_pipeline(TfidfVectorizer(), classifier).fit(TEXTS, LABELS)
    for estimator in getattr(classifier, "estimators_", [classifier]):
        estimator.intercept_ -= 900
    assert_equal(pipeline)


def test_coefficients_that_are_stored_sparsely() -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression(C=0.1, l1_ratio=1, solver="saga")).fit(TEXTS, LABELS)
    pipeline[-1].sparsify()
    assert_equal(pipeline)


def test_what_a_search_found() -> None:
    search = GridSearchCV(
        make_pipeline(TfidfVectorizer(), LogisticRegression()), {"logisticregression__C": [1, 9]}, cv=2
    )
    assert_equal(search.fit(TEXTS, LABELS))


def test_a_vocabulary_of_ones_own() -> None:
    assert_equal(
        make_pipeline(TfidfVectorizer(vocabulary=["where", "late", "love"]), LogisticRegression()).fit(TEXTS, LABELS)
    )


class Mine(TfidfVectorizer):  # type: ignore[misc]
    """A vectorizer with a method of its own."""

    def build_preprocessor(self) -> Any:
        return str.upper


class MyRegression(LogisticRegression):  # type: ignore[misc]
    """A classifier with a method of its own."""


def clean(text: str) -> str:
    return text


def fit(*steps: Any) -> Pipeline:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_pipeline(*steps).fit(TEXTS, LABELS)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({}, ["not a dict"]),
        (LogisticRegression(), ["not a LogisticRegression"]),
        (make_pipeline(TfidfVectorizer(), LogisticRegression()), ["tfidfvectorizer is not fitted", "logisticregression is a LogisticRegression that is not fitted"]),
        (fit(TfidfVectorizer(preprocessor=clean), LogisticRegression()), ["tfidfvectorizer has preprocessor=clean"]),
        (fit(TfidfVectorizer(tokenizer=str.split), LogisticRegression()), ["tokenizer=split"]),
        (fit(TfidfVectorizer(analyzer=str.split), LogisticRegression()), ["analyzer=split"]),
        (fit(TfidfVectorizer(strip_accents=clean), LogisticRegression()), ["strip_accents=clean"]),
        (fit(TfidfVectorizer(dtype=np.float32), LogisticRegression()), ["dtype=float32"]),
        (fit(CountVectorizer(dtype=np.int32), LogisticRegression()), ["dtype=int32"]),
        (fit(Mine(), LogisticRegression()), ["a Mine, a TfidfVectorizer with code of its own"]),
        (fit(HashingVectorizer(), LogisticRegression()), ["a HashingVectorizer, which it does not know"]),
        (fit(TfidfVectorizer(), TruncatedSVD(3), LogisticRegression()), ["the step truncatedsvd is a TruncatedSVD, which it does not know"]),
        (fit(TfidfVectorizer(), MyRegression()), ["a MyRegression, which it does not know"]),
        (fit(TfidfVectorizer(), LinearSVC()), ["a LinearSVC, which gives no probabilities"]),
        (fit(TfidfVectorizer(), RidgeClassifier()), ["a RidgeClassifier, which gives no probabilities"]),
        (fit(TfidfVectorizer(), SGDClassifier(loss="modified_huber")), ["loss='modified_huber'"]),
        (fit(TfidfVectorizer(), ComplementNB()), ["a ComplementNB, which it does not know"]),
        (fit(TfidfVectorizer(), CalibratedClassifierCV(LinearSVC())), ["a CalibratedClassifierCV, which it does not know"]),
        (fit(TfidfVectorizer(), OneVsRestClassifier(MultinomialNB())), ["an OneVsRestClassifier of a MultinomialNB"]),
        (
            fit(FeatureUnion([("a", TfidfVectorizer(preprocessor=clean, dtype=np.float32)), ("b", Mine())]), TruncatedSVD(2), RidgeClassifier()),
            ["a has dtype=float32, preprocessor=clean", "the step b is a Mine", "the step truncatedsvd", "a RidgeClassifier, which gives no"],
        ),
    ],
)  # fmt: skip
def test_all_that_is_not_understood_is_said_at_once(model: Any, says: list[str]) -> None:
    with pytest.raises(ArtifactError) as refusal:
        from_sklearn(model)
    for part in says:
        assert part in str(refusal.value)
    assert ("the kind sklearn serves it" in str(refusal.value)) == hasattr(model, "predict")


def test_a_setting_of_a_later_scikit_learn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = fit(TfidfVectorizer(), LogisticRegression())
    own = TfidfVectorizer.get_params
    monkeypatch.setattr(TfidfVectorizer, "get_params", lambda self, deep: own(self, deep) | {"stemmer": "porter"})
    with pytest.raises(ArtifactError, match="tfidfvectorizer has stemmer='porter', which it does not understand"):
        from_sklearn(pipeline)


def test_several_classes_at_once_are_refused() -> None:
    labels = np.array([[label == "ask", label == "moan"] for label in LABELS]).astype(int)
    pipeline = make_pipeline(TfidfVectorizer(), OneVsRestClassifier(LogisticRegression())).fit(TEXTS, labels)
    with pytest.raises(ArtifactError, match="gives a text several classes at once"):
        from_sklearn(pipeline)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("weighting", {"sublinear": True}),
        ("weighting", {"binary": True}),
        ("weighting", {"norm": "l1"}),
        ("analysis", {"lowercase": False}),
        ("analysis", {"low": 2, "high": 2}),
        ("analysis", {"accents": "unicode"}),
        ("analysis", {"pattern": r"\w{3,}"}),
    ],
)
def test_a_setting_that_was_overlooked_is_found_by_asking_both(
    part: str, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof does not rely on the list of settings."""
    texts = [*TEXTS, *(f"{text} {text} a très cher b" for text in TEXTS)]
    pipeline = make_pipeline(TfidfVectorizer(max_features=90), LogisticRegression(C=50)).fit(texts, LABELS * 2)

    def careless(model: Pipeline) -> TextClassifier:
        right = from_sklearn(model)
        block = right.blocks[0]
        return replace(right, blocks=(replace(block, **{part: replace(getattr(block, part), **change)}),))

    assert convert(pipeline)
    monkeypatch.setattr(proof, "from_sklearn", careless)
    with pytest.raises(ArtifactError, match="as plain arrays, the model gives other probabilities"):
        convert(pipeline)
