"""Personal data becomes placeholders and comes back, however the answer arrives and whatever the texts say."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.fallback.masked_text import MaskedText
from predictors.summarizer.fallback.placeholders import Mask, Unmasking
from predictors.summarizer.fallback.recognizers import Span

E_MAIL = re.compile(r"[a-z]+@[a-z]+")


def find(text: str) -> list[Span]:
    return [Span(*match.span(), "EMAIL") for match in E_MAIL.finditer(text)]


def mask(*texts: str) -> Mask:
    return Mask(find, texts)


def test_the_same_value_has_the_same_placeholder_in_all_texts() -> None:
    texts = ("a@b wrote to c@d.", "c@d answered a@b, not e@f.")
    hiding = mask(*texts)
    assert [hiding.hide(text) for text in texts] == [
        "<EMAIL_1> wrote to <EMAIL_2>.",
        "<EMAIL_2> answered <EMAIL_1>, not <EMAIL_3>.",
    ]
    assert hiding.restore("<EMAIL_3>: <EMAIL_1>, <EMAIL_1>") == "e@f: a@b, a@b"


def test_a_placeholder_that_a_text_contains_is_not_used() -> None:
    text = "<EMAIL_1> and <EMAIL_2> are not a@b."
    hiding = mask("from c@d", text)
    assert hiding.hide(text) == "<EMAIL_1> and <EMAIL_2> are not <EMAIL_3>."
    assert hiding.restore("<EMAIL_1> <EMAIL_2> <EMAIL_3> <EMAIL_4>") == "<EMAIL_1> <EMAIL_2> a@b <EMAIL_4>"


def test_what_is_no_placeholder_stays() -> None:
    hiding = mask("a@b")
    hiding.hide("a@b")
    for text in ("<", ">", "<>", "<<EMAIL_1", "a < b > c", "<EMAIL_11>", "<email_1>", "<EMAIL_1 >", "<EMAIL_1"):
        assert hiding.restore(text) == text
    assert hiding.restore("<<EMAIL_1>><EMAIL_1<EMAIL_1>") == "<a@b><EMAIL_1a@b"


def test_values_that_look_like_placeholders_are_not_undone_twice() -> None:
    values = {"x": "<K_2>", "y": "plain"}
    hiding = Mask(lambda text: [Span(0, 1, "K")], ["x", "y"])
    hiding.hide("x"), hiding.hide("y")
    hiding._values.update({"<K_1>": values["x"], "<K_2>": values["y"]})
    assert hiding.restore("<K_1>") == "<K_2>"


def test_more_may_be_hidden_while_an_answer_is_restored() -> None:
    """A document's thread hides the next passage while the event loop restores the answer to the one before."""
    hiding = mask("a@b")

    class Hiding(str):
        def startswith(self, *prefix: object) -> bool:
            hiding.hide("c@d")
            return False

    hiding._values[Hiding("<K_1>")] = "x"
    hiding.hide("a@b")
    assert hiding.restore("<EM and <EMAIL_1>") == "<EM and a@b"


@pytest.mark.parametrize("size", range(1, 14))
def test_a_stream_that_is_split_anywhere(size: int) -> None:
    hiding = mask("a@b", "c@d")
    hiding.hide("a@b c@d")
    text = "To <EMAIL_1>, <<EMAIL_2>: 1 < 2 <EMAIL_9> <EMAIL_1"
    unmasking = Unmasking(hiding)
    pieces = [unmasking.feed(text[start : start + size]) for start in range(0, len(text), size)]
    assert "".join([*pieces, unmasking.finish()]) == "To a@b, <c@d: 1 < 2 <EMAIL_9> <EMAIL_1"
    assert not any("<EMAIL_1>" in piece for piece in pieces)


def test_a_stream_without_placeholders_is_not_held_back() -> None:
    unmasking = Unmasking(mask())
    assert [unmasking.feed(piece) for piece in ("a <", "EMAIL_1", ">")] == ["a <", "EMAIL_1", ">"]
    hiding = mask("a@b")
    hiding.hide("a@b")
    unmasking = Unmasking(hiding)
    assert [unmasking.feed(piece) for piece in ("a", " <", " b", "<EMAIL_1", "0")] == ["a", " ", "< b", "", "<EMAIL_10"]


TEXTS = st.lists(
    st.sampled_from(["a@b", "c@d", "e@f", "<", ">", "<EMAIL_1>", "<EMAIL_2", "EMAIL", "_", "3>", " ", "x"]), max_size=20
).map("".join)


@given(text=TEXTS)
def test_places_in_a_hidden_text_are_places_in_the_original(text: str) -> None:
    masked = MaskedText(mask(text), text)
    places = [masked.place(place) for place in range(len(masked.text) + 1)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, len(text))
    for place, there in enumerate(places[:-1]):
        if masked.text[place] not in "<EMAIL_123456789>":
            assert text[there] == masked.text[place]


def test_a_point_comes_back() -> None:
    text = "Write to a@b, c@d or a@b."
    masked = MaskedText(mask(text), text)
    assert masked.text == "Write to <EMAIL_1>, <EMAIL_2> or <EMAIL_1>."
    start, end = masked.text.index("<EMAIL_2>"), len(masked.text)
    point = {"text": "<EMAIL_2> or <EMAIL_1>.", "support": 1.0, "citations": [{"start": start, "end": end}]}
    restored = masked.restored(point)
    assert restored == {"text": "c@d or a@b.", "support": 1.0, "citations": [{"start": 14, "end": 25}]}
    assert text[14:25] == restored["text"]
    assert point["text"] == "<EMAIL_2> or <EMAIL_1>."


@given(texts=st.lists(TEXTS, max_size=4), cuts=st.lists(st.integers(1, 5), max_size=60))
def test_whatever_is_hidden_comes_back(texts: list[str], cuts: list[int]) -> None:
    hiding = Mask(find, texts)
    sent = [hiding.hide(text) for text in texts]
    assert not any(find(text) for text in sent)
    for text, masked in zip(texts, sent, strict=True):
        assert hiding.restore(masked) == text
        unmasking, pieces, rest = Unmasking(hiding), [], masked
        for cut in cuts:
            pieces.append(unmasking.feed(rest[:cut]))
            rest = rest[cut:]
        assert "".join([*pieces, unmasking.feed(rest), unmasking.finish()]) == text
