"""Which lines are headings, and what their sections are called."""

import pytest

from tests.unit.summarizer.text.splitting import headings, pieces, sections


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


def test_a_numbered_introduction_is_no_heading() -> None:
    assert (
        headings("1.1 You pay.\n\n1.2 You must not do any of this:\n1.2.1 sell it;\n1.2.2 lend it.\n1.3 It ends.") == []
    )
    assert headings("1. Your Fees:\n\nYou pay $5 a month.") == ["1. Your Fees:"]
