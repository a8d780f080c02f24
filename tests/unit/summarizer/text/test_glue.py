"""Sentences, clauses and titles that stand together without a space."""

import pytest

from predictors.summarizer.text.document import Document


def clauses(text: str) -> list[str]:
    document = Document(text, lambda piece: [0] * len(piece.split()), 1000)
    return [" ".join(document.text[clause.start : clause.end].split()) for clause in document.clauses]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You pay each month.You may cancel (in writing).The fee is $5.We keep it.", ["You pay each month.", "You may cancel (in writing).", "The fee is $5.", "We keep it."]),
        ("1. Fees You pay 5 euros each month.2. Term This lasts a year.", ["1. Fees", "You pay 5 euros each month.", "2. Term", "This lasts a year."]),
        ("Refund policyYou may cancel at any time.", ["Refund policy", "You may cancel at any time."]),
        ("See Booking.Com and www.Acme.Com or a.b@C.De now.", ["See Booking.Com and www.Acme.Com or a.b@C.De now."]),
        ("We use Node.Js, e.g.The engine in the U.S.A. or McDonald.", ["We use Node.Js, e.g.The engine in the U.S.A. or McDonald."]),
    ],
)  # fmt: skip
def test_what_is_glued_comes_apart(text: str, expected: list[str]) -> None:
    assert clauses(text) == expected


def test_places_are_those_of_the_text_that_was_sent() -> None:
    text = "You pay each month.You may cancel."
    document = Document(text, lambda piece: [0] * len(piece.split()), 1000)
    assert [text[slice(*document.span(i))] for i in range(2)] == ["You pay each month.", "You may cancel."]
