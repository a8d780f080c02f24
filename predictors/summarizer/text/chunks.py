"""Clauses as chunks: as many in one prompt as the context has room for."""

from collections.abc import Sequence
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

    A chunk is at least half full unless the next clause finds no room in it; where ``n`` chunks would do, there are at
    most ``2 n + 1``. Of the ends that it may have, those where the section changes are best unless a tiny rest follows,
    and among equals the one that makes the lengths most even.

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
        end, tokens = _chunk_end(counts, sections, budget, start, left)
        chunks.append(Chunk(range(start, end), tokens))
        start, left = end, left - tokens
    return [*chunks, Chunk(range(start, len(counts)), left)] if counts else []


def _chunk_end(counts: Sequence[int], sections: Sequence[str], budget: int, start: int, left: int) -> tuple[int, int]:
    """Where the chunk that starts here ends, and its tokens; more than the budget is left."""
    ends: list[tuple[int, int]] = []
    tokens, end = 0, start
    while tokens + counts[end] <= budget:
        tokens, end = tokens + counts[end], end + 1
        ends.append((end, tokens))
    filled = [(end, tokens) for end, tokens in ends if 2 * tokens >= budget] or ends[-1:]
    at_section = [
        (end, tokens)
        for end, tokens in filled
        if sections[end - 1] != sections[end]
        and 4 * (left - tokens) >= budget
        # Not after a short clause that is all of its section: it is a heading, and its subsections follow.
        and (16 * counts[end - 1] > budget or sections[max(end - 2, 0)] == sections[end - 1])
    ]
    even = left / -(-left // budget)
    return min(at_section or filled, key=lambda cut: abs(cut[1] - even))
