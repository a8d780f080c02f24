"""From what a model wrote about a passage to bullets that the passage supports."""

import pytest

from predictors.summarizer.text.bullets import Bullet
from predictors.summarizer.text.document import Document
from predictors.summarizer.text.rewriting import check_chunk

# What a model said of a document, though the document does not.
DISTORTIONS = [
    (
        "If there is a charge that you did not approve, tell us within 60 days of the statement; after that you lose it.",
        "If there is a charge that you did not approve, and you did not receive it within 60 days, you lose it.",
    ),
    (
        "Rights holders can use the form on our website to notify us, and repeat infringers lose their profiles.",
        "We may use the form on our website to notify you, and repeat infringers lose their profiles.",
    ),
    (
        "We keep transaction records for seven years after you close your profile, because of laws on taxes.",
        "We keep transaction records and will tell you seven years after you close your profile.",
    ),
    ("Things that are not allowed.\n\nNobody may sell counterfeit goods.", "Things that are not allowed are not allowed."),
    ("If you pay after the due date, we add a late payment charge of £12.50.", "£12.50 to the due date."),
    ("Your subscription renews every month until you end it.", "Your subscription renews every month until you are done."),
]  # fmt: skip


def words(text: str) -> list[int]:
    return [hash(word) for word in text.split()]


def document(text: str) -> Document:
    return Document(text, words, 1000)


def check(text: str, answer: str, unsupported: str = "quote", cut: bool = False) -> list[Bullet]:
    found = document(text)
    return check_chunk(found, found.body, answer, unsupported, cut=cut)  # type: ignore[arg-type]


@pytest.mark.parametrize(("source", "answer"), DISTORTIONS)
def test_what_is_distorted_is_quoted(source: str, answer: str) -> None:
    bullets = check(source, f"- {answer}")
    assert bullets
    for bullet in bullets:
        assert not bullet.written
        assert bullet.text in " ".join(source.split())
        assert bullet.support == 1.0


@pytest.mark.parametrize(("source", "answer"), DISTORTIONS)
def test_what_is_distorted_can_be_left_out_or_marked(source: str, answer: str) -> None:
    assert check(source, f"- {answer}", "drop") == []
    (marked,) = check(source, f"- {answer}", "mark")
    assert (marked.text, marked.written) == (answer, True)
    assert marked.support < 0.5
    assert marked.quote


def test_the_points_of_a_chunk_cite_their_clauses() -> None:
    source = "The fee is €25 a month. Pets are not allowed. We may share your address with partners."
    text = document(source)
    answer = (
        "- We can share your address with partners.\n* Your address may be shared with partners.\n2. You win a lottery."
    )
    bullets = check_chunk(text, text.body, answer, "drop")
    assert [(bullet.text, bullet.clauses, bullet.written) for bullet in bullets] == [
        ("We can share your address with partners.", (2,), True),
        ("Your address may be shared with partners.", (2,), True),
    ]
    shown = bullets[0].as_json(text)
    assert shown["quote"] == "We may share your address with partners."
    assert shown["quoted"] is False
    assert [source[each["start"] : each["end"]] for each in shown["citations"]] == [shown["quote"]]


def test_words_of_the_source_are_a_quotation_whoever_chose_them() -> None:
    (bullet,) = check("You pay 9 euros a month.", "You pay 9 euros a month.")
    assert (bullet.text, bullet.written, bullet.quote) == ("You pay 9 euros a month.", False, "")


def test_an_item_is_checked_and_quoted_with_its_lead_in() -> None:
    source = "You must not:\n(a) resell the tickets;\n(b) copy the tickets.\n"
    (bullet,) = check(source, "- Resell the tickets.")
    assert not bullet.written
    assert bullet.text.startswith("You must not: resell the tickets")


def test_the_same_point_is_made_once() -> None:
    answer = "- You win a fee of 9 euros.\n- You lose 9 euros a month.\n- Pay 9 euros."
    assert [bullet.text for bullet in check("You pay 9 euros a month.", answer)] == ["You pay 9 euros a month."]


def test_the_last_point_of_a_cut_answer_is_left_out() -> None:
    source = "You pay 9 euros a month. Pets are not allowed."
    bullets = check(source, "- You pay 9 euros every month.\n- Pets are", cut=True)
    assert [bullet.text for bullet in bullets] == ["You pay 9 euros every month."]


def test_an_answer_about_nothing_in_the_passage_has_no_points() -> None:
    assert check("You pay 9 euros a month.", "- Walruses juggle.\n- nothing") == []
