import csv
import io
import random
import time

import joblib
import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline

from predictors.intent.model import CLASS_NAMES, UNKNOWN, IntentPredictor, fold_background
from predictors.intent.settings import IntentSettings
from predictors.intent.tfidf import TextClassifier, from_sklearn
from predictors.intent.utterances import utterances
from predictors.serving.errors import ArtifactError
from predictors.serving.model.agreement import Bounds
from predictors.serving.model.types import Job, TextBatch
from predictors.serving.settings import Source
from tests.live import ARTIFACTS, ROOT

UNSEEN = ROOT / "tests/data/intent_unseen.csv"


@pytest.fixture(scope="module")
def predictor() -> IntentPredictor:
    model = IntentPredictor("intent", Source(ARTIFACTS / "intent"))
    model.load()
    return model


def predict(model: IntentPredictor, texts: list[str]) -> tuple[list[str], np.ndarray]:
    outputs = model.infer(TextBatch(texts), Job(time.monotonic() + 60))
    assert isinstance(outputs["predict"], list)
    assert isinstance(outputs["predict_proba"], np.ndarray)
    return outputs["predict"], outputs["predict_proba"]


def unseen() -> list[tuple[str, str]]:
    with UNSEEN.open(newline="", encoding="utf-8") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def test_training_set_is_large_varied_and_disjoint_from_the_unseen_one() -> None:
    texts, named = utterances()
    labels = np.array(named)
    lowered = [text.lower() for text in texts]
    assert len(set(lowered)) == len(lowered)
    for name in CLASS_NAMES:
        assert (labels == name).sum() >= 150
    assert not set(lowered) & {text.lower() for text, _ in unseen()}


def test_unseen_utterances_are_told_apart(predictor: IntentPredictor) -> None:
    known = [(text, label) for text, label in unseen() if label != UNKNOWN]
    labels, _ = predict(predictor, [text for text, _ in known])
    accuracy = np.mean([found == label for found, (_, label) in zip(labels, known, strict=True)])
    assert accuracy >= 0.90


def test_what_is_none_of_the_four_is_unknown(predictor: IntentPredictor) -> None:
    texts = [text for text, label in unseen() if label == UNKNOWN]
    labels, probabilities = predict(predictor, texts)
    assert np.mean([label == UNKNOWN for label in labels]) >= 0.80
    assert np.median(probabilities.max(axis=1)) < 0.4


@pytest.mark.parametrize(
    "text",
    ["asdf", "qwertz", "zzzzzz", "12345", "Preheat the oven to 180C and mix flour, sugar and two eggs.",
     "Guten Morgen, wie geht es Ihnen heute?", "¿Dónde está mi pedido?", "素晴らしいサービスでした", "𝕳𝖊"],
)  # fmt: skip
def test_examples_of_none_of_the_four(predictor: IntentPredictor, text: str) -> None:
    labels, probabilities = predict(predictor, [text])
    assert labels == [UNKNOWN]
    assert probabilities.max() < 0.5


def test_probabilities_sum_to_one(predictor: IntentPredictor) -> None:
    _, probabilities = predict(predictor, [text for text, _ in unseen()])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert probabilities.min() >= 0


def test_the_threshold_can_be_set() -> None:
    never = IntentPredictor("intent", Source(ARTIFACTS / "intent"), IntentSettings(unknown_threshold=0.0))
    always = IntentPredictor("intent", Source(ARTIFACTS / "intent"), IntentSettings(unknown_threshold=1.0))
    never.load()
    always.load()
    assert predict(never, ["asdf"])[0] != [UNKNOWN]
    assert predict(always, ["asdf"])[0] == [UNKNOWN]


