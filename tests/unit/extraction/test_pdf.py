"""PDF: lines, paragraphs and pages; files that are locked, scanned or damaged."""

import io

import pypdf
import pytest

from predictors.extraction.errors import Unreadable
from predictors.extraction.extract import extract
from tests.unit.extraction.files import Over, pdf, stop

PARAGRAPHS = [
    (700, "You pay 5 euros each month for the"),
    (686, "plan that you chose."),
    (660, "We may raise the price."),
]


def test_lines_paragraphs_and_pages() -> None:
    assert extract(pdf([PARAGRAPHS, [(700, "You may cancel at any time.")]]), None).text == (
        "You pay 5 euros each month for the\nplan that you chose.\n\nWe may raise the price.\fYou may cancel at any time."
    )


def encrypted(password: str) -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(pdf([PARAGRAPHS])))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_a_file_that_is_only_locked_for_changes_is_read() -> None:
    assert "You pay" in extract(encrypted(""), None).text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (encrypted("secret"), "password"),
        (pdf([[], []]), "OCR"),
        (pdf([PARAGRAPHS])[:400], "damaged"),
        (b"%PDF-1.7\n" + b"junk" * 100, "damaged"),
        (b"text", "damaged"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        extract(data, "application/pdf")


def test_reading_stops_when_it_is_told_to() -> None:
    with pytest.raises(Over):
        extract(pdf([PARAGRAPHS] * 3), None, check=stop)
