"""The text of an answer as it grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.engine.answer_text import AnswerText


def grow(raw: bytes, sizes: list[int], stops: list[str]) -> tuple[str, str, bool]:
    """Add bytes in pieces; gives what was released, the text, and whether it was stopped."""
    answer, released, begin = AnswerText(stops), "", 0
    for size in [*sizes, len(raw)]:
        answer.add(raw[begin : begin + size])
        begin += size
        if answer.stopped:
            break
        released += answer.release()
    return released + answer.finish(), answer.text, answer.stopped


@given(text=st.text(alphabet="abc€😀 ", max_size=40), sizes=st.lists(st.integers(1, 4), max_size=60))
def test_pieces_are_the_text_whatever_characters_they_cut(text: str, sizes: list[int]) -> None:
    assert grow(text.encode(), sizes, []) == (text, text, False)


@given(
    text=st.text(alphabet="ab", max_size=30),
    stops=st.lists(st.text(alphabet="ab", min_size=1, max_size=4), min_size=1, max_size=3),
    sizes=st.lists(st.integers(1, 3), max_size=40),
)
def test_nothing_of_a_stop_text_is_released(text: str, stops: list[str], sizes: list[int]) -> None:
    released, whole, stopped = grow(text.encode(), sizes, stops)
    assert released == whole
    assert not any(stop in whole for stop in stops)
    assert text.startswith(whole)
    assert stopped == any(stop in text for stop in stops)


def test_what_may_begin_a_stop_text_is_held_back_until_it_does_not() -> None:
    answer = AnswerText(["END"])
    answer.add(b"so E")
    assert answer.release() == "so "
    answer.add(b"N")
    assert answer.release() == ""
    answer.add(b"T")
    assert answer.release() == "ENT"


def test_a_character_that_was_cut_is_left_out() -> None:
    answer = AnswerText([])
    answer.add("5 €".encode()[:-1])
    assert answer.finish() == answer.text == "5 "


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"a\xc3(b"])
def test_what_is_no_utf8_is_replaced(raw: bytes) -> None:
    answer = AnswerText([])
    answer.add(raw + b"x")
    assert answer.finish().endswith("x")
    assert "\ufffd" in answer.text
