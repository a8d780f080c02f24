"""A document's blocks: paragraphs, list items and headings, each of one or more lines."""

# ruff: noqa: RUF001  # the patterns hold the punctuation of many scripts

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from predictors.summarizer.text.labels import LABEL, is_item, label_end
from predictors.summarizer.text.lines import Line, columns
from predictors.summarizer.text.paragraphs import paragraphs
from predictors.summarizer.text.sentences import COMPLETE

MARKS = " \t#*_:：-–—"  # characters around a title
_HEADING_COLUMNS = 100
_BRACKETS = ("()", "（）")
# A line that ends with such a word goes on in what follows: "I am in default if".
_GOES_ON = re.compile(r"\b(?:if|unless|until|when|where|while|that|because|whether|must|shall|and|or|but|the|an)\Z")


@dataclass(slots=True)
class Block:
    """A paragraph, an item or a heading.

    Args:
        start, end: characters ``[start, end)`` of the document.
        first: whether there is a blank line above it.
        title: the name of its section if it is a heading; "" if it cannot be one.
        body: where its text starts, after the label.
        numbers: the numbers in its label: "12" and "3" for "12.3"; None without a label, or with a list item's.
        item: whether it has a list item's label: "(a)", "1)", "-".
        label: the label, "" without one.
        indent: columns before it.
        marked: whether it is marked as a heading, by hashes, an underline or bold type.
        complete: whether it ends like a sentence or an introduction, or is too long for a heading.
        introduces: whether it ends with a colon.
        heading: whether its first clause is a heading.
        starts: where its clauses start.
    """

    start: int
    end: int
    first: bool
    title: str
    body: int
    numbers: list[str] | None
    item: bool
    label: str
    indent: int
    marked: bool
    complete: bool
    introduces: bool
    heading: bool = False
    starts: list[int] = field(default_factory=list)


def find_blocks(text: str) -> list[Block]:
    """The blocks of a document; `Block.heading` and `Block.starts` are not set yet."""
    return [_block(text, lines, first) for lines, first in paragraphs(text)]


def _block(text: str, lines: Sequence[Line], first: bool) -> Block:
    start, end = lines[0].start, lines[-1].end
    hashes, underlined = lines[0].hashes, len(lines) == 2 and lines[1].rule
    line = " ".join(line.text for line in lines[: len(lines) - underlined])
    line = line.lstrip("# ") if hashes else line
    label = LABEL.match(line) if hashes else lines[0].label
    title = _title(line, label, hashes)
    return Block(
        start,
        end,
        first,
        title,
        body=lines[0].end - len(lines[0].text) + label_end(label),
        numbers=_numbers(label),
        item=is_item(label),
        label=label.group().strip() if label else "",
        indent=lines[0].columns - columns(lines[0].text),
        marked=hashes or (title != "" and (underlined or _is_bold(line))),
        complete=_is_complete(text, start, end),
        introduces=text[end - 1] in ":：",
    )


def _title(line: str, label: re.Match[str] | None, hashes: bool) -> str:
    """The name of the section if this line is a heading; "" if it cannot be one."""
    title = line[label_end(label) :].strip(MARKS)
    if not title and label and label["part"]:  # "Schedule 1"
        title = line.strip(MARKS)
    if title[:1] + title[-1:] in _BRACKETS:
        title = title[1:-1]
    if hashes:
        return title or line
    return title if _may_be_title(title) and not is_item(label) and columns(line) <= _HEADING_COLUMNS else ""


def _may_be_title(title: str) -> bool:
    if not any(map(str.isalpha, title)) or title[0].islower() or title[-1] in ".;,!…。；，、！":
        return False
    return _GOES_ON.search(title) is None


def _numbers(label: re.Match[str] | None) -> list[str] | None:
    return None if label is None or is_item(label) else re.findall(r"\d+", label.group())


def _is_bold(line: str) -> bool:
    return line[:2] in ("**", "__") and line.endswith(line[:2])


def _is_complete(text: str, start: int, end: int) -> bool:
    return end - start > _HEADING_COLUMNS or COMPLETE.search(text, max(start, end - 9), end) is not None
