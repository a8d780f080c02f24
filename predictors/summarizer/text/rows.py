"""Tables in plain text → items of a list: columns aligned by spaces, Markdown's pipes, and dots that lead to a price.

A row becomes an item, "- Basic; 5 euros.", and the row of headers above it its introduction, "Plan; Fee:". So a row
never stands without its headers, and all words stay where they are.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from predictors.summarizer.text.edits import Edit
from predictors.summarizer.text.labels import LABEL, label_end

# A few dots lead to an amount only after a space: "Late fee .. $5". "You pay... $5" is a pause.
_FEW_DOTS = (
    r"(?<=[^ \t])[ \t]{1,4}\.{2,3}[ \t]{0,4}"
    r"(?=[$€£¥]|\d[\d.,]{0,9} ?(?:[€£]|EUR|USD|GBP|euros?\b|dollars?\b|pounds?\b))"
)
_HINT = re.compile(rf"\S(?: {{3}}|\t)|\.{{4}}|(?: \.){{4}}|[|│┃║]|{_FEW_DOTS}")
_GAP = re.compile(rf"[ \t]*(?:\.{{4,}}|(?:[ \t]\.){{4,}}|…{{2,}})[ \t]*|{_FEW_DOTS}| {{3,}}|[ \t]*\t[ \t]*")
_LEADER = re.compile(rf"\S[ \t]*(?:\.{{4,}}|(?:[ \t]\.){{4,}}|…{{2,}})[ \t]*\S|{_FEW_DOTS}")
_BAR = re.compile(r"[ \t]*[|│┃║](?:[ \t]*[|│┃║])*[ \t]*")
_BARS = "|│┃║"
_RULE = re.compile(r"[ \t]*[-=:+|─━═┼╪╬┬┴├┤┌┐└┘╔╗╚╝╟╢╠╣ \t]+")
_RULED = re.compile(r"[-=─━═]{2,}[ \t:+|┼╪╬┬┴]+[-=─━═]{2,}|[─━═]{3,}|\|[ \t]*:?-")
_NARROW = re.compile(r"(?<=[^ ]) {2}(?=[^ ])")
_FRAMES = frozenset("-=:+|─━═┌├└╔╠╚│┃║")  # how rules and rows with bars begin
_GAP_MARKS = ("   ", "\t", "..", ". . .", "……")  # what gaps hold
_DIGIT = re.compile(r"\d")
_LONGEST_CELL, _LONGEST_HEADER = 90, 45  # characters
_MOST_CELLS = 20
_MOST_LOWER = 0.4  # share of the cells after the first that may begin with small letters; two columns of text have more
_ENDS = ".;:,!?"


@dataclass(slots=True)
class _Row:
    """A line of a table, with the lines that go on with its cells.

    Args:
        start, end: characters ``[start, end)``, without white space around it.
        gaps: between its cells.
        wraps: line ends within it.
        kind: what parts its cells: "space", "leader" or "bar"; "rule" for a line between rows.
    """

    start: int
    end: int
    gaps: list[tuple[int, int]]
    wraps: list[tuple[int, int]]
    kind: str


def row_edits(text: str) -> Iterator[Edit]:
    """Edits that turn tables into introduced lists, and strip the frames of boxes."""
    if not _HINT.search(text):
        return
    table: list[_Row] = []
    position = 0
    for line in text.split("\n"):
        row = _row(text, position, position + len(line))
        if row is None and table and _goes_on(text, table[-1], position, line):
            start = position + len(line) - len(line.lstrip())
            table[-1].wraps.append((table[-1].end, start))
            table[-1].end = position + len(line.rstrip())
        elif row is None:
            yield from _table_edits(text, table)
            table = []
        else:
            table.append(row)
        position += len(line) + 1
    yield from _table_edits(text, table)


def _row(text: str, start: int, end: int) -> _Row | None:
    """A line as a row; None if it is none."""
    core = text[start:end].strip()
    if not core or not (core[0] in _FRAMES or any(mark in core for mark in _GAP_MARKS)):
        return None
    start += len(text[start:end]) - len(text[start:end].lstrip())
    end = start + len(core)
    if _RULE.fullmatch(core) and _RULED.search(core):
        return _Row(start, end, [], [], "rule")
    if core[0] in _BARS:
        first = _BAR.match(text, start, end)
        gaps = [match.span() for match in _BAR.finditer(text, first.end() if first else start, end)]
        return _Row(start, end, gaps, [], "bar") if gaps and len(gaps) <= _MOST_CELLS else None
    label = label_end(LABEL.match(text, start, end))  # "1.", then a tab, is no cell
    gaps = [match.span() for match in _GAP.finditer(text, max(start, label), end)]
    if not gaps or len(gaps) >= _MOST_CELLS:
        return None
    borders = [start, *(place for gap in gaps for place in gap), end]
    if any(high - low > _LONGEST_CELL for low, high in zip(borders[::2], borders[1::2], strict=True)):
        return None
    return _Row(start, end, gaps, [], "leader" if _LEADER.search(core) else "space")


def _goes_on(text: str, row: _Row, position: int, line: str) -> bool:
    """Whether a line is the rest of the last cell of the row above."""
    if row.kind != "space" or not line.strip():
        return False
    begin = _line_start(text, row)
    return len(line) - len(line.lstrip()) >= row.gaps[-1][1] - begin - 1 > row.start - begin + 2


def _table_edits(text: str, rows: Sequence[_Row]) -> Iterator[Edit]:
    """The edits of one table, if it is one."""
    cells = [row for row in rows if row.kind != "rule"]
    bars = bool(cells) and all(row.kind == "bar" for row in cells)
    ruled = len(cells) < len(rows)
    if not cells or not (bars or ruled or _is_table(text, cells)):
        return
    header = _has_header(text, rows, cells)
    many = max(len(row.gaps) for row in cells) > 1
    named = header or many
    if not bars:
        _align(text, cells)
    for row in rows:
        if row.kind == "rule":
            yield Edit(_line_start(text, row), min(len(text), text.find("\n", row.end) + 1 or len(text)), "")
        elif bars:
            yield from _bar_edits(text, row, in_table=many, header=header and row is cells[0])
        else:
            yield Edit(row.start, row.start, "" if header and row is cells[0] else "- ")
            yield from sorted(
                [Edit(*gap, "; " if named and row.kind == "space" else ": ") for gap in row.gaps]
                + [Edit(*wrap, " ") for wrap in row.wraps]
            )
            yield from _end_edits(text, row.end, header=header and row is cells[0])


def _align(text: str, rows: Sequence[_Row]) -> None:
    """Find the gaps of two spaces where other rows have wider ones."""
    columns = {high - _line_start(text, row) for row in rows for _, high in row.gaps}
    for row in rows:
        begin = _line_start(text, row)
        narrow = [match.span() for match in _NARROW.finditer(text, row.start, row.end)]
        row.gaps = sorted(row.gaps + [gap for gap in narrow if gap[1] - begin in columns])


def _line_start(text: str, row: _Row) -> int:
    return text.rfind("\n", 0, row.start) + 1


def _bar_edits(text: str, row: _Row, *, in_table: bool, header: bool) -> Iterator[Edit]:
    """The edits of a row with bars between and around its cells; in a box it has one, and stays a line of text."""
    first = _BAR.match(text, row.start, row.end)
    yield Edit(row.start, first.end() if first else row.start, "- " if in_table and not header else "")
    for low, high in row.gaps:
        if high < row.end:
            yield Edit(low, high, "; ")
    last = row.gaps[-1]
    closing = last[1] == row.end
    if in_table:
        yield from _end_edits(text, last[0] if closing else row.end, header=header)
    if closing:
        yield Edit(*last, "")


def _end_edits(text: str, end: int, *, header: bool) -> Iterator[Edit]:
    if text[end - 1] not in _ENDS:
        yield Edit(end, end, ":" if header else ".")


def _is_table(text: str, rows: Sequence[_Row]) -> bool:
    """Whether lines with gaps are a table, and not text in two columns or a single odd line."""
    if all(row.kind == "leader" for row in rows):
        return True
    cells = [text[high : high + 1] for row in rows for _, high in row.gaps]
    lower = sum(map(str.islower, cells))
    return len(rows) > 1 and lower <= _MOST_LOWER * len(cells)


def _has_header(text: str, rows: Sequence[_Row], cells: Sequence[_Row]) -> bool:
    """Whether the first row is the headers': a rule is below it, or it alone has no numbers."""
    first = cells[0]
    if len(cells) < 2 or first.kind == "leader" or (first.kind == "bar" and len(first.gaps) < 2):
        return False
    after = [row for row in rows if row.start > first.start]
    if after[0].kind == "rule":
        return True
    short = all(
        low - high <= _LONGEST_HEADER for low, high in zip([*_lows(first), first.end], _highs(first), strict=True)
    )
    numbers = sum(_DIGIT.search(text, row.gaps[0][1], row.end) is not None for row in cells[1:])
    return short and not _DIGIT.search(text, first.start, first.end) and 2 * numbers >= len(cells) - 1


def _lows(row: _Row) -> list[int]:
    return [low for low, _ in row.gaps]


def _highs(row: _Row) -> list[int]:
    return [row.start, *(high for _, high in row.gaps)]
