"""Digests: what is chosen, and that every point of every evaluation document is made of its clauses' words."""

import random
from pathlib import Path

import pytest

from predictors.summarizer.text.digest import digest, room
from predictors.summarizer.text.document import Document
from tests.unit.summarizer.text.guarantee import is_compression

SET = Path(__file__).parents[3] / "eval/set"
TOKENS_PER_WORD = 1.4


def count(text: str) -> int:
    return round(len(text.split()) * TOKENS_PER_WORD)


def document(text: str) -> Document:
    return Document(text, lambda piece: [0] * count(piece), 1000)


def said(text: str, limit: int | None = None) -> list[str]:
    return [draft.whole.text for draft in digest(document(text), "fast", limit, count).drafts]


def bare(text: str) -> str:
    """A text without what parts its words: white space, and the punctuation between the cells of a table."""
    return "".join(character for character in text if character not in ".,;:-" and not character.isspace())


@pytest.mark.parametrize("name", sorted(directory.name for directory in SET.iterdir()))
def test_every_point_is_its_clauses_words_with_nothing_left_out_that_decides(name: str) -> None:
    text = (SET / name / "document.txt").read_text("utf-8")
    source = document(text)
    chance = random.Random(name)
    words = text.split()
    for draft in digest(source, "full", None, count).drafts:
        cited = [text[start:end] for start, end in source.spans(draft.passage.clauses)]
        answers = ["Nothing of the kind.", draft.question, " ".join(chance.choices(words, k=12))]
        for bullet in (draft.whole, *map(draft.shortened, answers)):
            assert is_compression(bullet.text, cited), (bullet.text, cited)
            assert "…" not in bullet.text or "…" in "".join(cited)
            if bullet.whole and len(draft.passage.clauses) == 1:
                assert bare(bullet.text) in bare(cited[0])


@pytest.mark.parametrize("name", ["gym-membership", "airline-conditions"])
def test_a_digest_is_shorter_than_its_document(name: str) -> None:
    text = (SET / name / "document.txt").read_text("utf-8")
    tokens = count(text)
    points = said(text)
    assert 0 < sum(map(count, points)) <= 0.7 * tokens
    assert len(set(points)) == len(points)
    limited = said(text, 200)
    assert 100 < sum(map(count, limited)) <= 200


def test_what_matters_is_said_and_pleasantries_are_not() -> None:
    text = """Welcome to our gym! Thank you for choosing us. Please read these terms with a cup of tea.

The fee is £42 a month. There is a minimum term of twelve months. The walls are green. Our team is proud of it.
If any provision is invalid, the remaining provisions stay in force. This is the entire agreement.
"""
    assert said(text) == ["The fee is £42 a month.", "There is a minimum term of twelve months."]


def test_sentences_in_capitals_are_said_as_well() -> None:
    text = "You pay 9 euros a month. We may end this agreement without notice. THE TENANT MUST NOT SUBLET THE FLAT."
    assert said(text) == [
        "You pay 9 euros a month.",
        "We may end this agreement without notice.",
        "THE TENANT MUST NOT SUBLET THE FLAT.",
    ]


def test_a_sentence_with_numbers_of_its_own_is_no_repetition() -> None:
    rows = [f"Returning the car late by {i} hours costs {10 * i} euros for you." for i in range(2, 8)]
    filler = "The hall is open to members on Mondays, and the garden is open to guests and members on Tuesdays. "
    points = said(f"{' '.join(rows)} {filler * 20}")
    assert [point for point in points if "euros" in point] == rows


def test_a_document_of_one_long_sentence_is_said_whole() -> None:
    text = f"You pay 9 euros for {'whatever you order and ' * 300}nothing else."
    assert said(text) == [text]
    assert said(text, limit=100) == []


def test_the_room_of_a_digest_grows_more_slowly_than_its_document() -> None:
    assert room(100, "fast") == 120
    assert room(1000, "fast") == 650
    assert room(20_000, "fast") < 0.25 * 20_000
    assert room(20_000, "fast") < room(20_000, "full")
    assert room(40_000, "fast") < 2 * room(20_000, "fast")
    assert room(500_000, "fast") == room(1_000_000, "fast")


@pytest.mark.parametrize(
    ("text", "points"),
    [
        (
            "## We never\n\n- sell your email address\n- store your card number after 30 days",
            ["We never: sell your email address; store your card number after 30 days"],
        ),
        (
            "You lose it unless:\n- you pay the fee within 14 days\n- you return it (at your cost) and\n- you write to us",
            ["You lose it unless: you pay the fee within 14 days; you return it (at your cost) and you write to us"],
        ),
        (
            "## What may you not do?\n\n- sublet the flat\n- keep pets in the flat",
            ["What may you not do? sublet the flat; keep pets in the flat"],
        ),
        ("## Fees\n\n- Late payment: $30\n- Lost card: $20", ["Late payment: $30", "Lost card: $20"]),
    ],
)
def test_items_without_full_stops_are_told_apart(text: str, points: list[str]) -> None:
    assert said(text) == points


def test_a_question_is_no_point() -> None:
    assert said("Must you pay a fee of $5 a month? We sell your data to advertisers.") == [
        "We sell your data to advertisers."
    ]
    assert said("Must you pay a fee of $5 a month? No, never.") == []
    assert said("Can you cancel for a full refund? Only within 14 days.") == [
        "Can you cancel for a full refund? Only within 14 days."
    ]
