"""A text that is written block by block: paragraphs, headings and items of lists."""

import re

_SPACE = re.compile(r"[ \t\r\n\f]+")
_INDENT = "  "
_LONGEST_TITLE = 100
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Writer:
    """Collects blocks, with a blank line between them.

    Lines within a block are those of the document. Headings get Markdown's hashes and items their marks, from which
    readers tell what is a heading, an item and a paragraph.
    """

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._line: list[str] = []
        self._prefix = ""
        self.characters = 0

    def inline(self, text: str) -> None:
        """Go on with the block."""
        if text:
            self._line.append(text)

    def superscript(self, text: str) -> None:
        """Write a footnote's number so that it is no part of the word or number before it."""
        self.inline(text.translate(_SUPERSCRIPTS) if text.strip().isdecimal() else text)

    def line_end(self) -> None:
        """End a line within the block."""
        self._line.append("\n")

    def mark(self, prefix: str) -> None:
        """Begin the next block with a mark."""
        self.end()
        self._prefix = prefix

    def end(self) -> None:
        """End the block."""
        text = "".join(self._line)
        self._line = []
        lines = [_SPACE.sub(" ", stripped) for line in text.split("\n") if (stripped := line.strip(" \t"))]
        if lines:
            self._add(self._prefix + "\n".join(lines))
            self._prefix = ""

    def heading(self, level: int) -> None:
        """End the block as a heading, of level 1 to 6."""
        text = " ".join("".join(self._line).split())
        self._line = []
        if text:
            self._prefix = ""
            self._add(f"{'#' * max(1, min(level, 6))} {text}")

    def title(self) -> None:
        """End the block, all of which is in bold type: it is a heading if it is short and no sentence."""
        text = " ".join("".join(self._line).split())
        if text and not self._prefix and len(text) <= _LONGEST_TITLE and text[-1] not in ".;:,!?" and "*" not in text:
            self._line = [f"**{text}**"]
        self.end()

    def paragraphs(self, text: str) -> None:
        """Write a text that has paragraphs of its own."""
        self.end()
        if text.strip():
            self._add(text.strip("\n"))

    @property
    def introduces(self) -> bool:
        """Whether what was written last ends with a colon, and so speaks of what comes next."""
        last = "".join(self._line).strip() or (self._blocks[-1] if self._blocks else "")
        return last.endswith((":", "\uff1a"))

    @property
    def text(self) -> str:
        """What was written."""
        return "\n\n".join(self._blocks)

    def _add(self, block: str) -> None:
        self.characters += len(block)
        self._blocks.append(block)


def item_mark(depth: int, label: str) -> str:
    """What an item begins with.

    Args:
        depth: number of lists around its own.
        label: "-", "1.", "(a)".
    """
    return f"{_INDENT * min(depth, 10)}{label} "


def collapsed(text: str) -> str:
    """A text with one space for all white space."""
    return _SPACE.sub(" ", text)
