"""Passages: what a clause needs in order to be understood."""

import pytest

from predictors.summarizer.text.document import Document
from predictors.summarizer.text.drafts import draft
from predictors.summarizer.text.passages import Passage, Passages, merged


def around(text: str, words: str, longest: int = 1000) -> str:
    """The point that is made of the clause with these words."""
    document = Document(text, lambda piece: [0] * len(piece), longest)
    (i,) = (i for i in document.body if words in document.sentences[i])
    return draft(document, Passages(document).around(i)).whole.text


@pytest.mark.parametrize(
    ("text", "words", "point"),
    [
        ("Plus is a plan. It costs $119 a year.", "$119", "Plus is a plan. It costs $119 a year."),
        ("Pay a fee. This fee is not refunded.", "refunded", "Pay a fee. This fee is not refunded."),
        ("You pay. If so, we write. Otherwise, you leave.", "leave", "You pay. If so, we write. Otherwise, you leave."),
        ("MEMBERSHIP PLUS\n\nIt costs $119 a year.", "$119", "MEMBERSHIP PLUS: It costs $119 a year."),
        ("## 4. Plus\n\nIt costs $119 a year.", "$119", "Plus: It costs $119 a year."),
        ("Plus\n====\n\nIt costs $119 a year.", "$119", "Plus: It costs $119 a year."),
        ("DATA\n\nWe keep names. We sell it.", "sell", "We keep names. We sell it."),
        ("You pay 9 euros. You may leave.", "leave", "You may leave."),
        ("Fees are kept. That is not so for students.", "kept", "Fees are kept. That is not so for students."),
        ("You pay a fee. Students are exempt.", "fee", "You pay a fee. Students are exempt."),
        ("You pay a fee. The fee is waived at 60.", "pay", "You pay a fee. The fee is waived at 60."),
        ("No refunds. But faulty goods are.", "refunds", "No refunds. But faulty goods are."),
        ("Can you cancel? Only within 14 days.", "Only", "Can you cancel? Only within 14 days."),
        ("Any fees? Yes, there is a fee of $5 for guests.", "$5", "Any fees? Yes, there is a fee of $5 for guests."),
        (
            "Any fees? Every member pays us a fee of $5 a month.",
            "$5",
            "Every member pays us a fee of $5 a month.",
        ),
        ("No refunds. The only exception: a fault.", "refunds", "No refunds. The only exception: a fault."),
        ("No refunds. You may return it.", "refunds", "No refunds."),
        ("You pay a fee.\n\n## Unless\n\nUnless ill, you swim.", "fee", "You pay a fee."),
        ("You must not:\n\n(a) resell it;\n(b) copy it; or\n(c) lend it.", "copy", "You must not: copy it."),
        ("You must not:\n\n(a) resell it;\n(b) copy it; or\n(c) lend it.", "lend", "You must not: lend it."),
        ("You get it back if:\n\n(a) you ask; and\n(b) you pay.", "ask", "You get it back if: you ask; and you pay."),
        ("You lose it if:\n\n(a) you leave; or\n(b) you sue.", "sue", "You lose it if: you sue."),
        ("You pay unless:\n\n(a) you leave; or\n(b) you sue.", "sue", "You pay unless: you leave; or you sue."),
    ],
)
def test_a_clause_comes_with_what_it_needs(text: str, words: str, point: str) -> None:
    assert around(text, words) == point


def test_a_clause_that_is_too_long_for_the_model_is_whole() -> None:
    text = f"You pay 9 euros for {'whatever you order and ' * 100}you cannot leave."
    assert around(text, "cannot leave", longest=500) == text


def test_no_clause_beginning_with_a_pronoun_stands_alone_in_any_section() -> None:
    document = Document(
        "A\n\nIt ends. They end.\n\nB. Costs\n\nThat costs 9 euros.\n\nIt is paid.", lambda text: [0], 1000
    )
    for i in document.body:
        assert len(Passages(document).around(i).clauses) > 1


def test_passages_that_overlap_become_one() -> None:
    words = [10] * 6
    found = [Passage((0, 1)), Passage((0, 1, 2)), Passage((4,)), Passage((4, 5))]
    assert [each.clauses for each in merged(found, 40, words)] == [(0, 1, 2), (4, 5)]


def test_passages_that_would_become_too_long_stay_apart() -> None:
    found = [Passage((0, 1)), Passage((0, 2))]
    assert [each.clauses for each in merged(found, 30, [10, 10, 10])] == [(0, 1, 2)]
    assert [each.clauses for each in merged(found, 29, [10, 10, 10])] == [(0, 1), (0, 2)]
