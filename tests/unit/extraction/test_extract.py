"""Bytes of any kind: what they are taken for, in which charset, and what is said of those that cannot be read."""

import codecs

import pytest

from predictors.extraction.content_types import CONTENT_TYPES, DOCX
from predictors.extraction.errors import UnknownType, Unreadable
from predictors.extraction.extract import extract
from tests.unit.extraction.files import archive, docx, paragraph, pdf

CLAUSE = "You pay £5 – each month – for “Plus”."
PDF = pdf([[(700, "You pay 5 euros each month.")]])


@pytest.mark.parametrize(
    ("data", "declared", "name", "kind"),
    [
        (b"You pay.", None, "", "text/plain"),
        (b"<!DOCTYPE html><p>You pay.", None, "", "text/html"),
        (b"\n<!-- x --><html><p>You pay.", "application/octet-stream", "", "text/html"),
        (b"<?xml version='1.0'?><html><p>You pay.", None, "", "text/html"),
        (b"You <b>pay</b>.", None, "https://a.example/terms.html?x=1", "text/html"),
        (b"You pay.", None, "terms.md", "text/markdown"),
        (b"You pay.", None, "terms.pdf", "text/plain"),
        (b"<p>You pay.", "text/plain", "", "text/plain"),
        (b"You pay.", "text/x-rst", "", "text/plain"),
        (b"<p>You pay.", "application/xhtml+xml", "", "text/html"),
        (PDF, None, "", "application/pdf"),
        (PDF, "text/plain", "", "application/pdf"),
        (docx(paragraph("You pay.")), None, "", DOCX),
        (docx(paragraph("You pay.")), "application/zip", "", DOCX),
    ],
)
def test_what_a_document_is(data: bytes, declared: str | None, name: str, kind: str) -> None:
    found = extract(data, declared, name)
    assert found.content_type == kind
    assert "You" in found.text


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_charsets_without_a_word_about_them(charset: str, kind: str) -> None:
    assert extract(CLAUSE.encode(charset), kind).text == CLAUSE


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        ("Вы платите.".encode("koi8-r"), "text/plain; charset=koi8-r"),
        ("<meta charset='windows-1251'>Вы платите.".encode("cp1251"), "text/html"),
        ("<?xml version='1.0' encoding='windows-1251'?><html>Вы платите.".encode("cp1251"), "text/html"),
        ("Вы платите.".encode(), "text/plain; charset=iso-8859-1"),  # many servers say so of anything
        ("Вы платите.".encode(), "text/plain; charset=nonsense"),
        (codecs.BOM_UTF8 + "Вы платите.".encode(), "text/plain; charset=koi8-r"),
    ],
)
def test_declared_charsets(data: bytes, declared: str) -> None:
    assert extract(data, declared).text == "Вы платите."


def test_plain_text_is_not_changed() -> None:
    text = "\ufeff" + "# You pay\r\n\r\n  5 euros.\f\u00ad\n"
    assert extract(text.encode(), "text/plain").text == text[1:]


def test_one_wrong_byte_does_not_change_the_charset() -> None:
    text = (CLAUSE * 500).encode() + b"\xff end"
    assert extract(text, None).text.startswith(CLAUSE)


@pytest.mark.parametrize(
    ("data", "declared", "says"),
    [
        (b"x", "image/png", "known are text/plain, text/html"),
        (b"\x89PNG\r\n", None, "picture"),
        (b"{\\rtf1 x}", None, "RTF"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), None, "old Word"),
        (archive(other=b"<a/>"), None, "no Word document"),
        (bytes(range(32)) * 100, None, "control characters"),
        (b" \n", None, "no text"),
        (b"", None, "no text"),
        (b"<html><script>x</script></html>", None, "no text"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, declared: str | None, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as raised:
        extract(data, declared)
    assert "\n" not in str(raised.value)


def test_an_unknown_type_names_the_known_ones() -> None:
    with pytest.raises(UnknownType) as raised:
        extract(b"x", "video/mp4")
    assert all(kind in str(raised.value) for kind in CONTENT_TYPES)


def test_markdown_without_front_matter_comments_and_tags() -> None:
    data = b"---\ntitle: x\n---\n# Fees <a name=x></a>\n<!-- draft -->You pay<br>**5** euros, if x < y and y > z.\n"
    assert extract(data, "text/markdown").text == "# Fees \nYou pay\n**5** euros, if x < y and y > z.\n"
