import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.intent.normalize import normalize
from predictors.intent.utterances import utterances

# One of every kind of character that is not seen, and an emoji's skin tone.
UNSEEN = (
    "\x00\x1b\x7f\x9f\u00ad\u034f\u061c\u115f\u17b4\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066"
    "\u206f\u3164\ufe00\ufe0e\ufe0f\ufeff\uffa0\ufff0\ufff9\U0001bca0\U0001d173\U0001f3fb\U0001f3ff\U000e0001\U000e0020"
    "\U000e0100"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, as it is", "plain text, as it is"),
        ("\ufeffhello", "hello"),
        ("re\u00adfund", "refund"),
        ("ｒｅｆｕｎｄ？", "refund?"),
        ("ﬁne", "fine"),
        ("cafe\u0301", "café"),
        ("I\u2019d like", "I'd like"),
        ("I`d like", "I'd like"),
        ("\u201cgreat\u201d service", '"great" service'),
        ("yes \u2014 no", "yes - no"),
        ("a  b\t\r\nc\u00a0d\u2028e\u2800f", "a b c d e f"),
        ("sooooo good", "soo good"),
        ("1000 000", "1000 000"),
        ("what????", "what??"),
        ("wait.....", "wait.."),
        ("great👍", "great 👍"),
        ("👍🏽👍\ufe0f", "👍 👍"),
        ("\u2764\ufe0f", "❤"),
        ("", ""),
        ("\u200b", ""),
    ],
)
def test_one_form(text: str, expected: str) -> None:
    assert normalize(text) == expected


def test_ascii_and_other_texts_go_the_same_way() -> None:
    for text in ("  helloooo!!!  you`re  late  ", "a  b", "no way???!"):
        assert normalize(text) == normalize(text + "\u200b")


def test_every_ignorable_or_format_character_is_left_out() -> None:
    """All of Unicode's that Python knows; the printed signs of Arabic, Syriac and Kaithi stay."""
    printed = {0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    formats = {code for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf"} - printed
    selectors = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x180B, 0x1810)}
    fillers = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}
    assert {code for code in formats | selectors | fillers if normalize(f"a{chr(code)}b") != "ab"} == set()


@given(st.text(max_size=60))
def test_doing_it_again_changes_nothing(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(
    st.sampled_from(utterances()[0]) | st.text(max_size=40),
    st.lists(st.tuples(st.integers(0, 200), st.sampled_from(UNSEEN)), min_size=1, max_size=8),
)
def test_what_is_not_seen_changes_nothing_wherever_it_is(text: str, marks: list[tuple[int, str]]) -> None:
    marked = text
    for place, mark in marks:
        at = place % (len(marked) + 1)
        marked = marked[:at] + mark + marked[at:]
    assert normalize(marked) == normalize(text)
