"""Documents of every shape as clauses."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from predictors.summarizer.text.clauses import MAX_CLAUSE_CHARS, split_clauses

LONG_DOCUMENT = 250_000


def pieces(text: str) -> list[str]:
    """The clauses without the white space that belongs to them."""
    return [text[clause.start : clause.end].strip() for clause in split_clauses(text)]


def headings(text: str) -> list[str]:
    return [text[clause.start : clause.end].strip() for clause in split_clauses(text) if clause.heading]


def sections(text: str) -> list[str]:
    return [clause.section for clause in split_clauses(text)]


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


@pytest.mark.parametrize(
    "sentences",
    [
        ["We may change the price.", "You may cancel."],
        ["We use trackers, e.g. Cookies and pixels.", "You may object, i.e. We stop."],
        ["You contract with Acme Inc. (The Company) and with Acme Ltd. and its partners.", "It is Acme Inc.", "We act for it."],
        ["Acme Inc. Europe pays Acme Ltd. Asia."],
        ["See No. 5 and Nos. 6 and 7.", "Is it free?", "The answer is no.", "We charge."],
        ["The laws of the U.S. Congress apply in the U.S.", "You live there."],
        ["See Sec. 3, Art. IV and para. 2 of it.", "It is the state of the art.", "Use it."],
        ["That is approx. 5 euros.", "Dr. Jones and J. Smith of St. Mary vs. Mr. Lee agree."],
        ["Fees, taxes etc. are yours.", "You pay fees, taxes etc.", "We do not."],
        ["Lines open at 8 a.m. Monday.", "They close at 8 p.m.", "On Sundays they rest."],
        ["It costs €4.99 a month.", "It was $1,000.50 before.", "Version 2.0.1 is out."],
        ["Wait... and see.", "Wait...", "Then see…", "That is all."],
        ["He said “Stop.”", "Then he (or she) left (for good.)", "'Why?' they asked.", '"Go!"', "[It ended.]", "Yes."],
        ["See 12.3.", "We also refer to clause 4.", "It governs (cf. 12.3.) the rest."],
        ["You must be at least 18.", "We check this."],
        ["**We own it.**", "*You* do not.", "`This.`", "That."],
        ["Do you agree?!", "iPhones are included.", "eBay is not.", "3 days remain.", "3rd parties wait."],
        ["Mail us at help@acme.example or www.acme.example/terms.html.", "Node.js is a trademark."],
        ["¿Puede cancelar?", "¡Sí!", "El plazo es de 14 días.", "Véase el art. 5."],
        ["Die Frist endet am 3. Mai 2024.", "Die 2. Rate ist im 1. Quartal fällig.", "Er gilt bis 5. Juni seit 2023.", "Mai ist frei."],
        ["Wir speichern z. B. Namen, d. h. Daten, gem. Art. 6 Abs. 1 S. 1 lit. b DSGVO.", "Es gilt § 312 Abs. 2 Nr. 5 BGB."],
        ["Das regelt Ziff. 12.", "Wir haften nicht für Schäden, Kosten usw.", "Das gilt immer."],
        ["क्या यह मुफ़्त है।", "नहीं।", "आप भुगतान करते हैं।"],
        ["هل هو مجاني؟", "لا يمكنك الإلغاء."],
    ],
)  # fmt: skip
def test_sentences(sentences: list[str]) -> None:
    assert pieces(" ".join(sentences)) == sentences
    assert pieces("\n".join(sentences)) == sentences  # each a paragraph of its own


@pytest.mark.parametrize(
    "sentences",
    [
        ["料金は月額500円です。", "3.5％の手数料があります！", "解約できますか？", "はい。"],
        ["店員は「はい。」と答えます。", "（詳しくは別紙。）", "以上です。"],
        ["您可以随时取消。", "价格为4.99元；恕不退款。"],
    ],
)
def test_sentences_without_spaces(sentences: list[str]) -> None:
    assert pieces("".join(sentences)) == sentences


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


@pytest.mark.parametrize(
    ("line", "section"),
    [
        ("# Fees", "Fees"),
        ("### 12.3 Late *fees* ###", "Late *fees"),
        ("**Your 3 rights**", "Your 3 rights"),
        ("Fees in 2024\n====", "Fees in 2024"),
        ("> ## Fees", "Fees"),
        ("\ufeff# Fees", "Fees"),
        ("LIMITATION OF LIABILITY", "LIMITATION OF LIABILITY"),
        ("Information We Collect from You", "Information We Collect from You"),
        ("How to make a claim", "How to make a claim"),
        ("What do we collect?", "What do we collect?"),
        ("Your Rights:", "Your Rights"),
        ("12. Termination", "Termination"),
        ("12.3 Termination of your account", "Termination of your account"),
        ("IV. Miscellaneous", "Miscellaneous"),
        ("A. Your Account", "Your Account"),
        ("Article 7 — Fees", "Fees"),
        ("SECTION 2: FEES", "FEES"),
        ("Schedule 1", "Schedule 1"),
        ("§ 4 Kündigung", "Kündigung"),
        ("Artikel 5: Haftung", "Haftung"),
        ("Cláusula 3 - Precio", "Precio"),
        ("一、服务内容", "服务内容"),
        ("１．目的", "目的"),
    ],
)  # fmt: skip
def test_headings(line: str, section: str) -> None:
    text = f"This comes first.\n\n{line}\n\nYou pay us monthly. We pay nobody."
    assert pieces(text) == ["This comes first.", line, "You pay us monthly.", "We pay nobody."]
    assert headings(text) == [line]
    assert sections(text) == ["", section, section, section]


@pytest.mark.parametrize(
    "line",
    [
        "You agree to this.",
        "you agree",
        "Dear customer,",
        "Effective 3 March",
        "We share your data with:",
        "12.3 You may cancel at any time.",
        "(a) Your name",
        "- Your name",
        "Section 5 applies to everyone",
        "What you may and may not do if you are a guest of ours",
        "**Plus** costs 5 euros",
        "12. 345",
        "---",
    ],
)
def test_lines_that_are_no_headings(line: str) -> None:
    assert headings(f"This comes first.\n\n{line}\n\n1,000 is a number.") == []


def test_items_of_a_list_are_no_headings_however_short() -> None:
    text = "You must provide:\n1. Your name\n2. Your address\n\nWe store:\n\nYour Photos\n\nYour Friends\n\nFEES\n\nYou pay us."
    assert headings(text) == ["FEES"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Acme Corporation\n\nYour Rights\n\nYou may object.", ["Acme Corporation", "Your Rights"]),
        ("1. General\n\n1.2 Scope\n\nYou may object.", ["1. General", "1.2 Scope"]),
        ("Your Rights\n\n- access\n- deletion", ["Your Rights"]),
        ("What we store of you\n\n- name\n- address", []),
        ("Personal Data:\n\n- name\n- address", []),
        ("We share it with:\n- partners\n- others\n\nYour Rights\n\nYou may object.", ["Your Rights"]),
        ("Acme Corporation of 5 Main Street\nSpringfield\nWe own it.", []),
        ("You may object.\nOur duties\nWe delete it.", ["Our duties"]),
        ("Yours,\n\nA. Smith", []),
        ("# The general terms and conditions of Acme Inc\nwe own it.", ["# The general terms and conditions of Acme Inc"]),
        ("Schedule 1\nYou pay.", ["Schedule 1"]),
    ],
)  # fmt: skip
def test_headings_are_told_by_what_stands_around_them(text: str, expected: list[str]) -> None:
    assert headings(text) == expected


def test_a_table_of_contents_does_not_hide_the_headings_that_it_lists() -> None:
    text = "1. Fees\n2. Term\n\n1. Fees\n\nYou pay us.\n\n2. Term\nIt is a year."
    assert pieces(text) == ["1. Fees", "2. Term", "1. Fees", "You pay us.", "2. Term", "It is a year."]
    assert sections(text) == ["", "", "Fees", "Fees", "Term", "Term"]


def test_titles_in_front_of_sentences_are_headings_if_the_document_is_written_that_way() -> None:
    parts = [
        "Age. You are 18. We check it.",
        "Your account. It is yours. It is free.",
        "Fees. You pay. You do.",
        "End. It ends. Bye.",
    ]
    text = (
        "These are our terms.\n\n"
        + "\n".join(f"1.{number} {part}" for number, part in enumerate(parts, 1))
        + "\n1.5 (Any) law. It applies.\n1.6 All law applies."
    )
    assert headings(text) == ["1.1 Age.", "1.2 Your account.", "1.3 Fees.", "1.4 End."]
    assert sections(text)[4:8] == ["Your account"] * 3 + ["Fees"]
    assert sections(text)[-1] == ""


def test_short_sentences_in_front_of_others_are_no_headings() -> None:
    long = "We check the age of everybody who opens an account with us."
    text = "\n".join(
        f"1.{number} {first} You agree." for number, first in enumerate(["Be kind.", long, long, long, long], 1)
    )
    assert headings(text) == []
    assert headings("1. Be kind. You agree.") == []


def test_an_introduction_stays_apart_from_its_items() -> None:
    assert pieces("We share your data with:\n(a) partners;\n(b) advertisers; and\n- others\n• all\n1) more\n") == [
        "We share your data with:",
        "(a) partners;",
        "(b) advertisers; and",
        "- others",
        "• all",
        "1) more",
    ]


def test_an_enumeration_within_a_sentence_stays_in_it() -> None:
    assert pieces("We may (a) close it; (b) sell it. 1. Fees are due. (2) We bill.") == [
        "We may (a) close it; (b) sell it.",
        "1. Fees are due.",
        "(2) We bill.",
    ]


def test_a_label_on_a_line_of_its_own_goes_with_what_follows() -> None:
    assert pieces("(a)\nYou pay.\n•\nWe do not.\n2.\nIt ends.") == ["(a)\nYou pay.", "•\nWe do not.", "2.\nIt ends."]


HARD_WRAPPED = """\
TERMS OF SERVICE

