"""A document as clauses: sentences, list items and headings, each a range of characters.

Lines become blocks: a paragraph, an item or a heading each. A line goes on with the one before it if its first word
would have found no room there. A block is a heading by its marks, number or capitals, or as a short line that a
paragraph follows. The other blocks become sentences.

Documents come from strangers, and two million characters of anything must not take long. So a repetition in a pattern
is bounded, or the last of its pattern, or possessive and started only where its run starts.
"""

# ruff: noqa: RUF001  # the patterns hold the punctuation of many scripts

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from predictors.summarizer.text.sentences import COMPLETE, LABEL, sentence_starts

MAX_CLAUSE_CHARS = 1200
_MIN_PIECE_CHARS = MAX_CLAUSE_CHARS // 4
# Where an overlong clause is cut, the best place first.
_CUTS = (re.compile(r"[;；؛]\s*"), re.compile(r"[,，、،](?!\d)\s*"), re.compile(r"\s+"))

_HEADING_COLUMNS, _HEADING_WORDS = 100, 10
_RUN_IN_WORDS, _FEWEST_RUN_IN, _RUN_IN_SHARE = 8, 4, 0.8
_WRAPPED_COLUMNS = range(60, 121)  # the usual widths of hard-wrapped text
_CONTINUED_COLUMNS = 40  # after a shorter line, a small letter may begin an item of a list without marks
_WIDE = re.compile("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]")
_PREFIX = "> \t\ufeff\u200b"  # a quotation's marks, and characters without width
_MARKS = " \t#*_:：-–—"
_HASHES = re.compile(r"#{1,6}\s")
_RULE = re.compile(r"={2,}|-{3,}|\*{3,}|_{3,}|~{3,}")
_PAUSE = re.compile(r"(?:[.:;,!?。；，：]|\b(?:and|or|und|oder|et|ou|y|o|e))\Z")


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence, list item or heading.

    Args:
        start, end: characters ``[start, end)`` of the document. Clauses touch; white space belongs to the one before.
        section: the nearest heading without its marks and number, "" above the first; a heading opens its own section.
        heading: whether it is a heading.
    """

    start: int
    end: int
    section: str
    heading: bool


class _Line(NamedTuple):
    start: int
    end: int
    text: str  # without white space and quotation marks around it
    columns: int
    label: re.Match[str] | None
    hashes: bool
    rule: bool


@dataclass(slots=True)
class _Block:
    start: int
    end: int
    first: bool  # a blank line stands before it
    title: str  # the section's name if this is a heading, "" if it cannot be one
    body: int  # where its text starts, after the label
    numbers: list[str] | None  # of the label: 12 and 3 of "12.3"; None without a label
    item: bool  # "(a)", "1)", "-"
    marked: bool  # a heading by its marks
    complete: bool  # ends as a sentence or an introduction does, or is too long for a heading
    introduces: bool  # ends with a colon
    heading: bool = False  # of its first clause
    starts: list[int] = field(default_factory=list)  # of its clauses


def split_clauses(text: str) -> list[Clause]:
    """Split a document into clauses that tile it, none longer than `MAX_CLAUSE_CHARS`.

    Args:
        text: plain text, Markdown, or what was copied from a web page, in any language.
    """
    starts: list[int] = []
    kinds: list[tuple[str, bool]] = []
    section = around = ""
    for block in _blocks(text):
        if block.heading:
            section = block.title
            around = around if len(block.starts) > 1 else section
        elif block.numbers is not None:  # what the clause before it was called does not hold for this one
            section = around
        starts += block.starts
        kinds += [(section, block.heading), *[(section, False)] * (len(block.starts) - 1)]
    if not starts:  # nothing is visible
        starts, kinds = [0], [("", False)]
    borders = [0, *starts[1:], len(text)]  # what stands before the first clause belongs to it
    return [
        Clause(start, end, section, heading)
        for (low, high), (section, heading) in zip(pairwise(borders), kinds, strict=True)
        for start, end in pairwise(_cut(text, low, high))
        if start < end
    ]


def _blocks(text: str) -> list[_Block]:
    runs = list(_runs(text))
    long = sorted(line.columns for run in runs for line in run if line.columns >= _WRAPPED_COLUMNS.start)
    # Where text is hard-wrapped, a few lines are longer than the others: addresses, tables.
    width = long[len(long) * 9 // 10] if long else 0
    blocks: list[_Block] = []
    for run in runs:
        lines = run[:1]
        for before, line in pairwise(run):
            if not _continues(before, line, width if width in _WRAPPED_COLUMNS else None):
                blocks.append(_block(text, lines, lines[0] is run[0]))
                lines = []
            lines.append(line)
        blocks.append(_block(text, lines, lines[0] is run[0]))
    _find_headings(blocks)
    for block in blocks:
        block.starts = [block.start] if block.heading else list(sentence_starts(text, block.start, block.end))
    _find_run_in_titles(text, blocks)
    return blocks


def _runs(text: str) -> Iterator[list[_Line]]:
    """The lines between blank ones."""
    run: list[_Line] = []
    position = 0
    for line in [*text.splitlines(keepends=True), ""]:
        if core := line.strip().lstrip(_PREFIX):
            start = position + len(line) - len(line.lstrip())
            end = position + len(line.rstrip())
            hashes, rule = _HASHES.match(core) is not None, _RULE.fullmatch(core) is not None
            run.append(_Line(start, end, core, _columns(line.rstrip()), LABEL.match(core), hashes, rule))
        elif run:
            yield run
            run = []
        position += len(line)


def _columns(text: str) -> int:
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def _continues(before: _Line, line: _Line, width: int | None) -> bool:
    """Whether a line goes on with the block of the one right before it; ``width`` is a full line's, if hard-wrapped."""
    if before.rule or line.rule:
        return not before.rule  # it may underline a heading
    if before.hashes or line.hashes or (line.label and line.label["bullet"]):
        return False
    if before.label and before.label.end() == len(before.text):  # a label alone: "(a)"
        return not before.label["part"]
    text = line.text[line.label.end() :] if line.label else line.text
    word = next(iter(text.split(maxsplit=1)), "")
    if before.text.isupper() and word != word.upper():  # a heading, however long
        return False
    ends, small = before.text[-1] in ".:;!?", line.text[0].islower()
    if ends and not small and line.columns < _WRAPPED_COLUMNS.start and line.text[-1] not in ".,:;!?":
        return False  # a heading, after a full line
    first = line.text[:2] if _WIDE.match(line.text) else line.text.split(maxsplit=1)[0]
    full = width is not None and before.columns + 1 + _columns(first) > width
    if line.label:  # unless it is part of a reference that was broken: "under clause", "12.3 you may"
        return full and not (_PAUSE.search(before.text) and (line.label["item"] or not word[:1].islower()))
    return full or (small and not ends and before.columns >= _CONTINUED_COLUMNS)


