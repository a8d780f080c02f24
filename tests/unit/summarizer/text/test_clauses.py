"""Documents of every shape as clauses."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from predictors.summarizer.text.clauses import MAX_CLAUSE_CHARS, split_clauses
from tests.unit.summarizer.text.splitting import headings, pieces, sections

LONG_DOCUMENT = 250_000


def check_tiles(text: str) -> None:
    clauses = split_clauses(text)
    assert "".join(text[clause.start : clause.end] for clause in clauses) == text
    assert all(before.end == clause.start for before, clause in pairwise(clauses))
    assert all(0 < clause.end - clause.start <= MAX_CLAUSE_CHARS for clause in clauses)


marks = st.sampled_from(
    [
        *("# ", "12. ", "12.3 ", "(a) ", "- ", "•", "§ 4", "Article 7 — ", "第7条", "> ", "**", "---", "FEES", "Fees", "we pay"),
        *(". ", "。", "」", "...", '."', "e.g. ", "Inc. ", "No. 5", "; ", ":\n", "\n", "\n\n", "\r\n", "\u2028", "\ufeff", "\t"),
        *("İ", " ", " " * 2000, "x" * 2000, "word " * 300, "a, " * 500),
    ]
)  # fmt: skip


@given(st.text() | st.lists(marks | st.text(max_size=5), max_size=30).map("".join))
@example("")
@example("\n \n")
def test_clauses_tile_any_text(text: str) -> None:
    check_tiles(text)


@given(st.lists(marks, max_size=30).map("".join))
def test_white_space_belongs_to_the_clause_before_it(text: str) -> None:
    clauses = split_clauses(text)
    for before, clause in pairwise(clauses):
        overlong = before.end - before.start >= MAX_CLAUSE_CHARS // 4
        assert overlong or not text[clause.start].isspace()


def test_white_space_before_everything_belongs_to_the_first_clause() -> None:
    text = " \n\n  First. \n Second.\n "
    assert [text[clause.start : clause.end] for clause in split_clauses(text)] == [
        " \n\n  First. \n ",
        "Second.\n ",
    ]


def test_a_german_contract() -> None:
    text = "§ 4 Kündigung\n\n(1) Der Vertrag läuft 12 Monate. Er endet am 31. Dezember.\n(2) Die Kündigung bedarf der Textform.\n"
    assert pieces(text) == [
        "§ 4 Kündigung",
        "(1) Der Vertrag läuft 12 Monate.",
        "Er endet am 31. Dezember.",
        "(2) Die Kündigung bedarf der Textform.",
    ]
    assert sections(text) == ["Kündigung"] * 4
    assert headings(text) == ["§ 4 Kündigung"]


def test_japanese_terms() -> None:
    text = "第7条（料金）\n利用者は料金を支払います。返金はしません。\n(1) 氏名\n（２）住所\n\n個人情報について\n\n当社は情報を収集します。"
    assert pieces(text) == [
        "第7条（料金）",
        "利用者は料金を支払います。",
        "返金はしません。",
        "(1) 氏名",
        "（２）住所",
        "個人情報について",
        "当社は情報を収集します。",
    ]
    assert sections(text) == ["料金"] * 5 + ["個人情報について"] * 2
    assert headings(text) == ["第7条（料金）", "個人情報について"]


MARKDOWN = """\
# Terms

Please read **carefully**. You agree.

## 1. Fees

- Monthly fee: €5
- Late fee: €1.
  It is added each month.

* * *

| plan | price |
|------|-------|
| Plus | €9.50 |

> You may cancel. We may not.

### Contact
Write to us.
"""


def test_a_markdown_document() -> None:
    assert pieces(MARKDOWN) == [
        "# Terms",
        "Please read **carefully**.",
        "You agree.",
        "## 1. Fees",
        "- Monthly fee: €5",
        "- Late fee: €1.",
        "It is added each month.",
        "* * *",
        "| plan | price |",
        "|------|-------|",
        "| Plus | €9.50 |",
        "> You may cancel.",
        "We may not.",
        "### Contact",
        "Write to us.",
    ]
    assert sections(MARKDOWN) == ["Terms"] * 3 + ["Fees"] * 10 + ["Contact"] * 2


@pytest.mark.parametrize(
    ("separator", "worse"), [("; ", ", x"), ("；", "，x"), (", ", " x"), ("，", "x"), (" ", "x"), (" \n ", ",0")]
)
def test_an_overlong_clause_is_cut_at_its_best_places(separator: str, worse: str) -> None:
    text = separator.join(["word" + worse * 20] * 100)
    clauses = split_clauses(text)
    assert 1 < len(clauses) <= len(text) // (MAX_CLAUSE_CHARS // 2)
    assert all(text[clause.start : clause.end].endswith(separator) for clause in clauses[:-1])


def test_a_word_without_end_is_cut_hard() -> None:
    lengths = [clause.end - clause.start for clause in split_clauses("x" * 50_000)]
    assert len(lengths) <= 50_000 // MAX_CLAUSE_CHARS + 1
    assert sum(lengths) == 50_000


@pytest.mark.parametrize(
    "pattern",
    [
        *(" ", "\n", "\r\n", "(", "((((a", "1.1.1.1.", "a.b.c.", "a. ", "...", "。", "。」と", ".)", '."', "-", "§", "**", ">", "|"),
        *("x", "日", "; ", "word ", "1. ", "(a) ", "# ", "e.g. ", "z. B. ", "am 1. ", "\u200b", "Fees\n\n", "1. A\n", "- a\n"),
    ],
)  # fmt: skip
def test_hostile_documents_are_split_in_linear_time(pattern: str) -> None:
    check_tiles(pattern * (LONG_DOCUMENT // len(pattern)))  # with quadratic work this would not end
