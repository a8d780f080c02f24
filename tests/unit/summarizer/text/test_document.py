"""A document: its clauses, where they stand, and their words without labels."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.text.document import Document, plain


def words(text: str) -> list[int]:
    return [hash(word) for word in text.split()]


def test_words_are_on_one_line_without_their_label() -> None:
    assert plain("  12.3 You\n  pay  us.\n") == "You pay us."


@given(st.text(alphabet="ab .\n€", max_size=300), st.integers(1, 5))
def test_spans_lie_in_the_text_and_clauses_keep_to_the_limit(text: str, longest: int) -> None:
    found = Document(text, words, longest)
    assert "".join(text[clause.start : clause.end] for clause in found.clauses) == text
    assert all(len(tokens) <= longest for tokens in found.tokens)
    for i in found.body:
        start, end = found.span(i)
        assert 0 <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
    spans = found.spans(found.body)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize("line", ["# " + "hundred " * 500, "9" * 500 + " days", "# " + "x" * 20_000])
def test_absurd_numbers_and_words_have_a_salience(line: str) -> None:
    assert all(map(math.isfinite, Document(f"{line}\n\nYou pay us.", words, 1000).salience))


def test_a_long_text_is_read_in_parts_as_one() -> None:
    items = "You must not:\n\n(a) resell it;\n\n(b) lend it.\n\n"
    text = (
        "FEES\n\n" + "You pay 9 euros\u00ad a month.\n\n" * 3000 + "RULES\n\n" + "Nobody may smoke.\n\n" * 3000 + items
    )
    found = Document(text, words, 1000)
    assert found.unread == 0
    assert len(found.body) == 6003
    for i in found.body:
        start, end = found.span(i)
        assert text[start:end].replace("\u00ad", "").endswith(found.sentences[i])
    sections = [found.clauses[i].section for i in found.body]
    assert sections == ["FEES"] * 3000 + ["RULES"] * 3003
    lead, *rest = found.body[-3:]
    assert [found.clauses[i].lead_in for i in rest] == [(lead,), (lead,)]


@pytest.mark.parametrize(("end", "between"), [(".", "\n"), (".", " "), ("", "\n")])
def test_a_long_text_without_blank_lines_is_not_cut_within_a_clause(end: str, between: str) -> None:
    clauses = [
        f"Customer {i} pays a late fee of $1{i % 90 + 10},000 within {i % 60 + 1} days{end}" for i in range(6000)
    ]
    text = between.join(clauses)
    assert len(text) > 300_000
    found = Document(text, words, 1000)
    assert found.sentences == clauses


def test_a_long_text_without_sentences_is_not_cut_within_a_word() -> None:
    text = " ".join(f"w{i:07d}" for i in range(40_000))
    found = Document(text, words, 100_000)
    assert {len(word) for word in " ".join(found.sentences).split()} == {8}


def test_reading_ends_when_it_may_not_go_on() -> None:
    text = "You pay 9 euros.\n\n" * 20_000
    looks = iter([True, False])
    found = Document(text, words, 1000, lambda: next(looks))
    assert 0 < found.size < len(text)
    assert found.size + found.unread == len(text)
    assert len(Document(text, words, 1000, lambda: False).text) < found.size


def test_a_clause_that_was_cut_is_whole_again() -> None:
    text = f"You pay 9 euros for {'whatever you order and ' * 100}nothing else."
    found = Document(text, words, 20)
    assert len(found.clauses) > 2
    assert found.whole(0) == text