def random_texts(count: int) -> list[str]:
    """Texts in the neighbourhood of real ones: cut, joined, misspelt, with odd white space and characters."""
    rng = random.Random(5)
    words = [word for text in utterances()[0] for word in text.split()]
    odd = [
        "İstanbul",
        "ǅungla",
        "ß",
        "naïve",
        "\u200b",
        "\x1c",
        "\u2028",
        "🤖",
        "a_b",
        "l'été",
        "ﬁ",
        "!?",
        "''",
        "\x00",
        "١٢",
    ]
    texts = []
    for _ in range(count):
        parts = rng.choices(words, k=rng.randint(0, 12)) + rng.choices(odd, k=rng.choice([0, 0, 1, 3]))
        rng.shuffle(parts)
        text = rng.choice([" ", "  ", "\t", "\n", ""]).join(parts)
        texts.append("".join(c for c in text if rng.random() > 0.02))
    return texts


def test_equals_scikit_learn_on_10_000_random_texts() -> None:
    pipeline = joblib.load(io.BytesIO((ARTIFACTS / "intent/model.joblib").read_bytes()))
    ours = TextClassifier.from_bytes((ARTIFACTS / "intent/model.npz").read_bytes())
    texts = random_texts(10_000)
    expected = pipeline.predict_proba(texts)
    actual = ours.predict_proba(texts)
    assert ours.classes == tuple(pipeline.classes_)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(np.array(ours.classes)[actual.argmax(axis=1)], pipeline.predict(texts))
    folded = fold_background(actual, ours.classes)
    np.testing.assert_allclose(folded.sum(axis=1), 1.0)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"\x80\x04."])
def test_what_is_no_archive_is_refused(raw: bytes) -> None:
    with pytest.raises(ArtifactError, match="not a text classifier's npz archive"):
        TextClassifier.from_bytes(raw)


def test_an_archive_whose_parts_do_not_fit_is_refused() -> None:
    with np.load(ARTIFACTS / "intent/model.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["coefficients_0"] = arrays["coefficients_0"][:-1]
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with pytest.raises(ArtifactError, match="do not fit together"):
        TextClassifier.from_bytes(buffer.getvalue())


def tiny_pipeline(**options: object) -> Pipeline:
    vectorizer = TfidfVectorizer(**{"sublinear_tf": True, "analyzer": "char_wb", "ngram_range": (1, 2), **options})
    pipeline = Pipeline([("features", FeatureUnion([("c", vectorizer)])), ("classifier", LogisticRegression())])
    return pipeline.fit(["hello", "why", "bad", "good"], list(CLASS_NAMES))


def test_a_pipeline_of_the_same_kind_converts() -> None:
    pipeline = tiny_pipeline()
    np.testing.assert_allclose(from_sklearn(pipeline).predict_proba(["hey you"]), pipeline.predict_proba(["hey you"]))


@pytest.mark.parametrize(
    "options",
    [{"lowercase": False}, {"norm": "l1"}, {"strip_accents": "unicode"}, {"analyzer": "char"}, {"binary": True}],
)
def test_a_vectorizer_that_would_come_out_otherwise_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ArtifactError, match="a TfidfVectorizer with"):
        from_sklearn(tiny_pipeline(**options))


@pytest.mark.parametrize("model", [{}, LogisticRegression(), Pipeline([("classifier", LogisticRegression())])])
def test_another_kind_of_model_is_refused(model: object) -> None:
    with pytest.raises(ArtifactError, match="is expected"):
        from_sklearn(model)


def test_versions_agree_on_the_intent_and_nearly_on_probabilities(predictor: IntentPredictor) -> None:
    ours = predictor.infer(TextBatch(["where is my parcel"]), Job(time.monotonic() + 60))
    probabilities = np.asarray(ours["predict_proba"])
    assert predictor.agrees(ours, {**ours, "predict_proba": probabilities * 0.99}, Bounds())
    assert not predictor.agrees(ours, {**ours, "predict_proba": probabilities * 0.9}, Bounds())
    assert not predictor.agrees(ours, {**ours, "predict": [UNKNOWN]}, Bounds())
    assert predictor.labels == (*CLASS_NAMES, UNKNOWN)
    assert set(ours[predictor.label_output]) <= set(predictor.labels)
