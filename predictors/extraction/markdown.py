"""Markdown → text: without front matter, comments, tags, struck-through text and footnotes' marks.

Tables are read row by row. Its other marks stay, as readers of plain text know them.
"""

import re
from collections.abc import Iterator, Sequence

from predictors.extraction.tables import Cell, table_rows

# A document may also begin with a rule, "---"; front matter begins with a key.
_FRONT_MATTER = re.compile(
    r"\A\ufeff?---[ \t]*\r?\n(?=[\w\"'-]{1,60}[ \t]*:)(?:.{0,2000}\r?\n){0,200}?---[ \t]*(?:\r?\n|\Z)"
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BREAK = re.compile(r"<br\s{0,3}/?>", re.IGNORECASE)
_STRUCK = re.compile(
    r"(?<![~\\])~~(?![~\s])(?:[^~\n]|\n(?![ \t\r]{0,20}\n)){1,2000}~~(?!~)|<(del|s|strike)>[^<]{0,2000}</\1>"
)
_FOOTNOTE = re.compile(r"(?:^\[\^[\w-]{1,40}\]:[ \t]{0,8}|\[\^[\w-]{1,40}\])", re.MULTILINE)
_TAG = re.compile(
    r"</?(?:a|abbr|b|center|div|em|font|i|img|kbd|mark|p|small|span|strong|sub|sup|u)(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE,
)
_LONGEST_ROW = 5000
# The line between a table's header and its rows.
_RULE = re.compile(r"[ \t]{0,8}\|?[ \t]{0,8}:?-+:?[ \t]{0,8}(?:\|[ \t]{0,8}:?-+:?[ \t]{0,8}){0,200}\|?\s{0,8}")
_BAR = re.compile(r"(?<!\\)\|")


def read_markdown(text: str) -> str:
    """The text of a Markdown document."""
    text = _FRONT_MATTER.sub("", text, count=1)
    if "-->" in text:
        text = _COMMENT.sub("", text)
    text = _FOOTNOTE.sub("", _STRUCK.sub("", text))
    if "|" in text:
        text = "".join(_with_rows(text.splitlines(keepends=True)))
    return _TAG.sub("", _BREAK.sub("\n", text)) if "<" in text else text


def _with_rows(lines: Sequence[str]) -> Iterator[str]:
    """The lines of a document; of its tables, one for each row."""
    place = 0
    while place < len(lines):
        if not (place + 1 < len(lines) and _is_row(lines[place]) and _is_rule(lines[place + 1])):
            yield lines[place]
            place += 1
            continue
        end = place + 2
        while end < len(lines) and _is_row(lines[end]):
            end += 1
        header = [Cell(text, header=True) for text in _cells(lines[place])]
        body = [[Cell(text) for text in _cells(line)] for line in lines[place + 2 : end]]
        yield "\n"
        yield from (f"{row}\n\n" for row in table_rows([header, *body]))
        place = end


def _is_row(line: str) -> bool:
    return len(line) <= _LONGEST_ROW and _BAR.search(line) is not None


def _is_rule(line: str) -> bool:
    return _is_row(line) and _RULE.fullmatch(line) is not None


def _cells(line: str) -> list[str]:
    """The texts of a row's cells."""
    inside = line.strip().removeprefix("|")
    inside = inside[:-1] if inside.endswith("|") and not inside.endswith("\\|") else inside
    return [" ".join(_BREAK.sub(" ", cell).replace("\\|", "|").split()) for cell in _BAR.split(inside)]
