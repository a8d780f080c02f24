"""When two versions of the summarizer agree."""

from pathlib import Path

import pytest

from predictors.serving.model.agreement import Bounds
from predictors.serving.model.types import Outputs
from predictors.serving.settings import Source
from predictors.summarizer.model import SummarizerPredictor

PRICE = "- You pay 5 euros a month.\n- Either side may end the contract with 30 days' notice."
PRICE_TOO = "- Every month you pay €5.\n- Either side may end the contract."
DATA = "- Your data is sold to advertisers."


def summaries(*texts: str) -> Outputs:
    return {"summary": list(texts)}


@pytest.mark.parametrize(
    ("ours", "theirs", "agree"),
    [
        ((PRICE,), (PRICE_TOO,), True),
        ((PRICE,), (DATA,), False),
        ((PRICE,), ("",), False),
        (("",), ("",), True),
        ((PRICE, DATA), (PRICE_TOO, DATA), True),
        ((PRICE, DATA), (PRICE_TOO, PRICE), False),
    ],
)
def test_versions_agree_if_each_summary_says_much_the_same(
    ours: tuple[str, ...], theirs: tuple[str, ...], agree: bool
) -> None:
    predictor = SummarizerPredictor("summarizer", Source(Path()))
    assert predictor.agrees(summaries(*ours), summaries(*theirs), Bounds()) is agree


def test_how_much_is_a_setting() -> None:
    predictor = SummarizerPredictor("summarizer", Source(Path()))
    assert not predictor.agrees(summaries(PRICE), summaries(PRICE_TOO), Bounds(min_overlap=0.95))
    assert predictor.agrees(summaries(PRICE), summaries(DATA), Bounds(min_overlap=0.0))


def test_what_a_deadline_cut_short_is_not_final() -> None:
    predictor = SummarizerPredictor("summarizer", Source(Path()))
    assert predictor.is_final({"finish_reason": ["stop", "length"]})
    assert not predictor.is_final({"finish_reason": ["stop", "deadline"]})
