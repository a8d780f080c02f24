"""How wide a document's lines are, if its paragraphs are broken into lines.

A paragraph that was wrapped at a width has one property at any width: no line had room for the first word of the next.
So each pair of lines tells between which widths it may have been wrapped, and the width that explains most pairs of
lines within sentences is the document's. Type set in a proportional font has no such width; its lines are merely all
about as long.
"""

# ruff: noqa: RUF001  # the patterns hold the punctuation of many scripts

import re
from collections.abc import Sequence
from typing import NamedTuple

from predictors.summarizer.text.lines import Line, columns, starts_wide
from predictors.summarizer.text.word_lists import word_set

_WIDEST = 200  # columns; wider lines are paragraphs
_USUAL = 60  # from this width on, lines are wrapped text or paragraphs, but no items of a list
_EXPLAINED = 0.6  # share of the pairs within sentences that a width must explain
_RAGGED_PAIRS, _RAGGEDNESS = 5, 0.6
_DANGLING = 0.1
_ENDS_SENTENCE = re.compile(r"[.:;!?。：；！？]\W{0,3}\Z")
_LAST_WORD = re.compile(r"[^\W\d_]+\Z")
# No item of a list ends with these.
_DANGLING_WORDS = word_set(
    """a an the of to for in on at by with from into under your our their its his her my you we they is are was were be
    been may will shall must can not that which who this these those any all each if as than such between about after
    before during until unless when where have has had do does or and"""
)


class Wrap(NamedTuple):
    """The width of wrapped lines.

    Args:
        width: columns of a full line.
        slack: columns by which a full line may be shorter, besides the next line's first word.
    """

    width: int
    slack: int

    def is_full(self, above: Line, line: Line) -> bool:
        """Whether a line has no room for the first word of the next."""
        return above.columns + 1 + _first_word(line) > self.width - self.slack


def find_wrap(pairs: Sequence[tuple[Line, Line]]) -> Wrap | None:
    """The width at which lines were wrapped; None if they were not.

    Args:
        pairs: adjacent lines.
    """
    within = [(above, line) for above, line in pairs if _is_within_sentence(above, line)]
    if not within:
        return None
    width, explained = _best_width(within)
    dangling = sum(map(dangles, (above for above, _ in within)))
    told = width >= _USUAL or dangling > _DANGLING * len(within)
    if told and explained >= _EXPLAINED * len(within):
        return Wrap(width, 0)
    return _ragged(within, dangling)


def dangles(line: Line) -> bool:
    """Whether a line's last word is one that a sentence goes on after, such as "the"."""
    word = _LAST_WORD.search(line.text[-20:])
    return word is not None and word.group().lower() in _DANGLING_WORDS


def _ragged(within: Sequence[tuple[Line, Line]], dangling: int) -> Wrap | None:
    """The width of lines that are all about as long."""
    lengths = sorted(above.columns for above, _ in within)
    shortest, longest = lengths[len(lengths) // 10], lengths[len(lengths) * 9 // 10]
    enough = len(within) >= _RAGGED_PAIRS and dangling > _DANGLING * len(within)
    return Wrap(longest, longest - shortest) if enough and shortest >= _RAGGEDNESS * longest else None


def _best_width(pairs: Sequence[tuple[Line, Line]]) -> tuple[int, int]:
    """The least of the widths that explain most pairs, and how many it explains."""
    changes = [0] * (_WIDEST + 2)
    for above, line in pairs:
        changes[min(above.columns, _WIDEST + 1)] += 1
        changes[min(above.columns + 1 + _first_word(line), _WIDEST + 1)] -= 1
    best = (0, 0)
    explained = 0
    for width, change in enumerate(changes[:-1]):
        explained += change
        if explained > best[1]:
            best = (width, explained)
    return best


def _is_within_sentence(above: Line, line: Line) -> bool:
    goes_on = line.is_lower or starts_wide(line.text)
    return goes_on and line.label is None and not above.is_label and not _ENDS_SENTENCE.search(above.text)


def _first_word(line: Line) -> int:
    """Columns of a line's first word."""
    return 2 if starts_wide(line.text) else columns(line.text.partition(" ")[0])
