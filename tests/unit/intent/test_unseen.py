"""The quality that the default artifact is held to, on utterances that training never saw."""

from functools import cache

import pytest

from predictors.intent.model import IntentPredictor
from predictors.serving.settings import Source
from tests.live import ARTIFACTS
from tests.unit.intent.unseen import Unseen, measure


@cache
def measured(name: str) -> Unseen:
    model = IntentPredictor("intent", Source(ARTIFACTS / "intent"))
    model.load()
    return measure(model, name)


@pytest.mark.parametrize(("name", "least"), [("intent_unseen", 0.95), ("intent_unseen_2", 0.97)])
def test_right_answers(name: str, least: float) -> None:
    assert measured(name).accuracy >= least


@pytest.mark.parametrize("name", ["intent_unseen", "intent_unseen_2"])
def test_calibration(name: str) -> None:
    assert measured(name).calibration_error <= 0.04


@pytest.mark.parametrize(
    ("name", "least"), [("intent_unseen", 0.95), ("intent_unseen_2", 0.95), ("intent_out_of_scope", 0.9)]
)
def test_texts_without_an_intent_are_unknown(name: str, least: float) -> None:
    assert measured(name).unknown_recall >= least


@pytest.mark.parametrize(
    ("name", "least"), [("intent_unseen", 300), ("intent_unseen_2", 160), ("intent_out_of_scope", 50)]
)
def test_most_of_a_set_is_not_in_the_training_set(name: str, least: int) -> None:
    assert len(measured(name).texts) >= least
