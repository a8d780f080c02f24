"""What can be told of texts in numbers, and the reference that training makes."""

import math
from pathlib import Path

import numpy as np
import pytest

from predictors.intent.model import IntentPredictor
from predictors.intent.train import unknown_words
from predictors.serving.artifacts.manifest import read_manifest
from predictors.serving.settings import Source


@pytest.fixture(scope="module")
def intent(artifacts: Path) -> IntentPredictor:
    predictor = IntentPredictor("intent", Source(artifacts / "intent"))
    predictor.load()
    return predictor


def test_unknown_words_are_those_that_the_model_has_not_seen(intent: IntentPredictor) -> None:
    texts = ["Hello, how are you?", "HELLO zxqvy", "zxqvy", "?! 🙂", "don\u2019t", "\u200bhello"]
    measured = intent.measure_texts(texts)
    assert measured["text_length"].tolist() == [19, 11, 5, 4, 5, 6]
    assert measured["unknown_words"].tolist() == pytest.approx([0, 0.5, 1, math.nan, 0, 0], nan_ok=True)


def test_only_the_beginning_of_a_text_is_searched_for_words(intent: IntentPredictor) -> None:
    (share,) = intent.measure_texts(["hello " * 100 + "zxqvy " * 1000])["unknown_words"]
    assert share == 0


def test_words_of_a_fold_are_unknown_if_only_it_has_them() -> None:
    texts = ["one two", "two three", "?"]
    folds = [(np.array([1, 2]), np.array([0])), (np.array([0]), np.array([1, 2]))]
    assert unknown_words(texts, folds).tolist() == pytest.approx([0.5, 0.5, math.nan], nan_ok=True)


def test_the_reference_is_out_of_fold(artifacts: Path) -> None:
    """Of texts that it was fitted on, the model knows each word."""
    manifest, _ = read_manifest(artifacts / "intent")
    assert manifest.reference is not None
    found = {each.name: each for each in manifest.reference.distributions}
    assert {*found} == {"text_length", "unknown_words", "prediction", "confidence"}
    assert {each.rows for each in found.values()} == {manifest.evaluation["utterances"]}
    assert 0.1 < sum(found["unknown_words"].counts[1:-1]) / found["unknown_words"].rows < 0.5
    assert found["prediction"].categories == ("complaint", "greeting", "praise", "question", "unknown")
