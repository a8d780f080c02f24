"""Numbers in one spelling."""

import pytest

from predictors.summarizer.text.numbers import fold_numbers, normal_digits
from predictors.summarizer.text.words import tokens


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1,000", "1000"),
        ("1.000.000", "1000000"),
        ("1 000,50", "1000.5"),
        ("4,99", "4.99"),
        ("0.000", "0"),
        ("007", "7"),
        ("12.3.1", "12.3.1"),
    ],
)
def test_digits_have_one_spelling(written: str, number: str) -> None:
    assert normal_digits(written) == number


@pytest.mark.parametrize(
    ("words", "folded"),
    [
        ("twenty five days", "25 days"),
        ("two hundred and five", "205"),
        ("one thousand and one nights", "1001 nights"),
        ("thirty 30 days", "30 days"),
        ("30 30 days", "30 30 days"),
        ("1.5 million and 2", "1500000 and 2"),
        ("0 million", "1000000"),
        ("a hundred and more", "a 100 and more"),
        ("one of us", "one of us"),
        ("one year", "1 year"),
    ],
)
def test_numbers_that_are_spelled_out_become_digits(words: str, folded: str) -> None:
    assert fold_numbers(words.split()) == folded.split()


@pytest.mark.parametrize("word", ["hundred", "one", "twenty", "thousand", "billion", "and", "hundred and"])
def test_endless_numbers_take_linear_time(word: str) -> None:
    tokens(f"{word} " * 100_000)  # with quadratic work this would not end
