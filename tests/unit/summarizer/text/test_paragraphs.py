"""Paragraphs: which lines make a paragraph, an item or a heading together."""

import pytest

from tests.unit.summarizer.text.splitting import headings, pieces


def test_an_introduction_stays_apart_from_its_items() -> None:
    assert pieces("We share your data with:\n(a) partners;\n(b) advertisers; and\n- others\n• all\n1) more\n") == [
        "We share your data with:",
        "(a) partners;",
        "(b) advertisers; and",
        "- others",
        "• all",
        "1) more",
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


@pytest.mark.parametrize(
    "text",
    [
        "We do not give re-\nfunds after 14 days.",
        "We do not give\nrefunds after 14 days.",
        "You may not\nsublet the flat.",
        "Nothing in this policy covers\nfloods or earthquakes.",
        "Your plan renews unless you\ncancel at least 30 days before the\nend of the year.",
        "Under no circumstances is the Company\nliable for lost data.",
    ],
)
def test_a_sentence_on_short_lines_is_whole(text: str) -> None:
    assert pieces(text) == [text]


def test_lines_after_a_pause_or_with_a_label_are_items() -> None:
    assert pieces("We store,\nyour name.") == ["We store,", "your name."]
    assert pieces("(a) Your plan\nends.") == ["(a) Your plan", "ends."]
