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
