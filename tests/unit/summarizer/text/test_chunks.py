"""Clauses as chunks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.text.chunks import pack


def fewest(counts: list[int], budget: int) -> int:
    """The chunks that are needed if each takes all that it can."""
    chunks, room = 0, 0
    for count in counts:
        if chunks == 0 or count > room:
            chunks, room = chunks + 1, budget
        room -= count
    return chunks


@given(st.data(), st.integers(0, 60))
def test_packing(data: st.DataObject, budget: int) -> None:
    counts = data.draw(st.lists(st.integers(0, budget), max_size=60))
    sections = data.draw(st.lists(st.sampled_from("abc"), min_size=len(counts), max_size=len(counts)))
    chunks = pack(counts, sections, budget)
    assert [index for chunk in chunks for index in chunk.clauses] == list(range(len(counts)))
    assert all(chunk.clauses for chunk in chunks)
    assert all(chunk.tokens == sum(counts[index] for index in chunk.clauses) <= budget for chunk in chunks)
    assert len(chunks) <= 2 * fewest(counts, budget) + 1


@pytest.mark.parametrize(
    ("counts", "sections", "tokens"),
    [
        ([], "", []),
        ([0], "a", [0]),
        ([400, 600], "ab", [1000]),  # it fits, whatever the sections
        ([10] * 101, "a" * 101, [500, 510]),
        ([10] * 210, "a" * 210, [700, 700, 700]),
        ([100] * 15, "a" * 6 + "b" * 9, [600, 900]),
        ([100] * 15, "a" * 4 + "b" * 11, [700, 800]),  # the section's end comes before the chunk is half full
        ([100] * 11, "a" * 10 + "b", [500, 600]),  # it would leave a tiny rest
        ([100] * 16, "a" * 5 + "b" * 4 + "c" * 7, [900, 700]),  # of two such ends, the more even one
        (
            [100] * 9 + [10] + [100] * 9 + [5],
            "a" * 9 + "b" + "c" * 10,
            [900, 915],
        ),  # a heading goes with what it announces
        ([990, 20, 990], "aaa", [990, 20, 990]),
        ([400, 700, 400], "abc", [400, 700, 400]),
    ],
)
def test_where_chunks_end(counts: list[int], sections: str, tokens: list[int]) -> None:
    assert [chunk.tokens for chunk in pack(counts, sections, 1000)] == tokens


def test_a_clause_over_the_budget_is_named() -> None:
    with pytest.raises(ValueError, match="clause 1 has 11 tokens; a chunk holds at most 10"):
        pack([10, 11], ["", ""], 10)


def test_each_clause_needs_a_section() -> None:
    with pytest.raises(ValueError, match="shorter"):
        pack([1, 2], [""], 10)
