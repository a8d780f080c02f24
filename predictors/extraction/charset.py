"""Bytes → text, in the charset that they say, show or most probably have."""

import codecs
import re

from predictors.extraction.errors import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 4096
_MOST_NAMES = 3
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_.:-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"\A\s*<\?xml[^>]{0,100}encoding\s*=\s*[\"']([a-zA-Z0-9_.:-]{2,40})", re.IGNORECASE)
_DECLARED = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
# Pages that name these are in Windows' charset in truth, as the WHATWG's encoding standard has it.
_WINDOWS = {"iso-8859-1", "iso8859-1", "latin-1", "latin1", "us-ascii", "ascii", "windows-1252", "cp1252"}
_NULLS = 0.2  # share of null bytes in UTF-16 text of Latin letters
_MOST_CONTROLS = 0.02  # share of control characters in a text


def decode(data: bytes, content_type: str = "") -> str:
    """Decode a text.

    A byte order mark decides, then the charset that ``content_type`` names, then the one in an HTML or XML document,
    then whether the bytes are UTF-8 or UTF-16; the rest is taken for Windows-1252.

    Args:
        data: the text's bytes.
        content_type: the ``Content-Type`` that it came with; "" if none.

    Raises:
        Unreadable: they are no text.
    """
    text = _decode(data, content_type)
    controls = sum(text.count(chr(code)) for code in (*range(9), *range(14, 27), *range(28, 32)))
    if controls > _MOST_CONTROLS * len(text) + 1:
        raise Unreadable("it is not text: it holds control characters")
    return text


def _decode(data: bytes, content_type: str) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    wide = _wide_charset(data)
    if wide:
        return data.decode(wide, "replace")
    head = data[:_SAMPLE_BYTES]
    names = _DECLARED.findall(content_type) + [
        name.decode("ascii") for name in _META.findall(head) + _XML.findall(head)
    ]
    for declared in names[:_MOST_NAMES]:
        if (text := _decoded(data, declared)) is not None:
            return text
    return _guessed(data)


def _decoded(data: bytes, name: str) -> str | None:
    """The text in a named charset; None if there is no such charset or the bytes do not fit it."""
    try:
        if codecs.lookup(name).name in ("utf-8", "ascii") or name.lower() in _WINDOWS:
            return _guessed(data)
        return data.decode(name)
    except (LookupError, UnicodeError, ValueError):
        return None


def _guessed(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # One wrong byte in a long text is damage, not another charset.
        if error.start > _SAMPLE_BYTES and any(byte > 127 for byte in data[: error.start]):
            return data.decode("utf-8", "replace")
        return data.decode("cp1252", "replace")


def _wide_charset(data: bytes) -> str | None:
    """UTF-16 without a mark, known by its null bytes."""
    head = data[:_SAMPLE_BYTES]
    half = len(head) // 2
    if half and head[1::2].count(0) > 2 * _NULLS * half and head[::2].count(0) < _NULLS * half:
        return "utf-16-le"
    if half and head[::2].count(0) > 2 * _NULLS * half and head[1::2].count(0) < _NULLS * half:
        return "utf-16-be"
    return None