def _block(text: str, lines: list[_Line], first: bool) -> _Block:
    start, end = lines[0].start, lines[-1].end
    underlined, hashes = len(lines) == 2 and lines[1].rule, lines[0].hashes
    line = " ".join(line.text for line in lines[: len(lines) - underlined])
    line = line.lstrip("# ") if hashes else line
    label = LABEL.match(line) if hashes else lines[0].label
    item = label is not None and label["item"] is not None
    title = line[label.end() if label else 0 :].strip(_MARKS)
    title = title or (line.strip(_MARKS) if label and label["part"] else "")
    title = title[1:-1] if title[:1] + title[-1:] in ("()", "（）") else title
    likely = (
        _columns(line) <= _HEADING_COLUMNS
        and not item
        and any(map(str.isalpha, title))
        and not title[0].islower()
        and title[-1] not in ".;,!…。；，、！"
    )
    return _Block(
        start,
        end,
        first,
        body=lines[0].end - len(lines[0].text) + (label.end() if label else 0),
        title=(title or line) if hashes else title if likely else "",
        numbers=re.findall(r"\d+", label.group()) if label and not item else None,
        item=item,
        marked=hashes or (likely and (underlined or (line[:2] in ("**", "__") and line.endswith(line[:2])))),
        complete=end - start > _HEADING_COLUMNS or COMPLETE.search(text, max(start, end - 9), end) is not None,
        introduces=text[end - 1] in ":：",
    )


def _is_caps(title: str) -> bool:
    letters = [character for character in title if character.isalpha()]
    return len(letters) >= 3 and all(map(str.isupper, letters))


def _find_headings(blocks: list[_Block]) -> None:
    listed = False
    for block in blocks:
        sure = block.marked or _is_caps(block.title)
        if listed and not sure and block.numbers is None:  # an item without a mark: "We store:", "Your name"
            block.title = ""
        opens = block.introduces and not sure
        listed = opens or (listed and not (block.complete or sure or block.item or block.numbers is not None))
    after: _Block | None = None
    for before, block in zip([None, *blocks][-2::-1], blocks[::-1], strict=True):
        block.heading = block.marked or (block.title != "" and _is_heading(before, block, after))
        after = block


def _is_heading(before: _Block | None, block: _Block, after: _Block | None) -> bool:
    if _is_caps(block.title) and block.numbers is None:
        return True
    if after is None or (block.introduces and after.item):
        return False
    if block.numbers is not None:  # next to its successor in number, a short line is an item of a list
        return not (_succeeds(before, block) or _succeeds(block, after))
    words = block.title.split()
    title_case = not any(word[0].islower() for word in words if len(word) > 3)
    if len(words) > _HEADING_WORDS or (block.introduces and not title_case):
        return False
    if any(map(str.isdigit, block.title)):  # rather a date, a version or a price
        return False
    opens = after.complete or after.numbers is not None or (after.item and title_case)
    return (block.first or before is None or before.complete) and (opens or (after.first and after.heading))


def _succeeds(before: _Block | None, block: _Block) -> bool:
    if before is None or not (before.title and block.title and before.numbers and block.numbers):
        return False
    return before.numbers[:-1] == block.numbers[:-1] and int(block.numbers[-1]) - int(before.numbers[-1]) == 1


def _find_run_in_titles(text: str, blocks: list[_Block]) -> None:
    """Make the first sentences of numbered clauses headings ("12.3 Renewal. Your plan …") if nearly all are short."""
    numbered = [block for block in blocks if block.numbers is not None and len(block.starts) > 1]
    titles = [text[block.body : block.starts[1]].split() for block in numbered]
    short = [0 < len(words) <= _RUN_IN_WORDS and words[0][0].isalnum() for words in titles]
    if len(short) >= _FEWEST_RUN_IN and sum(short) >= _RUN_IN_SHARE * len(short):
        for block, words, is_short in zip(numbered, titles, short, strict=True):
            block.title, block.heading = " ".join(words).strip(_MARKS + "."), is_short


def _cut(text: str, start: int, end: int) -> Iterator[int]:
    """The borders of a clause and, if it is overlong, of the pieces that it is cut into."""
    yield start
    while end - start > MAX_CLAUSE_CHARS:
        low, high = start + _MIN_PIECE_CHARS, min(start + MAX_CLAUSE_CHARS, end - _MIN_PIECE_CHARS)
        # One more character is searched, to see whether white space goes on past the highest place.
        found = ([m.end() for m in cut.finditer(text, low, high + 1) if m.end() <= high] for cut in _CUTS)
        start = next((places[-1] for places in found if places), high)
        yield start
    yield end