1. Acceptance of terms

By using the Service you agree to be bound by these terms, which form a
contract between you and Acme Inc. and which are governed by the laws of
Ireland and of the European Union. If you do not agree to all of clause
12.3 of these terms, do not use the Service, and pay no fees.
Cancellation
You may cancel in your account. We ask for thirty days of notice, as all
Members know. This right is described in all our notices, in this text,
§ 14 of the Consumer Act included, and it is explained on our home page.
Notices
We write to you at the address that you gave us.
2. WHAT WE CHARGE OUR MEMBERS AND WHAT WE DO NOT CHARGE OUR MEMBERS FOR
The fee is on the price list at https://acme.example/a/very/long/address/that/nobody/has/the/heart/to/break/in/two/of-them.html
which we update every month and which you should read in full before you
## Accounts

   (a) You may not copy the Service, sell it, or lend it to anybody who
       has not agreed to these terms;
   (b) You may not use it for crime, and you may not use it in a war;
       the penalty is a ban

THE SERVICE IS PROVIDED "AS IS" WITHOUT WARRANTY OF ANY KIND, EITHER
EXPRESS OR IMPLIED, INCLUDING THE WARRANTIES OF MERCHANTABILITY.

Contact
-------
Write to us.
"""


def test_a_hard_wrapped_document() -> None:
    assert [" ".join(piece.split()) for piece in pieces(HARD_WRAPPED)] == [
        "TERMS OF SERVICE",
        "1. Acceptance of terms",
        "By using the Service you agree to be bound by these terms, which form a contract between you and Acme Inc. and which are governed by the laws of Ireland and of the European Union.",
        "If you do not agree to all of clause 12.3 of these terms, do not use the Service, and pay no fees.",
        "Cancellation",
        "You may cancel in your account.",
        "We ask for thirty days of notice, as all Members know.",
        "This right is described in all our notices, in this text, § 14 of the Consumer Act included, and it is explained on our home page.",
        "Notices",
        "We write to you at the address that you gave us.",
        "2. WHAT WE CHARGE OUR MEMBERS AND WHAT WE DO NOT CHARGE OUR MEMBERS FOR",
        "The fee is on the price list at https://acme.example/a/very/long/address/that/nobody/has/the/heart/to/break/in/two/of-them.html which we update every month and which you should read in full before you",
        "## Accounts",
        "(a) You may not copy the Service, sell it, or lend it to anybody who has not agreed to these terms;",
        "(b) You may not use it for crime, and you may not use it in a war; the penalty is a ban",
        'THE SERVICE IS PROVIDED "AS IS" WITHOUT WARRANTY OF ANY KIND, EITHER EXPRESS OR IMPLIED, INCLUDING THE WARRANTIES OF MERCHANTABILITY.',
        "Contact -------",
        "Write to us.",
    ]
    assert headings(HARD_WRAPPED) == [
        "TERMS OF SERVICE",
        "1. Acceptance of terms",
        "Cancellation",
        "Notices",
        "2. WHAT WE CHARGE OUR MEMBERS AND WHAT WE DO NOT CHARGE OUR MEMBERS FOR",
        "## Accounts",
        "Contact\n-------",
    ]


def test_hard_wrapped_japanese() -> None:
    line = "私たちはお客様の個人情報を大切に取り扱い、法令を守り、安全に管理します、また"
    expected = ["料金", f"{line}\n{line}\n改善します。", "ご安心ください。"]
    assert pieces("\n".join(expected[:2]) + expected[2]) == expected


def test_lines_that_are_whole_paragraphs_are_not_joined() -> None:
    lines = ["We collect your name", "We share it with partners " + "and others " * 12, "We sell nothing"]
    assert pieces("\n".join(lines)) == [line.strip() for line in lines]


def test_a_line_that_a_small_letter_follows_goes_on() -> None:
    lines = "You can read about how we use your data in our\nprivacy policy.\n"
    assert pieces(lines + "Sentence. " * 20)[0] == lines.strip()


def test_short_lines_that_begin_with_small_letters_are_items() -> None:
    assert pieces("We store your\nname\naddress") == ["We store your", "name", "address"]


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
