import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.intent.intents import BACKGROUND, CLASS_NAMES, UNKNOWN
from predictors.intent.model import IntentPredictor
from predictors.intent.normalize import normalize
from predictors.intent.settings import IntentSettings
from predictors.intent.utterances import utterances
from predictors.serving.model.agreement import Bounds
from predictors.serving.model.types import Job, TextBatch
from predictors.serving.settings import Source
from tests.live import ARTIFACTS


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


def test_training_set_is_large_and_has_no_text_twice() -> None:
    texts, named = utterances()
    labels = np.array(named)
    read = [normalize(text).lower() for text in texts]
    assert len(set(read)) == len(read)
    assert set(named) == {*CLASS_NAMES, BACKGROUND}
    for name in CLASS_NAMES:
        assert (labels == name).sum() >= 1_000


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Hi", "greeting"),
        ("Hello", "greeting"),
        ("Hi, How are you?", "greeting"),
        ("How to reset password?", "question"),
        ("I want to cancel my subscription.", "question"),
        ("Great service!", "praise"),
        ("I'd like to speak to a manager", "question"),
        ("help", "question"),
        ("how dare you", "complaint"),
        ("how lovely!", "praise"),
        ("worst purchase i've ever made", "complaint"),
        ("👍", "praise"),
        ("❤️", "praise"),
        ("👋🏽", "greeting"),
        ("😡😡😡", "complaint"),
        ("hello, my order is late and I'm furious", "complaint"),
        ("what is the mitochondria", "question"),
    ],
)
def test_what_anyone_tries_first(predictor: IntentPredictor, text: str, intent: str) -> None:
    labels, probabilities = predict(predictor, [text])
    assert labels == [intent]
    assert probabilities.max() >= 0.6


@pytest.mark.parametrize(
    "text",
    ["asdf", "qwertz", "zzzzzz", "12345", "the mitochondria is the powerhouse of the cell",
     "Preheat the oven to 180C and mix flour, sugar and two eggs.",
     "Guten Morgen, wie geht es Ihnen heute?", "¿Dónde está mi pedido?", "素晴らしいサービスでした", "𝕳𝖊"],
)  # fmt: skip
def test_examples_of_none_of_the_four(predictor: IntentPredictor, text: str) -> None:
    labels, probabilities = predict(predictor, [text])
    assert labels == [UNKNOWN]
    assert probabilities.max() < 0.5


def test_probabilities_sum_to_one(predictor: IntentPredictor) -> None:
    _, probabilities = predict(predictor, utterances()[0][:500])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert probabilities.min() >= 0


@given(
    st.sampled_from(utterances()[0]),
    st.lists(st.tuples(st.integers(0, 200), st.sampled_from("\ufeff\u200b\u200e\u00ad\ufe0f")), min_size=1, max_size=5),
)
def test_marks_that_are_not_seen_change_no_answer(
    predictor: IntentPredictor, text: str, marks: list[tuple[int, str]]
) -> None:
    marked = text
    for place, mark in marks:
        at = place % (len(marked) + 1)
        marked = marked[:at] + mark + marked[at:]
    (plain, same), probabilities = predict(predictor, [text, marked])
    assert same == plain
    assert probabilities[0].tolist() == probabilities[1].tolist()


def test_the_threshold_can_be_set() -> None:
    never = IntentPredictor("intent", Source(ARTIFACTS / "intent"), IntentSettings(unknown_threshold=0.0))
    always = IntentPredictor("intent", Source(ARTIFACTS / "intent"), IntentSettings(unknown_threshold=1.0))
    never.load()
    always.load()
    assert predict(never, ["asdf"])[0] != [UNKNOWN]
    assert predict(always, ["asdf"])[0] == [UNKNOWN]


def test_versions_agree_on_the_intent_and_nearly_on_probabilities(predictor: IntentPredictor) -> None:
    ours = predictor.infer(TextBatch(["where is my parcel"]), Job(time.monotonic() + 60))
    probabilities = np.asarray(ours["predict_proba"])
    assert predictor.agrees(ours, {**ours, "predict_proba": probabilities * 0.99}, Bounds())
    assert not predictor.agrees(ours, {**ours, "predict_proba": probabilities * 0.9}, Bounds())
    assert not predictor.agrees(ours, {**ours, "predict": [UNKNOWN]}, Bounds())
    assert predictor.labels == (*CLASS_NAMES, UNKNOWN)
    assert set(ours[predictor.label_output]) <= set(predictor.labels)
