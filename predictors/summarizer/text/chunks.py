"""Clauses packed into chunks, as many in one prompt as the context has room for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chunk:
    """Clauses that go into one prompt.

    Args:
        clauses: their indices, which follow one another.
        tokens: the sum of their counts.
    """

    clauses: range
    tokens: int


def pack(counts: Sequence[int], sections: Sequence[str], budget: int) -> list[Chunk]:
    """Pack consecutive clauses into chunks, each clause once and in order.

    A chunk is at least half full unless the next clause does not fit; where ``n`` chunks would do, there are at most
    ``2 n + 1``. Of the possible ends of a chunk, those where the section changes are preferred unless little would
    remain after them, and among equals the one that makes the lengths most even.

    Args:
        counts: tokens of each clause.
        sections: section of each clause.
        budget: most tokens in a chunk.

    Raises:
        ValueError: a clause alone exceeds the budget.
    """
    for index, (count, _) in enumerate(zip(counts, sections, strict=True)):
        if count > budget:
            raise ValueError(f"clause {index} has {count} tokens; a chunk holds at most {budget}")
    chunks: list[Chunk] = []
    start, left = 0, sum(counts)
    while left > budget:
        chunk = _next_chunk(counts, sections, budget, start, left)
        chunks.append(chunk)
        start, left = chunk.clauses.stop, left - chunk.tokens
    return [*chunks, Chunk(range(start, len(counts)), left)] if counts else []


def _next_chunk(counts: Sequence[int], sections: Sequence[str], budget: int, start: int, left: int) -> Chunk:
    """The chunk that starts at a clause; more tokens than the budget are left."""
    possible = list(_prefixes(counts, start, budget))
    filled = [chunk for chunk in possible if 2 * chunk.tokens >= budget] or possible[-1:]
    at_section = [
        chunk
        for chunk in filled
        if 4 * (left - chunk.tokens) >= budget and _ends_section(counts, sections, budget, chunk.clauses.stop)
    ]
    even = left / -(-left // budget)
    return min(at_section or filled, key=lambda chunk: abs(chunk.tokens - even))


def _prefixes(counts: Sequence[int], start: int, budget: int) -> Iterator[Chunk]:
    """Every chunk that starts at a clause and fits the budget, the shortest first."""
    tokens, end = 0, start
    while tokens + counts[end] <= budget:
        tokens, end = tokens + counts[end], end + 1
        yield Chunk(range(start, end), tokens)


def _ends_section(counts: Sequence[int], sections: Sequence[str], budget: int, end: int) -> bool:
    """Whether a section ends before a clause.

    A short clause that is all of its section ends none: it is a heading, and its subsections follow.
    """
    last = end - 1
    long = 16 * counts[last] > budget
    return sections[last] != sections[end] and (long or sections[max(last - 1, 0)] == sections[last])
