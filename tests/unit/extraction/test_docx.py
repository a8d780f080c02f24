"""Word documents: numbers, headings, tables and changes; damaged and hostile files."""

import pytest

from predictors.extraction.content_types import DOCX
from predictors.extraction.errors import Unreadable
from predictors.extraction.extract import extract
from tests.unit.extraction.files import W, archive, docx, paragraph

STYLES = (
    '<w:style w:styleId="H1"><w:name w:val="heading 1"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>'
    '<w:style w:styleId="H2"><w:name w:val="Clause"/><w:basedOn w:val="H1"/></w:style>'
    '<w:style w:styleId="L"><w:name w:val="List"/><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    '<w:style w:styleId="T"><w:name w:val="toc 1"/></w:style>'
)
NUMBERING = (
    '<w:abstractNum w:abstractNumId="7">'
    '<w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>'
    '<w:lvl w:ilvl="2"><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%3)"/></w:lvl>'
    '<w:lvl w:ilvl="3"><w:numFmt w:val="bullet"/><w:lvlText w:val="&#xf0b7;"/></w:lvl>'
    '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
)


def listed(text: str, level: int) -> str:
    return paragraph(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>')


def styled(text: str, style: str) -> str:
    return paragraph(text, f'<w:pStyle w:val="{style}"/>')


def row(*cells: str) -> str:
    return "<w:tr>" + "".join(f"<w:tc>{cell if '<' in cell else paragraph(cell)}</w:tc>" for cell in cells) + "</w:tr>"


def blocks(body: str) -> list[str]:
    return extract(docx(body, styles=STYLES, numbering=NUMBERING), DOCX).text.split("\n\n")


def test_numbers_are_counted_as_word_counts_them() -> None:
    levels = [("Fees", 0), ("You pay.", 1), ("x", 2), ("y", 2), ("dot", 3), ("We pay.", 1), ("z", 2), ("End", 0)]
    body = "".join(listed(text, level) for text, level in levels) + styled("It ends.", "L")
    assert blocks(body) == [
        "3. Fees", "  3.1 You pay.", "    (a) x", "    (b) y", "      - dot", "  3.2 We pay.", "    (a) z", "4. End",
        "  4.1 It ends.",
    ]  # fmt: skip


def test_headings_come_from_styles() -> None:
    body = styled("Terms", "H1") + styled("Fees", "H2") + styled("Fees 3", "T") + paragraph("You pay.")
    assert blocks(body) == ["# Terms", "# Fees", "You pay."]


def test_a_bold_line_is_a_heading() -> None:
    bold = "<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>Fees</w:t></w:r></w:p>"
    assert blocks(bold + paragraph("You pay.")) == ["**Fees**", "You pay."]


def test_a_table_with_merged_cells() -> None:
    restart = '<w:tcPr><w:vMerge w:val="restart"/></w:tcPr>' + paragraph("30 days")
    goes_on = "<w:tcPr><w:vMerge/></w:tcPr>" + paragraph("")
    wide = '<w:tcPr><w:gridSpan w:val="3"/></w:tcPr>' + paragraph("Extras")
    rows = row("Plan", "Fee", "Notice") + row("Basic", "5 euros", restart) + row("Gold", "9 euros", goes_on) + row(wide)
    assert blocks(f"<w:tbl>{rows}</w:tbl>") == [
        "Plan: Basic; Fee: 5 euros; Notice: 30 days.",
        "Plan: Gold; Fee: 9 euros; Notice: 30 days.",
        "Extras.",
    ]


def test_changes_are_accepted_and_codes_left_out() -> None:
    body = (
        "<w:p><w:r><w:t>You pay </w:t></w:r><w:del><w:r><w:delText>5</w:delText></w:r></w:del><w:ins><w:r><w:t>9</w:t></w:r></w:ins>"
        '<w:hyperlink><w:r><w:instrText>LINK</w:instrText><w:t xml:space="preserve"> euros</w:t><w:tab/><w:t>now</w:t>'
        "<w:br/><w:t>and then.</w:t></w:r></w:hyperlink></w:p>"
    )
    assert blocks(body) == ["You pay 9 euros now\nand then."]


def test_a_text_box_is_read_once() -> None:
    box = f"<w:txbxContent>{paragraph('In a box.')}</w:txbxContent>"
    mc = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    choice = f'<mc:AlternateContent xmlns:mc="{mc}"><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>'
    assert blocks(f"<w:p><w:r><w:t>Beside it.</w:t>{choice}</w:r></w:p>") == ["Beside it.", "In a box."]


BOMB = f'<w:document xmlns:w="{W}"><w:body>'.encode() + b" " * (80 * 2**20)
ENTITIES = b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (archive(document=BOMB), "more than 64 MiB"),
        (archive(document=ENTITIES), "document type"),
        (archive(document=ENTITIES.decode().encode("utf-16")), "document type"),
        (archive(document=b"<a>" * 5000), "nested"),
        (archive(document=b"<a>"), "damaged"),
        (archive(styles=b"<a/>"), "no text"),
        (b"PK\x03\x04 and no more", "no Word document"),
    ],
)
def test_hostile_and_damaged_files_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        extract(data, DOCX)
