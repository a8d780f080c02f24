"""What becomes of an answer, and of a document that is too long."""

import pytest

from tests.eval import strategies


def test_bullets_of_an_answer_are_its_lines() -> None:
    text = "Here are the points:\n# Rent\n\n- One.\n * **Two**: more\n• Three\n4. Four\n5) Five\n30 days\n"
    assert strategies.bullet_lines(text) == ["One.", "Two: more", "Three", "Four", "Five", "30 days"]


def test_a_paragraph_counts_as_its_sentences() -> None:
    sentence = "The tenant pays " + "very " * 20 + "late."
    assert strategies.bullet_lines("- One. Two.") == ["One. Two."]
    assert strategies.bullet_lines(f"- {sentence} {sentence} {sentence}") == [sentence] * 3


def test_lead_takes_whole_sentences_up_to_so_many_words() -> None:
    assert strategies.lead("One two. Three four five. Six.", 6) == ["One two.", "Three four five.", "Six."]
    assert strategies.lead("One two. Three four five. Six.", 4) == ["One two."]
    assert strategies.lead("One two.", 1) == []


def test_a_refused_document_is_cut_to_what_the_refusal_leaves_room_for() -> None:
    message = "the prompt has {} tokens and max_tokens is 512; together at least 1 and at most {} are allowed"
    assert len(strategies.shorter("x" * 1000, message.format(20000, 8192))) == int(1000 * 7680 / 20000 * 0.98)
    assert len(strategies.shorter("x" * 100, message.format(90, 8192))) < 100
    assert strategies.shorter("x" * 100, message.format(900, 512)) == ""
    with pytest.raises(strategies.Failed, match="unknown parameter"):
        strategies.shorter("x", 'unknown parameter "mode"')
