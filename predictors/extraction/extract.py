"""A document's bytes → its text."""

from collections.abc import Callable
from dataclasses import dataclass

from predictors.extraction.charset import decode
from predictors.extraction.content_types import BINARY_TYPES, CONTENT_TYPES, DOCX, ContentType, known_type, sniff
from predictors.extraction.errors import Unreadable

_BINARY = (b"%PDF-", b"PK\x03\x04")
_PACKAGES = {"text/html": "selectolax", "application/pdf": "pypdf"}


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was read.

    Args:
        text: the document's text.
        content_type: what it was read as.
        title: its title; "" if it has none.
    """

    text: str
    content_type: ContentType
    title: str = ""


def _go_on() -> None:
    """Never stop."""


def extract(data: bytes, content_type: str | None, name: str = "", check: Callable[[], None] = _go_on) -> Extracted:
    """Read a document.

    Args:
        data: its bytes.
        content_type: its ``Content-Type``, with or without a charset; None or one that says nothing if it is not known.
        name: its file name or URL, which tells the type of a text that does not show it.
        check: called again and again during long work; raises to stop.

    Raises:
        UnknownType: it is of a type that cannot be read.
        Unreadable: it cannot be read, or there is no text in it.
    """
    kind = _kind(data, content_type or "", name)
    try:
        text, title = _read(data, kind, content_type or "", check)
    except ImportError:
        raise Unreadable(
            f"reading {kind} needs the package {_PACKAGES[kind]}: pip install 'kserve-predictors[documents]'"
        ) from None
    if not text.strip():
        raise Unreadable("there is no text in it")
    return Extracted(text, kind, title)


def _kind(data: bytes, content_type: str, name: str) -> ContentType:
    """What to read a document as."""
    other_text = content_type.startswith("text/") and not content_type.startswith(CONTENT_TYPES)
    kind = None if other_text else known_type(content_type)
    # Servers that do not know a file's type call it text.
    mistaken = kind is not None and kind not in BINARY_TYPES and data.startswith(_BINARY)
    return sniff(data, name) if kind is None or mistaken else kind


def _read(data: bytes, kind: ContentType, content_type: str, check: Callable[[], None]) -> tuple[str, str]:
    # Imported here: a client that sends plain text needs none of them.
    if kind == "application/pdf":
        from predictors.extraction.pdf import read_pdf

        return read_pdf(data, check)
    if kind == DOCX:
        from predictors.extraction.docx import read_docx

        return read_docx(data, check)
    text = decode(data, content_type)
    if kind == "text/html":
        from predictors.extraction.html import read_html

        return read_html(text, check)
    if kind == "text/markdown":
        from predictors.extraction.markdown import read_markdown

        return read_markdown(text), ""
    return text, ""
