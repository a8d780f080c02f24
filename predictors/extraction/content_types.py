"""Which kind of document some bytes are: by what the sender says, else by their first bytes, else by the name."""

import io
import re
import zipfile
from pathlib import PurePath
from typing import Literal, get_args

from predictors.extraction.errors import UnknownType

ContentType = Literal[
    "text/plain",
    "text/html",
    "text/markdown",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
]
DOCX: ContentType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CONTENT_TYPES: tuple[ContentType, ...] = get_args(ContentType)
BINARY_TYPES = frozenset({"application/pdf", DOCX})
_ALIASES: dict[str, ContentType] = {
    "application/xhtml+xml": "text/html",
    "text/x-markdown": "text/markdown",
    "application/x-pdf": "application/pdf",
    "application/json": "text/plain",
}
_SUFFIXES: dict[str, ContentType] = {
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".pdf": "application/pdf",
    ".docx": DOCX,
}
# Said by servers that do not know: the bytes and the name decide.
_VAGUE = {"", "application/octet-stream", "binary/octet-stream", "application/zip", "application/x-zip-compressed"}
_SNIFFED_BYTES = 4096
_HTML = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)*(?:<!doctype\s+html|<(?:html|head|body|title|meta"
    rb"|script|div|table|p|h[1-6]|article|section|main|ul|ol|center|font)[\s>])",
    re.IGNORECASE | re.DOTALL,
)
# Other kinds of files, so that their bytes are not taken for text.
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an old Word file (.doc); save it as .docx or PDF"),
    (b"{\\rtf", "an RTF file; save it as .docx or PDF"),
    (b"\x89PNG", "a picture; a text is expected"),
    (b"\xff\xd8\xff", "a picture; a text is expected"),
    (b"GIF8", "a picture; a text is expected"),
    (b"\x1f\x8b", "compressed with gzip; decompress it first"),
    (b"%!PS", "a PostScript file; convert it to PDF first"),
)


def known_type(declared: str) -> ContentType | None:
    """The type that a ``Content-Type`` names, such as ``text/html; charset=utf-8``; None if it says nothing.

    Raises:
        UnknownType: no document of this type can be read.
    """
    name = declared.partition(";")[0].strip().lower()
    if name in _VAGUE:
        return None
    found = next((known for known in CONTENT_TYPES if known == name), _ALIASES.get(name))
    if found is None:
        raise UnknownType(f'the content type "{name[:100]}" is not known; known are {", ".join(CONTENT_TYPES)}')
    return found


def sniff(data: bytes, name: str = "") -> ContentType:
    """The type of a document whose sender does not say it.

    Args:
        data: the document.
        name: its file name or URL; "" if it has none.

    Raises:
        UnknownType: it is certainly of another type.
    """
    start = data[:_SNIFFED_BYTES]
    if b"%PDF-" in start[:1024]:
        return "application/pdf"
    if start.startswith(b"PK\x03\x04"):
        return _office_type(data)
    for magic, what in _FOREIGN:
        if start.startswith(magic):
            raise UnknownType(f"it is {what}")
    if _HTML.match(start):
        return "text/html"
    suffix = PurePath(name.partition("?")[0].partition("#")[0]).suffix.lower()
    by_name = _SUFFIXES.get(suffix, "text/plain")
    return "text/plain" if by_name in BINARY_TYPES else by_name


def _office_type(data: bytes) -> ContentType:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if "word/document.xml" in archive.namelist():
                return DOCX
    except (zipfile.BadZipFile, OSError, ValueError):
        pass
    raise UnknownType("it is a ZIP archive and no Word document (.docx)")
