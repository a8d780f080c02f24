"""What a request sends as a document."""

import base64

import pytest

from predictors.extraction.content_types import DOCX
from predictors.serving.errors import InvalidInput, TooLarge
from predictors.summarizer.inputs import read_input
from predictors.summarizer.parameters import SummaryParameters, parse_parameters
from tests.unit.extraction.files import docx, paragraph


def go_on() -> None:
    pass


def test_plain_text_stays_as_it_was_sent() -> None:
    assert read_input("\ufeff<p>You\r\n", "text/plain", 5, go_on) == "\ufeff<p>You\r\n"


def test_web_pages_come_as_text_whatever_charset_they_name() -> None:
    page = "<meta charset=windows-1251><h1>Fees</h1><p>You pay £5 – now."
    assert read_input(page, "text/html", 100, go_on) == "# Fees\n\nYou pay £5 – now."


def test_word_documents_come_as_base64() -> None:
    sent = base64.encodebytes(docx(paragraph("You pay."))).decode()
    assert read_input(sent, DOCX, 100, go_on) == "You pay."


@pytest.mark.parametrize(
    ("sent", "kind", "error", "says"),
    [
        ("not base64!", "application/pdf", InvalidInput, "base64"),
        ("ä", DOCX, InvalidInput, "base64"),
        (base64.b64encode(b"junk").decode(), DOCX, InvalidInput, "no Word document"),
        ("<p></p>", "text/html", InvalidInput, "no text"),
        ("<p>You pay.", "text/html", TooLarge, "at most 5"),
    ],
)
def test_what_cannot_be_read_says_why(sent: str, kind: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        read_input(sent, kind, 5, go_on)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("text/html; charset=utf-8", "text/html"),
        ("Application/PDF", "application/pdf"),
        ("text/x-markdown", "text/markdown"),
    ],
)
def test_content_types_as_people_write_them(given: str, meant: str) -> None:
    assert parse_parameters(SummaryParameters, {"content_type": given}).content_type == meant


@pytest.mark.parametrize("given", ["image/png", "text/rtf", "", "application/octet-stream", 5, None])
def test_an_unknown_content_type_names_the_known_ones(given: object) -> None:
    with pytest.raises(InvalidInput, match=r"content_type.*text/plain.*text/html.*application/pdf"):
        parse_parameters(SummaryParameters, {"content_type": given})
