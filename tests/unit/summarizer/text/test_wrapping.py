"""Wrapped text: whatever the width of its lines, a document has the same clauses."""

import textwrap
from collections import Counter

import pytest

from predictors.summarizer.text.document import Document
from tests.live import ROOT
from tests.unit.summarizer.text.splitting import pieces

SET = ROOT / "tests/eval/set"
# Documents without tables, whose paragraphs are one line each.
NAMES = ["gym-membership", "car-rental", "parking-notice", "tenancy-agreement", "concert-tickets", "dating-app-terms"]
SENTENCES = [
    "Your subscription renews automatically for another twelve months unless you cancel it before the end of the current term.",
    "You waive your right to a jury trial, and you agree not to take part in a class action against us or our partners.",
    "We may share your location with our advertising partners, who use it to show you personalised offers.",
    "A cancellation fee of 75 euros applies if you leave before the end of the minimum term, whatever your reason may be.",
]


def clauses(text: str) -> Counter[str]:
    document = Document(text, lambda piece: [0] * len(piece.split()), 10_000)
    return Counter(" ".join(document.text[clause.start : clause.end].split()) for clause in document.clauses)


def wrapped(text: str, width: int, mark: str = "", indent: str = "") -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        lines += textwrap.wrap(
            line, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
        ) or [""]
    return "\n".join((mark + line).rstrip() for line in lines)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [30, 38, 45, 60, 72, 80, 100, 120])
def test_a_document_has_the_same_clauses_at_any_width(name: str, width: int) -> None:
    text = (SET / name / "document.txt").read_text("utf-8")
    expected = clauses(text)
    lost = expected - clauses(wrapped(text, width))
    assert lost.total() <= 0.01 * expected.total(), lost


@pytest.mark.parametrize(
    ("mark", "indent", "end"),
    [("> ", "", "\n"), ("> > ", "", "\n"), ("", "    ", "\n"), ("", "", "\r\n"), ("  ", "", " \n")],
)
def test_marks_and_line_ends_change_nothing(mark: str, indent: str, end: str) -> None:
    text = (SET / "tenancy-agreement" / "document.txt").read_text("utf-8")
    expected = clauses(text)
    lost = expected - clauses(wrapped(text, 66, mark, indent).replace("\n", end))
    assert lost.total() <= 0.01 * expected.total(), lost


@pytest.mark.parametrize("width", range(26, 60))
def test_short_paragraphs_in_narrow_columns(width: int) -> None:
    text = "\n\n".join(textwrap.fill(sentence, width) for sentence in SENTENCES)
    assert [" ".join(piece.split()) for piece in pieces(text)] == SENTENCES


def test_type_set_in_a_proportional_font_has_lines_of_similar_width() -> None:
    lines, line, width = [], "", 0.0
    for word in " ".join(SENTENCES).split():
        wide = sum(0.5 if letter in "iljtfr.," else 1.6 if letter in "mwMWY" else 1 for letter in word) + 0.5
        if width + wide > 42:
            lines.append(line)
            line, width = "", 0.0
        line, width = f"{line} {word}".strip(), width + wide
    text = "\n".join([*lines, line])
    assert len({len(each) for each in lines}) > 3
    assert [" ".join(piece.split()) for piece in pieces(text)] == SENTENCES


@pytest.mark.parametrize(
    "lines",
    [
        ["Acme Ltd", "41 Quebec Quay", "Aldermouth AB1 2CD", "United Kingdom"],
        ["Monthly fee: £5", "Late payment: £30 for each", "Additional driver: £18", "Collection: £89"],
        ["Your name", "Your postal address", "Your telephone number", "Your date of birth"],
    ],
)
def test_addresses_and_lists_without_marks_stay_lines(lines: list[str]) -> None:
    text = textwrap.fill(" ".join(SENTENCES), 45)
    assert pieces(text + "\n\n" + "\n".join(lines))[len(SENTENCES) :] == lines
