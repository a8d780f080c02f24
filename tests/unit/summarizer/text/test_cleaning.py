"""Cleaning: what is read of a text, and where it was in the text that was sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.text.cleaning import clean

CLAUSE = "Your plan renews each month, unless you cancel it."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("can\u00adcel in wri\u00ad\n  ting\u200b now\ufeff.", "cancel in writing now."),
        ("\ufeffYou\u200e pay\u2060 \u202anow\u202c\ufe0f.", "You pay now."),
        ("5\u00a0euros\u2003a\u3000month", "5 euros a month"),
        ("Ｆｅｅ： ５ ｅｕｒｏｓ． ﬁne 𝐛𝐨𝐥𝐝 № 5", "Fee: 5 euros. fine bold No 5"),
        ("1½ of x² and 10⁴", "1½ of x² and 10⁴"),
        ("料金、１０円。（税込）", "料金、10円。（税込）"),
        ("cafe\u0301", "café"),
        ("می\u200cخواهم 👨\u200d👩", "می\u200cخواهم 👨\u200d👩"),
        ("a\r\nb\rc\u2028d\u0000", "a\nb\nc\nd"),
        ("\uf0b7\tPay\n§  Pay\no  Pay\nx \uf0b7 y", "• \tPay\n•  Pay\n•  Pay\nx   y"),
        ("> > You pay.\n>\n> It ends.\n>5 days late", "You pay.\n\nIt ends.\n>5 days late"),
        ("1\\. you \\[pay\\] \\$5\\* now", "1. you [pay] $5* now"),
    ],
)
def test_characters(text: str, expected: str) -> None:
    assert clean(text).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You **must** not *copy* or ***sell*** __this__.", "You must not copy or sell this."),
        ("**1.1** Fees. **You *really* pay.**", "1.1 Fees. You really pay."),
        ("**Fees and more**\n\n**You pay.**", "**Fees and more**\n\nYou pay."),
        ("See [our **policy**](https://a.example/b_(c) \"Policy\") or <https://a.example> and `code`.", "See our policy or https://a.example and code."),
        ("![logo](x.png) You [pay](y)", "logo You pay"),
        ("snake_case_word, 2 * 3 * 4, Price* (*incl. tax), ____ days", "snake_case_word, 2 * 3 * 4, Price* (*incl. tax), ____ days"),
        ("An **open mark\n\nand text", "An open mark\n\nand text"),
        ("* item\n* * *\n- item", "* item\n* * *\n- item"),
        ("[Name] [Address] [1]", "[Name] [Address] [1]"),
    ],
)  # fmt: skip
def test_markdown_within_lines(text: str, expected: str) -> None:
    assert clean(text).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("end of the cur-\nrent term", "end of the \ncurrent term"),
        ("tele-\ncommuni-\n  cations", "\ntelecommunications"),
        ("self-\nemployed, e-\nmail, non-\nrefundable", "\nself-employed, \ne-mail, \nnon-refundable"),
        ("un-\nemployed, a 12-\nmonth term, Anglo-\nAmerican", "\nunemployed, a \n12-month term, \nAnglo-American"),
        ("out-of-\ncourt, thirty-\nfour, price-\nrelated", "\nout-of-court, \nthirty-four, \nprice-related"),
        ("pre- and post-\npaid, pre-\nand post-paid", "pre- and \npost-paid, pre-\nand post-paid"),
        ("art market; the art-\nmarket register", "art market; the \nart-market register"),
        ("re-elect; re-\nelect; reelect-\ned", "re-elect; \nre-elect; \nreelected"),
        ("Fees -\nall of them. ---\nNext", "Fees -\nall of them. ---\nNext"),
    ],
)
def test_words_that_a_line_end_cut_in_two(text: str, expected: str) -> None:
    assert clean(text).text == expected


@pytest.mark.parametrize(
    "pages",
    [
        ["Acme Terms\nYou pay the\nPage 1 of 3", "Acme Terms\nfee each month.\nPage 2 of 3", "Acme Terms\nThe end.\nPage 3 of 3"],
        ["You pay the\n\n1", "fee each month.\n\n2", "The end.\n\n3"],
        ["Version 3 – 4 May, page 1\n\nYou pay the", "Version 3 – 4 May, page 2\n\nfee each month.", "Version 3 – 4 May, page 3\n\nThe end."],
    ],
)  # fmt: skip
def test_page_furniture_is_not_read(pages: list[str]) -> None:
    assert clean("\f".join(pages)).text == "You pay the\nfee each month.\n\nThe end."


def test_page_numbers_without_form_feeds() -> None:
    assert clean("You pay the\n\nPage 1 of 3\n\nfee.\n\n- 2 -\n\nIt ends.").text == "You pay the\nfee.\n\nIt ends."


@pytest.mark.parametrize(
    "text", ["Call us 24/7\n24/7\nat any time.", "See page 3 of 12 for fees.", "Fees\n\n12\n\nmonths"]
)
def test_what_looks_like_a_page_number_but_is_text_stays(text: str) -> None:
    assert clean(text).text == text


pieces = st.sampled_from(
    ["\u00ad", "\u200b", "\r\n", "\n\n", "> ", "**", "*", "_", "`x`", "[a](b)", "-\n", "cur-\nrent", "Ｆ", "ﬁ", "\uf0b7 ", "\f",
     "Page 1 of 2\n", "a   b\n", "| a | b |\n", "|--|--|\n", "Fee ..... $5\n", "month.You pay", "1. Fees You pay", "e\u0301", "\\*", "x", " "]
)  # fmt: skip


@given(st.lists(pieces | st.text(max_size=4), max_size=30).map("".join), st.data())
def test_every_part_of_the_cleaned_text_has_its_place(text: str, data: st.DataObject) -> None:
    cleaned = clean(text)
    size = len(cleaned.text)
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    low, high = cleaned.original(start, end)
    assert 0 <= low <= high <= len(text)
    if start < end:
        assert cleaned.original(start, start + 1)[0] == low
        assert cleaned.original(end - 1, end)[1] == high
        letters = [letter for letter in cleaned.text[start:end] if letter.isascii() and letter.isalpha()]
        assert not letters or low < high


@given(st.text("ab\u00ad\u200b\n", max_size=40))
def test_places_without_invisible_characters_are_exact(text: str) -> None:
    cleaned = clean(text)
    for i, letter in enumerate(cleaned.text):
        low, high = cleaned.original(i, i + 1)
        assert text[low] == letter
        assert high == low + 1 or letter == "\n"


def test_places_after_edits_of_every_kind() -> None:
    text = f"> Fo\u00adot\r\n> **note** cur-\r\n> rent ﬁne\r\n>\r\n> {CLAUSE}\r\n"
    cleaned = clean(text)
    start = cleaned.text.index(CLAUSE)
    low, high = cleaned.original(start, start + len(CLAUSE))
    assert text[low:high] == CLAUSE
    start = cleaned.text.index("current")
    low, high = cleaned.original(start, start + 7)
    assert text[low:high] == "cur-\r\n> rent"


@pytest.mark.parametrize(
    "pattern",
    ["a-\n", "-\n", "*", "**a", "_a_ ", "`", "[", "[a](", "[a](((", "![a](", "\\*", "<http://", "> ", "\f", "\f1\n", "Page 1\n",
     "\n1 of 2", "\u00ad\n", "e\u0301", "\u0301", "\uf0b7\n", "o A\n", "a-b-", "**a\n", "a   b\n", "|a|b\n", "a....", "a.A a", "1. A You a"],
)  # fmt: skip
def test_hostile_texts_take_linear_time(pattern: str) -> None:
    clean(pattern * (200_000 // len(pattern)))  # with quadratic work this would not end
