"""Word documents (.docx) → text, with the numbers of paragraphs and the rows of tables.

A Word document is a ZIP archive of XML files.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from predictors.extraction.errors import Unreadable
from predictors.extraction.numbering import Numbering, W, integer, value
from predictors.extraction.tables import Cell, table_rows
from predictors.extraction.writing import Writer, item_mark
from predictors.extraction.xml_part import read_xml

_BODY, _STYLES, _NUMBERING = "word/document.xml", "word/styles.xml", "word/numbering.xml"
_CORE = "docProps/core.xml"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_CHARACTERS = {f"{W}tab": " ", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
_NO_TEXT = {
    f"{W}del",
    f"{W}moveFrom",
    f"{W}instrText",
    f"{W}pPr",
    f"{W}rPr",
    _FALLBACK,
    f"{W}txbxContent",
    f"{W}sectPr",
}
_MOST_STYLES = 20  # a style may be based on another, and so on
_CONTENTS = ("toc", "table of figures")


@dataclass(frozen=True, slots=True)
class _Style:
    """What a paragraph's style says.

    Args:
        name: in lower case.
        based_on: the style that says the rest.
        list_id, level: its list, if it has one.
        outline: the level of its heading, 0 for the first; None if it is none.
    """

    name: str
    based_on: str
    list_id: str
    level: int
    outline: int | None


def read_docx(data: bytes, check: Callable[[], None]) -> tuple[str, str]:
    """The text and the title of a Word document.

    Args:
        data: the file.
        check: called again and again; raises to stop.

    Raises:
        Unreadable: it is damaged, encrypted or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            body, styles, numbering, core = (
                _part(archive, name, check) for name in (_BODY, _STYLES, _NUMBERING, _CORE)
            )
    except Unreadable:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        raise Unreadable(f"it is no Word document that can be read: {error}"[:300]) from None
    if body is None:
        raise Unreadable("it is no Word document: it has no text")
    title = core.find(_TITLE) if core is not None else None
    text = _Reader(_styles(styles), Numbering(numbering), check).read(body)
    return text, " ".join((title.text or "").split()) if title is not None else ""


def _part(archive: zipfile.ZipFile, name: str, check: Callable[[], None]) -> Element | None:
    """One XML file of the archive; None if it has no such file."""
    if name not in archive.namelist():
        return None
    with archive.open(name) as part:
        return read_xml(part, check)


def _styles(root: Element | None) -> dict[str, _Style]:
    styles = {}
    for each in () if root is None else root.iter(f"{W}style"):
        properties = each.find(f"{W}pPr")
        number = properties.find(f"{W}numPr") if properties is not None else None
        outline = properties.find(f"{W}outlineLvl") if properties is not None else None
        styles[value(each, "styleId")] = _Style(
            value(each.find(f"{W}name")).lower(),
            value(each.find(f"{W}basedOn")),
            value(number.find(f"{W}numId")) if number is not None else "",
            integer(value(number.find(f"{W}ilvl"))) if number is not None else 0,
            integer(value(outline), 9) if outline is not None else None,
        )
    return styles


