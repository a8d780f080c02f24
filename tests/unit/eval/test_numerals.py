"""Numbers are read from digits and words."""

import pytest

from tests.eval.language import stem, tokens
from tests.eval.numerals import numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("€4.99, $1,000 and 4,99 %", {4.99, 1000}),
        ("250,000.50 or 2.50", {250000.5, 2.5}),
        ("thirty, twenty-six, twenty six and ninety", {30, 26, 90}),
        ("one hundred and fifty", {150}),
        ("two thousand five hundred and five", {2505}),
        ("three million two hundred thousand", {3_200_000}),
        ("a hundred; 20 thousand", {100, 20_000}),
        ("between five and ten, or two or three", {5, 10, 2, 3}),
        ("three thirty-day periods", {3, 30}),
        ("no more than one, 0, 1 or zero", set()),
        ("an A4 sheet, flat 2C, the 14th", {2, 14}),
        ("3. As clause 4.1 and Section 7 say, 5 days", {5}),
        ("5.2 Within 28 days", {28}),
        ("hundreds of thousands", set()),
        ("five hundred a month, a five-day week", {500, 5}),
        ("", set()),
    ],
)
def test_numbers_are_read_from_digits_and_words(text: str, expected: set[float]) -> None:
    assert numbers(text) == expected


def test_a_word_has_one_stem_in_all_forms() -> None:
    assert len({stem(word) for word in ("cancel", "cancels", "cancelled", "cancellation")}) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You may not cancel within thirty (30) days.", "YOU FORBID cancel WITHIN 30 days ."),
        ("Nobody may resell; the fee is non-refundable.", "FORBID resell ; the fee is NOT refundable ."),
        ("The tenant's deposit, in May 2026", "the YOURS deposit , in fifthmonth 2026"),
        ("You don\u2019t have to pay US$75 unless we ask.", "YOU NEEDNOT pay $ 75 UNLESS WE ask ."),
        ("No later than 5 days after delivery", "WITHIN 5 days AFTER delivery"),
    ],
)
def test_what_decides_has_one_spelling(text: str, expected: str) -> None:
    assert " ".join(tokens(text)) == expected
