"""Web pages → text: headings, paragraphs, lists with their marks, tables row by row.

Elements are walked without recursion, so that no nesting is too deep.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from predictors.extraction.boilerplate import Boilerplate
from predictors.extraction.errors import Unreadable
from predictors.extraction.nesting import check_nesting
from predictors.extraction.numerals import letters, roman
from predictors.extraction.tables import Cell, table_rows
from predictors.extraction.writing import Writer, collapsed, item_mark

_MOST_NODES = 3_000_000
_CHECKED_NODES = 5_000
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "label", "legend", "li",
    "main", "ol", "p", "pre", "section", "select", "summary", "table", "tbody", "td", "textarea", "tfoot", "th",
    "thead", "tr", "ul",
}  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BOLD = {"b", "strong"}
_LONG_PARAGRAPH = 200  # characters after which the document has begun
_MOST_OPTIONS = 12
_LAYOUT_CELL = 700  # characters of a cell in a table that only arranges the page
_MAIN_SHARE = 0.3  # share of the page's text that its main part must have


@dataclass(slots=True)
class _List:
    """A list that is open.

    Args:
        tag: ``ol`` or ``ul``.
        kind: its ``type``.
        number: of its next item.
    """

    tag: str
    kind: str
    number: int


def read_html(text: str, check: Callable[[], None]) -> tuple[str, str]:
    """The text and the title of a web page.

    Args:
        text: the page.
        check: called again and again; raises to stop.

    Raises:
        Unreadable: there are too many elements, or they are nested too deeply.
    """
    check_nesting(text)
    tree = LexborHTMLParser(text)
    title = tree.css_first("title")
    root = tree.body or tree.root
    if root is None:
        return "", ""
    found = _Reader(check).read(_main_part(root))
    return found, " ".join(title.text().split()) if title is not None else ""


def _main_part(body: LexborNode) -> LexborNode:
    """The page's main part if it says which it is, and that has a good part of the text."""
    whole = len(body.text())
    for selector in ("main", "[role=main]", "article"):
        found = body.css(selector)
        if len(found) == 1 and len(found[0].text()) >= _MAIN_SHARE * whole:
            return found[0]
    return body


