"""Documents split into clauses: sentences, list items and headings, each a range of characters.

Lines are joined to blocks (`lines`, `blocks`). Some blocks are headings (`headings`); the others are split into
sentences (`sentences`). Items of lists know what introduces them (`lists`).

Documents are untrusted, and two million characters of any text must not take long. So every repetition in the patterns
of these modules is bounded, or the last of its pattern, or possessive and tried only where its run starts.
"""

# ruff: noqa: RUF001  # the patterns hold the punctuation of many scripts

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from predictors.summarizer.text.blocks import Block, find_blocks
from predictors.summarizer.text.headings import find_headings, find_run_in_headings
from predictors.summarizer.text.lists import Links, find_lists
from predictors.summarizer.text.sentences import sentence_starts

MAX_CLAUSE_CHARS = 1200
_MIN_PIECE_CHARS = MAX_CLAUSE_CHARS // 4
# Where a clause that is too long is cut, in order of preference.
_CUTS = (re.compile(r"[;；؛]\s*"), re.compile(r"[,，、،](?!\d)\s*"), re.compile(r"\s+"))


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence, list item or heading.

    Args:
        start, end: characters ``[start, end)`` of the document, including the white space that follows.
        section: the nearest heading without its marks and number, "" above the first; a heading is in its own section.
        heading: whether it is a heading.
        lead_in: numbers of the clauses that introduce this list item, outermost first.
        closing: numbers of the clauses after the list that end this item's sentence, such as "unless we agree".
        continues: whether it goes on with the clause before it, which was too long.
    """

    start: int
    end: int
    section: str
    heading: bool
    lead_in: tuple[int, ...] = ()
    closing: tuple[int, ...] = ()
    continues: bool = False


def split_clauses(text: str) -> list[Clause]:
    """Split a document into adjacent clauses that cover it, none longer than `MAX_CLAUSE_CHARS`.

    Args:
        text: plain text, Markdown or text copied from a web page, in any language.
    """
    if not text:
        return []
    blocks = find_blocks(text)
    find_headings(blocks)
    for block in blocks:
        block.starts = [block.start] if block.heading else list(sentence_starts(text, block.start, block.end))
    find_run_in_headings(text, blocks)
    return list(_clauses(text, blocks))


def _clauses(text: str, blocks: Sequence[Block]) -> Iterator[Clause]:
    starts = [start for block in blocks for start in block.starts]
    # The first clause includes what is before it; a document without any text is one clause.
    borders = [0, *starts[1:], len(text)]
    kinds = list(_kinds(blocks)) or [("", False)]
    cuts = [list(pairwise(_cut(text, low, high))) for low, high in pairwise(borders)]
    firsts = list(accumulate(map(len, cuts), initial=0))

    def numbers(starts: Iterable[int]) -> tuple[int, ...]:
        return tuple(number for start in starts for number in range(firsts[start], firsts[start + 1]))

    links = find_lists(text, blocks) or [Links()]
    for pieces, (section, heading), link in zip(cuts, kinds, links, strict=True):
        lead_in, closing = numbers(link.lead_in), numbers(link.closing)
        for start, end in pieces:
            yield Clause(start, end, section, heading, lead_in, closing, continues=start > pieces[0][0])


def _kinds(blocks: Sequence[Block]) -> Iterator[tuple[str, bool]]:
    """The section of each clause, and whether the clause is a heading."""
    section = around = ""
    for block in blocks:
        if block.heading:
            section = block.title
            if len(block.starts) == 1:
                around = section
        elif block.numbers is not None:  # the title of the clause before it does not apply
            section = around
        yield section, block.heading
        yield from [(section, False)] * (len(block.starts) - 1)


def _cut(text: str, start: int, end: int) -> Iterator[int]:
    """The borders of a clause or, if it is too long, of the pieces that it is cut into."""
    yield start
    while end - start > MAX_CLAUSE_CHARS:
        start = _cut_place(text, start + _MIN_PIECE_CHARS, min(start + MAX_CLAUSE_CHARS, end - _MIN_PIECE_CHARS))
        yield start
    yield end


def _cut_place(text: str, low: int, high: int) -> int:
    """The best place for a cut between ``low`` and ``high``."""
    # One more character is searched, to see whether white space continues past the highest place.
    found = ([cut.end() for cut in pattern.finditer(text, low, high + 1) if cut.end() <= high] for pattern in _CUTS)
    return next((places[-1] for places in found if places), high)
