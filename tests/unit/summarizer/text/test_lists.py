"""Lists: what introduces an item, and what ends its sentence."""

import pytest

from predictors.summarizer.text.clauses import Clause, split_clauses
from predictors.summarizer.text.document import Document


def links(text: str) -> dict[str, tuple[list[str], list[str]]]:
    """For each clause that has any: the texts of its introductions, and of the words below its list."""
    clauses = split_clauses(text)

    def words(clause: Clause) -> str:
        return " ".join(text[clause.start : clause.end].split())

    return {
        words(clause): ([words(clauses[i]) for i in clause.lead_in], [words(clauses[i]) for i in clause.closing])
        for clause in clauses
        if clause.lead_in or clause.closing
    }


def test_items_within_items() -> None:
    text = "You must not:\n(a) resell tickets;\n(b) without asking:\n  (i) copy pages;\n  (ii) print them; or\n(c) lend it."
    top, inner = ["You must not:"], ["You must not:", "(b) without asking:"]
    assert links(text) == {
        "(a) resell tickets;": (top, []),
        "(b) without asking:": (top, []),
        "(i) copy pages;": (inner, []),
        "(ii) print them; or": (inner, []),
        "(c) lend it.": (top, []),
    }


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("You agree\n- to pay\n- to leave", ["- to pay", "- to leave"]),
        ("We respect you. You lose cover\n(1) if you lie; or\n(2) if you do not pay.", ["(1) if you lie; or", "(2) if you do not pay."]),
        ("We collect:\nyour name\nyour address\n\nYou pay.", ["your name", "your address"]),
        ("We collect:\n\nyour name;\n\nyour address.\n\nYou pay.", ["your name;", "your address."]),
        ("You must not:\nResell tickets.\nCopy pages.\n\nYou pay.", ["Resell tickets.", "Copy pages."]),
        ("1.2 You must not:\n1.2.1 sell it;\n1.2.2 lend it.\n1.3 We may end it.", ["1.2.1 sell it;", "1.2.2 lend it."]),
        ("You may not:\n(g) w;\n(h) x;\n(i) y;\n(j) z.", ["(g) w;", "(h) x;", "(i) y;", "(j) z."]),
        ("## You must not:\n\n- sell it;\n- lend it.\n\n## Fees\n\n- You pay.", ["- sell it;", "- lend it."]),
        ("You must not:\n\n* sell it.\n\n* lend it.\n\nYou pay.\n\n* Now.", ["* sell it.", "* lend it."]),
        ("The parties agree as follows:\n\n1. You pay.\n2. We deliver.", []),
        ("1. Default. I am in default if\n\n(a) I do not pay;\n(b) I move away.", ["(a) I do not pay;", "(b) I move away."]),
        ("HIRE\n\nRules for private customers of all stations\n\n(1) You pay. We wait.\n\n(2) It ends.", []),
        ("HIRE\n\nRules for private customers of all stations:\n\n(1) You pay. We wait.\n\n(2) It ends.", ["(1) You pay.", "(2) It ends."]),
        ("You pay.\n(a) We deliver.\n(b) It ends.", []),
    ],
)  # fmt: skip
def test_items_have_an_introduction(text: str, items: list[str]) -> None:
    found = links(text)
    assert list(found) == items
    assert all(len(lead) == 1 and not closing for lead, closing in found.values())


def test_words_below_a_list_end_the_sentence_of_its_items() -> None:
    found = links("You must not:\n(a) sell it; or\n(b) lend it,\nunless we agree.\n\nYou pay.")
    assert found["(a) sell it; or"] == (["You must not:"], ["unless we agree."])
    assert found["(b) lend it,"] == (["You must not:"], ["unless we agree."])
    assert found["unless we agree."] == (["You must not:", "(a) sell it; or", "(b) lend it,"], [])


def test_a_second_sentence_of_an_item_stands_alone() -> None:
    assert list(links("You must not:\n(a) sell it. A sale ends this contract.\n(b) lend it.")) == [
        "(a) sell it.",
        "(b) lend it.",
    ]


def test_numbers_are_those_of_the_pieces_that_a_clause_is_cut_into() -> None:
    text = "You must not do any of the following things at any time:\n(a) sell it;\n(b) lend it."
    document = Document(text, lambda piece: [0] * len(piece.split()), 8)
    lead = document.clauses[-1].lead_in
    assert (
        "".join(document.text[document.clauses[i].start : document.clauses[i].end] for i in lead).strip()
        == text.split("\n")[0]
    )


def test_lists_without_end_take_little_memory() -> None:
    for text in ("- x:\n", "x:\n  - y\n", "You must:\n(a) b;\n", "(a) x:\n(i) y:\n"):
        clauses = split_clauses(text * 10_000)
        assert sum(len(clause.lead_in) for clause in clauses) < 10 * len(clauses)


@pytest.mark.parametrize(
    ("heading", "items"),
    [
        ("## We never", ["- sell your email address", "- store your card number after 30 days"]),
        ("## You may not", ["- Sublet the flat", "- Keep pets"]),
        ("## You must not", ["1. sublet the flat", "2. keep pets"]),
        ("## Prohibited uses", ["(a) reselling access", "(b) sharing your password"]),
        ("## Don\u2019t", ["- copy it", "- lend it"]),
        ("## Data of yours", ["- your name", "- your location"]),
    ],
)
def test_a_heading_introduces_items_that_need_it(heading: str, items: list[str]) -> None:
    assert links("\n".join([heading, "", *items])) == {item: ([heading], []) for item in items}


@pytest.mark.parametrize(
    "text",
    [
        "## Fees\n\n- Late payment: $30\n- Lost card: $20",
        "## Types of plan\n\n- You pay $5.\n- You pay $9.",
        "## What you may not do\n\n1. You must not sublet the flat.\n2. You must not keep pets.",
        "You pay.\n\n- $5 for tea\n- $9 for cake\n- $4 for milk",
        "## Fees\n\n- Late payment $30\n- Lost card $20\n- Lost key $10",
    ],
)
def test_neither_a_plain_heading_nor_another_item_introduces_items(text: str) -> None:
    assert links(text) == {}


def test_later_sentences_of_an_item_keep_the_item_that_they_refer_to() -> None:
    assert links("You may not:\n(a) resell it. This costs $5. It is due at once.\n(b) lend it.\n\nYou pay.") == {
        "(a) resell it.": (["You may not:"], []),
        "This costs $5.": (["You may not:", "(a) resell it."], []),
        "It is due at once.": (["You may not:", "(a) resell it.", "This costs $5."], []),
        "(b) lend it.": (["You may not:"], []),
    }
