"""Markdown: what is left out, and tables."""

import pytest

from predictors.extraction.markdown import read_markdown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\ntitle: x\n---\nYou pay.\n", "You pay.\n"),
        ("---\ntitle: x\n---", ""),
        ("---\n\nYou pay.\n\n---\n\nYou may leave.\n", "---\n\nYou pay.\n\n---\n\nYou may leave.\n"),
        ("---\nYou pay each month.\n---\nYou may leave.\n", "---\nYou pay each month.\n---\nYou may leave.\n"),
    ],
)
def test_front_matter_goes_but_what_is_between_rules_stays(text: str, expected: str) -> None:
    assert read_markdown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("~~You pay 5 euros.~~ You pay 6 euros.", " You pay 6 euros."),
        ("You pay ~~5\nor 7~~6 euros.", "You pay 6 euros."),
        ("You pay <del>5</del> 6 euros.", "You pay  6 euros."),
        ("It takes ~5 to ~~ 6 days, ~~ 7 at most.", "It takes ~5 to ~~ 6 days, ~~ 7 at most."),
        ("~~You pay.\n\nWe pay~~.", "~~You pay.\n\nWe pay~~."),
        ("~~~\nYou pay.\n~~~", "~~~\nYou pay.\n~~~"),
    ],
)
def test_struck_through_text_goes(text: str, expected: str) -> None:
    assert read_markdown(text) == expected


def test_marks_of_footnotes_go_and_their_texts_stay() -> None:
    assert read_markdown("You pay $5[^1] a month.\n\n[^1]: In Ohio $7.") == "You pay $5 a month.\n\nIn Ohio $7."


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("| Plan | Fee |\n|---|:-:|\n| Basic | $5 |\n| Gold | $9 |", ["Plan: Basic; Fee: $5.", "Plan: Gold; Fee: $9."]),
        ("Plan | Fee\n--- | ---\nBasic | $5<br>a month", ["Plan: Basic; Fee: $5 a month."]),
        ("| Plan | Fee |\n| - | - |\n| A \\| B | **$5** |\n", ["Plan: A | B; Fee: **$5**."]),
    ],
)
def test_tables_row_by_row(table: str, expected: list[str]) -> None:
    found = read_markdown(f"Prices:\n{table}\n\nYou pay.")
    assert [line for line in found.split("\n") if line] == ["Prices:", *expected, "You pay."]


@pytest.mark.parametrize("text", ["You pay | we pay.\nYou may leave.", "a | b\n\n--- | ---\n", "| a\n|"])
def test_bars_alone_are_no_table(text: str) -> None:
    assert read_markdown(text) == text


@pytest.mark.parametrize("piece", ["~~a", "[^", "|-", "| - |\n", "<del>", "---\n", "a|\n-|\n"])
def test_hostile_texts_are_read_in_linear_time(piece: str) -> None:
    assert read_markdown(piece * (200_000 // len(piece)))  # with quadratic work this would not end