class _Reader:
    """Reads one document.

    Args:
        styles: by their ids.
        numbering: numbers its paragraphs.
        check: raises to stop.
    """

    def __init__(self, styles: dict[str, _Style], numbering: Numbering, check: Callable[[], None]) -> None:
        self._styles = styles
        self._numbering = numbering
        self._check = check
        self._writer = Writer()

    def read(self, root: Element) -> str:
        for block in _blocks(root):
            self._check()
            if block.tag == f"{W}p":
                self._paragraph(block)
            else:
                self._table(block)
        return self._writer.text

    def _table(self, table: Element) -> None:
        rows = [_cells(row) for row in _children(table, f"{W}tr")]
        for line in table_rows(_merged(rows)):
            self._writer.inline(line)
            self._writer.end()

    def _paragraph(self, paragraph: Element) -> None:
        text = _text(paragraph)
        chain = self._chain(paragraph)
        label, level = self._label(paragraph, chain)
        if not text.strip() or any(style.name.startswith(_CONTENTS) for style in chain):
            return
        outline = next((style.outline for style in chain if style.outline is not None), 9)
        own = paragraph.find(f"{W}pPr/{W}outlineLvl")
        outline = integer(value(own), 9) if own is not None else outline
        if any(style.name == "title" for style in chain[:1]):
            outline = 0
        if outline < 9:  # Word's "body text" is level 9
            self._writer.inline(f"{label} {text}" if label not in ("", "-") else text)
            self._writer.heading(outline + 1)
            return
        if label:
            self._writer.mark(item_mark(level, label))
        self._writer.inline(text)
        self._end(paragraph)

    def _end(self, paragraph: Element) -> None:
        runs = [run for run in paragraph.iter(f"{W}r") if any((part.text or "").strip() for part in run.iter(f"{W}t"))]
        bold = [run.find(f"{W}rPr/{W}b") for run in runs]
        if bold and all(mark is not None and value(mark) not in ("0", "false") for mark in bold):
            self._writer.title()
        else:
            self._writer.end()

    def _chain(self, paragraph: Element) -> list[_Style]:
        """The paragraph's style and those that it is based on."""
        chain: list[_Style] = []
        name = value(paragraph.find(f"{W}pPr/{W}pStyle")) or "Normal"
        while (style := self._styles.get(name)) and len(chain) < _MOST_STYLES:
            chain.append(style)
            name = style.based_on
        return chain

    def _label(self, paragraph: Element, chain: list[_Style]) -> tuple[str, int]:
        """The paragraph's number and level in its list."""
        number = paragraph.find(f"{W}pPr/{W}numPr")
        styled = next((style for style in chain if style.list_id), None)
        list_id, level = (styled.list_id, styled.level) if styled else ("", 0)
        if number is not None:
            list_id = value(number.find(f"{W}numId")) or list_id
            own_level = number.find(f"{W}ilvl")
            level = integer(value(own_level)) if own_level is not None else level
        return self._numbering.label(list_id, level), level


def _blocks(root: Element) -> Iterator[Element]:
    """The paragraphs and tables of a body, in order, also those within frames and content controls."""
    for child in root:
        if child.tag in (f"{W}p", f"{W}tbl"):
            yield child
            if child.tag == f"{W}p":
                yield from _boxes(child)
        elif child.tag != _FALLBACK:
            yield from _blocks(child)


def _boxes(paragraph: Element) -> Iterator[Element]:
    """The paragraphs and tables in the text boxes of a paragraph."""
    for box in _children(paragraph, f"{W}txbxContent"):
        yield from _blocks(box)


def _children(element: Element, tag: str) -> Iterator[Element]:
    """The elements of one kind within another, but not within each other."""
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag not in (f"{W}tbl", _FALLBACK):
            yield from _children(child, tag)


def _text(element: Element) -> str:
    """The text of a paragraph, as it is with all changes accepted."""
    parts: list[str] = []
    waiting = [element]
    while waiting:
        each = waiting.pop()
        if each.tag == f"{W}t":
            parts.append(each.text or "")
        elif each.tag in _CHARACTERS:
            parts.append("\n" if value(each, "type") == "page" else _CHARACTERS[each.tag])
        elif each.tag not in _NO_TEXT or each is element:
            waiting += reversed(each)
    return "".join(parts)


def _cells(row: Element) -> list[tuple[Cell, str]]:
    """The cells of a row, and how each goes on vertically: "restart", "continue" or ""."""
    header = row.find(f"{W}trPr/{W}tblHeader") is not None
    cells = []
    for each in _children(row, f"{W}tc"):
        lines = [" ".join(_text(paragraph).split()) for paragraph in each.iter(f"{W}p")]
        text = "; ".join(filter(None, lines))
        merge = each.find(f"{W}tcPr/{W}vMerge")
        goes_on = "" if merge is None else (value(merge) or "continue")
        across = integer(value(each.find(f"{W}tcPr/{W}gridSpan")), 1)
        cells.append((Cell(text, header, max(1, across)), goes_on))
    return cells


def _merged(rows: list[list[tuple[Cell, str]]]) -> list[list[Cell]]:
    """The cells that each row begins, with those that go on below made longer."""
    above: dict[int, Cell] = {}
    merged: list[list[Cell]] = []
    for row in rows:
        column = 0
        begun: list[Cell] = []
        for cell, goes_on in row:
            if goes_on == "continue" and column in above:
                above[column].down += 1
            else:
                begun.append(cell)
                above.pop(column, None)
                if goes_on == "restart":
                    above[column] = cell
            column += cell.across
        merged.append(begun)
    return merged
