"""Prompts as text: what goes into tokens comes out of them."""

from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.fallback.passages import TextTokens, messages
from predictors.summarizer.prompts import chunk_prompts
from predictors.summarizer.tuning import Tuning

MODEL = TextTokens()


@given(texts=st.lists(st.text(), min_size=1, max_size=4))
def test_a_chat_goes_in_and_comes_out(texts: list[str]) -> None:
    roles = ["system", "user", "assistant", "user"][: len(texts)]
    frame = MODEL.frame(roles)
    tokens = list(frame[0])
    for text, after in zip(texts, frame[1:], strict=True):
        tokens += MODEL.tokenize(text) + after
    assert messages(tokens) == list(zip(roles, texts, strict=True))


def test_texts_of_one_turn_are_on_lines_of_their_own() -> None:
    tokens = MODEL.frame(["user"])[0] + MODEL.tokenize("You pay 9") + MODEL.tokenize(" euros\0\0 \U0001f600")
    assert messages(tokens) == [("user", "You pay 9\n euros\0\0 \U0001f600")]


def test_a_token_is_four_characters() -> None:
    assert [len(MODEL.tokenize("x" * count)) for count in (0, 1, 4, 5, 400)] == [0, 1, 1, 2, 100]


def test_prompts_of_summaries_are_chats() -> None:
    prompts = chunk_prompts(MODEL, Tuning(reading="chunks"))
    [(first, system), (last, task)] = messages(prompts.prompt(MODEL.tokenize("You pay 9 euros.")).tokens)
    assert (first, last) == ("system", "user")
    assert system.startswith("You explain contracts")
    assert task.startswith("You pay 9 euros.\n\n\nList what a consumer must know")
