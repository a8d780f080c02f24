"""Which lines make a paragraph, an item or a heading together.

Text is often hard-wrapped: its paragraphs are broken into lines of similar width. A line continues the line above if
its first word would not have fitted there. Addresses, tables and lists without marks stay lines.
"""

# ruff: noqa: RUF001  # the patterns hold the punctuation of many scripts

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from predictors.summarizer.text.labels import is_item
from predictors.summarizer.text.lines import Line, runs
from predictors.summarizer.text.wrapping import Wrap, dangles, find_wrap

# Below a shorter line, a line in lower case may be an item of a list without marks, unless both make a sentence.
_CONTINUED_COLUMNS = 40
_FEWEST_WORDS = 3  # of a line that is more than an item
_ENDS_SENTENCE = re.compile(r"[.!?]\W{0,3}\Z")
_LINES_THAT_TELL = 4  # how a run of fewer lines was wrapped is up to the document
_SHORT_COLUMNS, _SHORT_SHARE = 60, 0.8  # a heading's most columns, and its most share of a full line
# How a line ends above a new item. Otherwise, a label may be part of a reference across lines: "in clause", "12.3 you".
_PAUSE = re.compile(r"(?:[.:;,!?。；，：]|\b(?:and|or|und|oder|et|ou|y|o|e))\Z")

# A line of a list without marks: "Late payment: £30".
_PRICED = re.compile(r"(?=[A-Z])[^.;:!?]{3,60}: ?[£$€\d]")


def paragraphs(text: str) -> Iterator[tuple[list[Line], bool]]:
    """The groups of lines that belong together, and whether there is a blank line above each."""
    found = list(runs(text))
    whole = find_wrap([pair for run in found for pair in pairwise(run)])
    for run in found:
        wrap = _wrap_of(run, whole)
        lines = [run[0]]
        first = True
        for above, line in pairwise(run):
            if not _continues(above, line, wrap):
                yield lines, first
                lines, first = [], False
            lines.append(line)
        yield lines, first


def _wrap_of(run: Sequence[Line], whole: Wrap | None) -> Wrap | None:
    """How the lines of a run were wrapped, which may be narrower than the rest of the document."""
    if len(run) < _LINES_THAT_TELL:
        return whole
    pairs = list(pairwise(run))
    full = whole is not None and sum(whole.is_full(above, line) for above, line in pairs)
    return whole if 2 * full > len(pairs) else find_wrap(pairs) or whole


def _continues(above: Line, line: Line, wrap: Wrap | None) -> bool:
    """Whether a line continues the paragraph, list item or heading of the line above.

    Args:
        above: the line above.
        line: the line.
        wrap: how lines were wrapped, if they were.
    """
    if above.rule or line.rule:
        return not above.rule  # it may underline a heading
    if _stand_apart(above, line):
        return False
    if above.is_label:  # "(a)" goes with what follows, "Schedule 1" is a heading
        return not above.names_part
    if _PRICED.match(line.text) and above.text[-1] not in ",;-–":
        return False
    if _leaves_heading(above, line) or _opens_heading(above, line, wrap):
        return False
    full = wrap is not None and wrap.is_full(above, line)
    if line.label:
        return full and not _opens_item(above, line)
    return full or _goes_on(above, line)


def _stand_apart(above: Line, line: Line) -> bool:
    """Whether marks make one of the lines a separate block."""
    return above.hashes or line.hashes or line.is_bulleted or (above.is_row and line.is_row)


def _leaves_heading(above: Line, line: Line) -> bool:
    """Whether the line above is a heading in capitals, of any length, and this line is not in capitals."""
    return above.text.isupper() and line.word != line.word.upper()


def _opens_heading(above: Line, line: Line, wrap: Wrap | None) -> bool:
    """Whether a short line without final punctuation follows a complete one, which may happen to be full."""
    most = _SHORT_COLUMNS if wrap is None else min(_SHORT_COLUMNS, _SHORT_SHARE * wrap.width)
    short = line.columns < most and line.text[-1] not in ".,:;!?"
    return above.is_complete and short and not line.is_lower


def _opens_item(above: Line, line: Line) -> bool:
    """Whether the line's label starts an item or a clause, and is not part of a reference across lines."""
    return _PAUSE.search(above.text) is not None and (is_item(line.label) or not line.word[:1].islower())


def _goes_on(above: Line, line: Line) -> bool:
    """Whether the line continues a sentence in a document that is not hard-wrapped."""
    if not line.is_lower or above.is_complete:
        return False
    if above.columns >= _CONTINUED_COLUMNS:
        return True
    if above.text[-1] in ",;:":
        return False
    starts = above.label is None and above.text[:1].isupper()
    ends = _ENDS_SENTENCE.search(line.text) is not None
    return (starts and ends) or (dangles(above) and (ends or len(line.text.split()) >= _FEWEST_WORDS))
