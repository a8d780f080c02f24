"""How much two summaries say the same."""

import pytest

from predictors.summarizer.text.overlap import word_overlap

PRICE = "- You pay 5 euros a month.\n- Either side may end the contract with 30 days' notice."


@pytest.mark.parametrize(
    "other",
    [
        PRICE,
        PRICE.upper(),
        "- Either side may end the contract with thirty days' notice.\n- You pay €5 monthly, every month.",
        "- 5 euros a month is what you pay.\n- The contract may be ended by either side, with a notice of 30 days.",
    ],
)
def test_the_same_said_otherwise_overlaps(other: str) -> None:
    assert word_overlap(PRICE, other) > 0.7
    assert word_overlap(other, PRICE) == word_overlap(PRICE, other)


@pytest.mark.parametrize(
    "other",
    [
        "", "- Your data is sold to advertisers, and disputes go to arbitration in Delaware.",
        "a a a a the of", "pay " * 200, "lorem ipsum dolor sit amet",
    ],
)  # fmt: skip
def test_something_else_does_not(other: str) -> None:
    assert word_overlap(PRICE, other) < 0.3


def test_it_is_the_f1_of_words_with_repetitions() -> None:
    assert word_overlap("dog cat", "dog cat bird fish") == pytest.approx(4 / 6)
    assert word_overlap("dog dog", "dog") == pytest.approx(2 / 3)
    assert word_overlap("dog", "cat") == 0.0
    assert word_overlap("the dog", "a dog") == 1.0


@pytest.mark.parametrize("nothing", ["", "the", " \n "])
def test_texts_without_words_are_equal(nothing: str) -> None:
    assert word_overlap("", nothing) == 1.0
    assert word_overlap("dog", nothing) == 0.0


def test_a_text_is_compared_as_far_as_a_summary_may_go() -> None:
    assert word_overlap("dog " * 5000, "dog " * 5000 + "cat " * 1_000_000) == 1.0
