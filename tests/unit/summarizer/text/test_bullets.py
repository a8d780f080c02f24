"""From what a model wrote to bullets that their source supports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.text.bullets import Bullet, check_chunk, check_clause, lines
from predictors.summarizer.text.document import Document


def words(text: str) -> list[int]:
    return [hash(word) for word in text.split()]


def document(text: str, longest: int = 1000) -> Document:
    return Document(text, words, longest)


def only(source: str, answer: str) -> Bullet | None:
    return check_clause(document(source), 0, answer, "drop")


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("We may share your data with our advertising partners.", "We may give your data to advertising partners."),
        ("The fee of €25 shall be payable on collection.", "A €25 fee is payable on collection."),
        ("You must give thirty (30) days' notice.", "You must give 30 days' notice."),
        ("The tenant shall not keep any pets.", "The tenant must not keep pets."),
    ],
)
def test_the_models_words_are_taken_if_they_say_the_same(source: str, answer: str) -> None:
    bullet = only(source, answer)
    assert bullet is not None
    assert bullet.written
    assert bullet.text == answer
    assert bullet.support >= 0.5


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("The fee is €25 a month.", "The fee is €26 a month."),
        ("The fee is €25 and is due within 14 days.", "The fee is €25."),
        ("We may raise the price.", "You may raise the price."),
        ("Deposits are refunded.", "Deposits are not refunded."),
        ("Deposits are not refunded unless we cancel.", "Deposits are not refunded."),
        ("Images from the cameras are kept for 30 days.", "You get no refund for camera images kept 30 days."),
        ("Your plan renews every year.", "Your plan renews every year and beehives are sold by the association."),
        ("Your plan renews every year.", ""),
    ],
)
def test_the_models_words_are_not_taken_if_they_say_less_more_or_else(source: str, answer: str) -> None:
    assert only(source, answer) is None
    quoted = check_clause(document(source), 0, answer, "quote")
    assert quoted is not None
    assert not quoted.written
    assert quoted.text == source
    assert quoted.support == 1.0


def test_what_is_not_supported_can_be_marked() -> None:
    marked = check_clause(document("The fee is €25."), 0, "The fee is €99.", "mark")
    assert marked is not None
    assert marked.written
    assert marked.support < 0.5


def test_the_points_of_a_chunk_cite_their_clauses() -> None:
    text = document("The fee is €25 a month. Pets are not allowed. We may share your address with partners.")
    answer = "- The monthly fee is €25.\n* Pets are not allowed.\n2. You win a lottery in Brazil.\n- nothing"
    bullets = check_chunk(text, range(3), answer, "drop")
    assert [(bullet.text, bullet.clauses) for bullet in bullets] == [
        ("The monthly fee is €25.", (0,)),
        ("Pets are not allowed.", (1,)),
    ]
    assert bullets[1].as_json(text)["citations"] == [{"start": 24, "end": 45}]


def test_long_quotations_are_cut() -> None:
    bullet = check_clause(document("word " * 100 + "end."), 0, "", "quote")
    assert bullet is not None
    assert bullet.text.endswith("word …")
    assert len(bullet.text.split()) == 61


@given(st.text(max_size=200))
def test_any_answer_becomes_lines(answer: str) -> None:
    found = lines(answer)
    assert len(set(found)) == len(found)
    assert all(line and "\n" not in line for line in found)


def test_words_that_are_the_clauses_own_are_a_quotation_whoever_chose_them() -> None:
    source = "You pay 9 euros a month."
    bullet = check_clause(document(source), 0, source, "quote")
    assert bullet is not None
    assert (bullet.text, bullet.written) == (source, False)
