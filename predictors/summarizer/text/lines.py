"""A document's lines, and which of them continue the line above.

Text is often hard-wrapped: its paragraphs are broken into lines of similar width. A line continues the line above if
its first word would not have fitted there.
"""

# ruff: noqa: RUF001  # the patterns hold the punctuation of many scripts

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from predictors.summarizer.text.labels import LABEL, QUOTE_MARKS, label_end

_WRAPPED_COLUMNS = range(60, 121)  # the usual widths of hard-wrapped text
_CONTINUED_COLUMNS = 40  # below a shorter line, a line in lower case may be an item of a list without marks
_WIDE = re.compile("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]")
_HASHES = re.compile(r"#{1,6}\s")
_RULE = re.compile(r"={2,}|-{3,}|\*{3,}|_{3,}|~{3,}")
# How a line ends above a new item. Otherwise, a label may be part of a reference across lines: "in clause", "12.3 you".
_PAUSE = re.compile(r"(?:[.:;,!?。；，：]|\b(?:and|or|und|oder|et|ou|y|o|e))\Z")


class Line(NamedTuple):
    """A line that is not blank.

    Args:
        start, end: characters ``[start, end)`` of the document, without white space around the line.
        text: the line without white space and quotation marks around it.
        columns: its width on a terminal, including indentation.
        label: the label that it starts with, if any.
        hashes: whether it is a Markdown heading.
        rule: whether it is a horizontal rule or underlines a heading.
    """

    start: int
    end: int
    text: str
    columns: int
    label: re.Match[str] | None
    hashes: bool
    rule: bool

    @property
    def is_bulleted(self) -> bool:
        """Whether it starts with a bullet such as "-" or "•"."""
        return self.label is not None and self.label["bullet"] is not None

    @property
    def is_label(self) -> bool:
        """Whether it consists of a label."""
        return self.label is not None and self.label.end() == len(self.text)

    @property
    def names_part(self) -> bool:
        """Whether its label names a part of the document, such as "Section 4"."""
        return self.label is not None and self.label["part"] is not None

    @property
    def word(self) -> str:
        """The first word after the label, "" if there is none."""
        return next(iter(self.text[label_end(self.label) :].split(maxsplit=1)), "")

    @property
    def is_lower(self) -> bool:
        """Whether it starts with a lower-case letter."""
        return self.text[0].islower()

    @property
    def is_complete(self) -> bool:
        """Whether it ends like a sentence, an introduction or a list item."""
        return self.text[-1] in ".:;!?"


def runs(text: str) -> Iterator[list[Line]]:
    """The runs of lines between blank lines."""
    run: list[Line] = []
    position = 0
    for line in [*text.splitlines(keepends=True), ""]:
        if core := line.strip().lstrip(QUOTE_MARKS):
            start = position + len(line) - len(line.lstrip())
            end = position + len(line.rstrip())
            hashes, rule = _HASHES.match(core) is not None, _RULE.fullmatch(core) is not None
            run.append(Line(start, end, core, columns(line.rstrip()), LABEL.match(core), hashes, rule))
        elif run:
            yield run
            run = []
        position += len(line)


def columns(text: str) -> int:
    """The width of a text on a terminal, where Chinese, Japanese and Korean characters take two columns."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def wrap_width(lines: Sequence[Line]) -> int | None:
    """The width of a full line in columns; None if the document is not hard-wrapped.

    A few lines may be longer, such as web addresses and tables, so this is the ninth decile of the long lines' widths.
    """
    long = sorted(line.columns for line in lines if line.columns >= _WRAPPED_COLUMNS.start)
    width = long[len(long) * 9 // 10] if long else 0
    return width if width in _WRAPPED_COLUMNS else None


def continues(above: Line, line: Line, width: int | None) -> bool:
    """Whether a line continues the paragraph, list item or heading of the line above.

    Args:
        above: the line above.
        line: the line.
        width: from `wrap_width`.
    """
    if above.rule or line.rule:
        return not above.rule  # it may underline a heading
    if _stand_apart(above, line):
        return False
    if above.is_label:  # "(a)" goes with what follows, "Schedule 1" is a heading
        return not above.names_part
    if _leaves_heading(above, line) or _opens_heading(above, line):
        return False
    full = _is_full(above, line, width)
    if line.label:
        return full and not _opens_item(above, line)
    return full or _goes_on(above, line)


def _stand_apart(above: Line, line: Line) -> bool:
    """Whether marks make one of the lines a separate block."""
    return above.hashes or line.hashes or line.is_bulleted


def _leaves_heading(above: Line, line: Line) -> bool:
    """Whether the line above is a heading in capitals, of any length, and this line is not in capitals."""
    return above.text.isupper() and line.word != line.word.upper()


def _opens_heading(above: Line, line: Line) -> bool:
    """Whether a short line without final punctuation follows a complete one, which may happen to be full."""
    short = line.columns < _WRAPPED_COLUMNS.start and line.text[-1] not in ".,:;!?"
    return above.is_complete and short and not line.is_lower


def _is_full(above: Line, line: Line, width: int | None) -> bool:
    """Whether the line above had no room for this line's first word."""
    if width is None:
        return False
    first = line.text[:2] if _WIDE.match(line.text) else line.text.split(maxsplit=1)[0]
    return above.columns + 1 + columns(first) > width


def _opens_item(above: Line, line: Line) -> bool:
    """Whether the line's label starts an item or a clause, and is not part of a reference across lines."""
    item = line.label is not None and line.label["item"] is not None
    return _PAUSE.search(above.text) is not None and (item or not line.word[:1].islower())


def _goes_on(above: Line, line: Line) -> bool:
    """Whether the line continues a sentence in a document that is not hard-wrapped."""
    return line.is_lower and not above.is_complete and above.columns >= _CONTINUED_COLUMNS
