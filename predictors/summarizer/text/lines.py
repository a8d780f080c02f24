"""A document's lines."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from predictors.summarizer.text.labels import LABEL, QUOTE_MARKS, label_end

_WIDE = re.compile("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]")
_CELL_GAP = re.compile(r"\S(?: {3,}|\t[ \t]*)\S|\.{4}|(?:\. ){4}|…{2}")
_HASHES = re.compile(r"#{1,6}\s")
_RULE = re.compile(r"={2,}|-{3,}|\*{3,}|_{3,}|~{3,}")


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
    def is_row(self) -> bool:
        """Whether gaps or dots part it into the cells of a table."""
        return _CELL_GAP.search(self.text) is not None

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


def starts_wide(text: str) -> bool:
    """Whether a text starts with a Chinese, Japanese or Korean character; lines may end before any of these."""
    return _WIDE.match(text) is not None


def columns(text: str) -> int:
    """The width of a text on a terminal, where Chinese, Japanese and Korean characters take two columns."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))