class _Reader:
    """Reads one page.

    Args:
        check: raises to stop.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._writer = Writer()
        self._boilerplate = Boilerplate()
        self._lists: list[_List] = []
        self._term = ""
        self._nodes = 0

    def read(self, root: LexborNode) -> str:
        for node, enters in self._walk(root):
            tag = node.tag or ""
            if tag == "-text":
                self._writer.inline(collapsed(node.text_content or ""))
            elif enters:
                self._enter(node, tag)
            else:
                self._leave(node, tag)
        self._writer.end()
        return self._writer.text

    def _walk(self, root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
        """Each element when it begins and when it ends, without those that are left out or read as a whole."""
        open_nodes: list[LexborNode] = []
        node: LexborNode | None = root
        while node is not None:
            self._count()
            tag = node.tag or ""
            child = None
            if tag == "-text":
                yield node, True
            elif not self._boilerplate.includes(node, tag) and not self._is_read_whole(node, tag):
                yield node, True
                open_nodes.append(node)
                child = node.child
                if child is None:
                    yield open_nodes.pop(), False
            following = child or (node.next if open_nodes else None)
            while following is None and open_nodes:
                last = open_nodes.pop()
                yield last, False
                following = last.next if open_nodes else None
            node = following

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes % _CHECKED_NODES == 0:
            self._check()
        if self._nodes > _MOST_NODES:
            raise Unreadable(f"the page has more than {_MOST_NODES} elements")

    def _enter(self, node: LexborNode, tag: str) -> None:
        writer = self._writer
        if tag in _BLOCKS or tag in _HEADINGS:
            writer.end()
        if tag in ("ol", "ul"):
            self._lists.append(_List(tag, node.attributes.get("type") or "", _integer(node.attributes.get("start"), 1)))
        elif tag == "li" and self._lists:
            self._begin_item(node)
        elif tag == "br":
            writer.line_end()
        elif tag == "q":
            writer.inline("“")
        elif tag == "dd" and self._term:
            writer.mark(f"{self._term} " if self._term[-1] in ":?" else f"{self._term}: ")

    def _leave(self, node: LexborNode, tag: str) -> None:
        writer = self._writer
        level = _HEADINGS.get(tag) or (_integer(node.attributes.get("aria-level"), 2) if _is_heading(node) else 0)
        if level:
            writer.heading(level)
        elif tag in ("p", "div", "td", "th") and _is_bold(node):
            writer.title()
        elif tag in _BLOCKS:
            writer.end()
        elif tag == "q":
            writer.inline("”")
        if tag in ("ol", "ul") and self._lists:
            self._lists.pop()
        elif tag == "dl":
            self._term = ""

    def _begin_item(self, node: LexborNode) -> None:
        found = self._lists[-1]
        found.number = _integer(node.attributes.get("value"), found.number)
        self._writer.mark(item_mark(len(self._lists) - 1, _label(found)))
        found.number += 1

    def _is_read_whole(self, node: LexborNode, tag: str) -> bool:
        """Read an element whose children are not walked; False if they are to be."""
        if tag == "table" and not _is_layout(node):
            self._table(node)
        elif tag in ("ul", "ol"):
            begun = self._writer.characters > _LONG_PARAGRAPH or self._writer.introduces
            return self._boilerplate.is_menu(node, begun=begun)
        elif tag == "dt":
            self._writer.end()
            self._term = " ".join(node.text().split())
        elif tag in ("pre", "textarea"):
            self._writer.paragraphs(node.text())
        elif tag == "sup":
            self._writer.superscript(" ".join(node.text().split()))
        elif tag == "select":
            self._options(node)
        else:
            return False
        return True

    def _table(self, node: LexborNode) -> None:
        self._writer.end()
        caption = node.css_first("caption")
        if caption is not None:
            self._writer.inline(_flat(caption))
            self._writer.end()
        rows = [[_cell(cell) for cell in row.iter() if cell.tag in ("td", "th")] for row in node.css("tr")]
        self._check()
        for line in table_rows([row for row in rows if row]):
            self._writer.inline(line)
            self._writer.end()

    def _options(self, node: LexborNode) -> None:
        options = [" ".join(option.text().split()) for option in node.css("option")]
        if len(options) <= _MOST_OPTIONS:
            self._writer.end()
            self._writer.inline("; ".join(filter(None, options)))
            self._writer.end()


def _is_layout(table: LexborNode) -> bool:
    """Whether a table only arranges parts of the page."""
    if (table.attributes.get("role") or "") in ("presentation", "none"):
        return True
    if any(
        table.css_first(selector) is not None
        for selector in ("td table", "td h1", "td h2", "td h3", "td h4", "td p + p")
    ):
        return True
    cells = table.css("td")
    single = all(sum(cell.tag in ("td", "th") for cell in row.iter()) < 2 for row in table.css("tr"))
    return single or any(len(cell.text()) > _LAYOUT_CELL for cell in cells)


def _cell(node: LexborNode) -> Cell:
    text = _flat(node)
    if not text and (image := node.css_first("img")) is not None:
        text = " ".join((image.attributes.get("alt") or "").split())
    across, down = (_integer(node.attributes.get(name), 1) for name in ("colspan", "rowspan"))
    return Cell(text, node.tag == "th", max(1, min(across, 1000)), max(1, min(down, 65_534)))


def _flat(node: LexborNode) -> str:
    """An element's text on one line, with a comma where lines or items end without a mark."""
    parts: list[str] = []
    for each in node.traverse(include_text=True):
        if each.tag == "-text":
            parts.append(collapsed(each.text_content or ""))
        elif each.tag == "sup" or each.tag not in _BLOCKS | {"br"}:
            continue
        elif "".join(parts).strip():
            parts.append("\n")
    lines = ["".join(line.split("\u00ad")).strip() for line in "".join(parts).split("\n")]
    text = ""
    for line in filter(None, lines):
        text += line if not text else (f" {line}" if text[-1] in ".,;:!?" else f", {line}")
    return " ".join(text.split())


def _label(found: _List) -> str:
    if found.tag == "ul":
        return "-"
    number = found.number
    labels = {"a": f"({letters(number)})", "A": f"({letters(number).upper()})", "i": f"({roman(number)})"}
    return labels.get(found.kind) or (f"({roman(number).upper()})" if found.kind == "I" else f"{number}.")


def _is_heading(node: LexborNode) -> bool:
    return node.attributes.get("role") == "heading"


def _is_bold(node: LexborNode) -> bool:
    """Whether all of an element's text is in one bold element."""
    inside = [
        child for child in node.iter(include_text=True) if child.tag != "-text" or (child.text_content or "").strip()
    ]
    return len(inside) == 1 and inside[0].tag in _BOLD


def _integer(value: str | None, default: int) -> int:
    try:
        return int(value or "")
    except ValueError:
        return default
