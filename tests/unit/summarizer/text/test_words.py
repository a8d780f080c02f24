"""Words as they are compared."""

import pytest

from predictors.summarizer.text.words import content_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Customers were cancelling", ["custom", "cancel"]),
        ("thirty (30) days", ["30", "day"]),
        ("€4.99, 4,99 EUR or $04.99", ["4.99", "4.99", "4.99"]),
        ("1,000 or 1.000 or 1 000 or 1'000.00", ["1000"] * 4),
        ("one hundred and twenty-five", ["125"]),
        ("two thousand five hundred; $1.5 million; £10m", ["2500", "1500000", "10000000"]),
        ("one of the parties, and no one else", ["parti"]),
        ("one (1) year", ["1", "year"]),
        ("ten per cent", ["10"]),
        ("0.50 and 007", ["0.5", "7"]),
        ("Clause 12.3.1", ["claus", "12.3.1"]),
        ("1,234.56 and 1.234,56", ["1234.56", "1234.56"]),
        ("the customer\u2019s fee", ["custom", "fee"]),
        ("US law", ["usa", "law"]),
        ("IT HARMS US", ["harm"]),
        ("", []),
        ("… — !", []),
    ],
)
def test_content_words(text: str, words: list[str]) -> None:
    assert content_words(text) == words
