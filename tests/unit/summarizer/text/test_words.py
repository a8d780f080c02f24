"""Words: which are the same, which are not, and what numbers count."""

import pytest

from predictors.summarizer.text.words import Quantity, content_words, quantities, stem, tokens


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


@pytest.mark.parametrize(
    "forms",
    [
        "cancel cancels cancelled canceled cancelling cancellation cancellations",
        "terminate terminates terminated terminating termination",
        "renew renewal renewals renewed renewing",
        "collect collects collected collection",
        "liable liability liabilities",
        "pay pays payment payments payable paying",
        "delete deletes deleted deletion",
        "transfer transfers transferred transferring transferable",
        "arbitrate arbitration arbitrator",
        "automatic automatically",
        "policy policies",
    ],
)
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize("words", ["term terminate", "price prize", "notice note", "legal leg", "need new", "free fee"])
def test_other_words_have_other_stems(words: str) -> None:
    one, other = map(stem, words.split())
    assert one != other


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("within 14 days", {Quantity("minutes", 14 * 1440, 14)}),
        ("two (2) business weeks", {Quantity("minutes", 2 * 10080, 2)}),
        ("12 months or a year", {Quantity("months", 12, 12), Quantity("months", 12, 0)}),
        ("€9 monthly", {Quantity("€", 9, 9), Quantity("months", 1, 0)}),
        ("25 USD or US$25", {Quantity("$", 25, 25)}),
        ("8%, eight percent", {Quantity("%", 8, 8)}),
        ("aged 18, section 12.3.1", {Quantity("", 18, 18)}),
        ("on the 15th", {Quantity("th", 15, 15)}),
    ],
)
def test_quantities(text: str, found: set[Quantity]) -> None:
    assert set(quantities(tokens(text)).values()) == found
