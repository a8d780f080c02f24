"""Tables in plain text: rows are items below their headers."""

import pytest

from predictors.summarizer.text.clauses import split_clauses
from predictors.summarizer.text.cleaning import clean


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plan      Fee\nBasic     5 euros\nGold      9 euros", "Plan; Fee:\n- Basic; 5 euros.\n- Gold; 9 euros."),
        ("Plan\tFee\n----\t---\nBasic\tfree", "Plan; Fee:\n- Basic; free."),
        ("| Plan | Fee |\n|------|:---:|\n| Plus | €9.50 |\n| Max | |", "Plan; Fee:\n- Plus; €9.50.\n- Max."),
        ("Card ........ $4.95\nLate . . . . . $3 each", "- Card: $4.95.\n- Late: $3 each."),
        ("Card .. $4.95\nLate fee ... 3 euros", "- Card: $4.95.\n- Late fee: 3 euros."),
        ("Call      $1\nText      $2", "- Call: $1.\n- Text: $2."),
        ("A         B          C\nLong one  5 euros    a year\nTwo       6 euros    a month\n                     if paid late", "A; B; C:\n- Long one; 5 euros; a year.\n- Two; 6 euros; a month if paid late."),
        ("┌─────┐\n│ NOTE │\n│ You pay. │\n└─────┘", "NOTE\nYou pay.\n"),
    ],
)  # fmt: skip
def test_tables(text: str, expected: str) -> None:
    assert clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "1.\tFees\n2.\tYou pay.\n(a)\tresell",
        "Name:          Date:",
        "Your plan renews         We may share\nautomatically unless     data with our\nyou cancel it.           partners.",
        "Fees\n-----\nYou pay.",
        "You pay... $5, or nothing.\nAnd we .. well, we pay.",
        "Either | or is written | now and then.",
    ],
)
def test_what_is_no_table_stays(text: str) -> None:
    assert clean(text).text == text


def test_a_row_knows_its_headers_and_its_place() -> None:
    text = "You pay:\n\nPlan      Fee\nBasic     5 euros\nGold      9 euros\n\nIt ends."
    cleaned = clean(text)
    clauses = split_clauses(cleaned.text)
    row = next(clause for clause in clauses if "Gold" in cleaned.text[clause.start : clause.end])
    header = clauses[row.lead_in[-1]]
    assert cleaned.text[header.start : header.end].strip() == "Plan; Fee:"
    low, high = cleaned.original(row.start, row.end)
    assert text[low:high].strip() == "Gold      9 euros"
