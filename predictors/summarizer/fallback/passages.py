"""Prompts as text: a tokenizer for whoever reads text, and the chat that its tokens stand for.

`Summarizer` plans in tokens. Those of the endpoint's model are not known here, so a token is four characters, which is
about what an English one has, and can be turned into text again.
"""

from collections.abc import Sequence
from itertools import groupby

_CHARS = 4
# As UTF-32, whatever Python holds; the first byte keeps the length of what follows.
_ENCODING, _FIRST = "utf-32-be", b"\x01"
_ROLES = ("system", "user", "assistant")


class TextTokens:
    """A tokenizer whose tokens are text; what marks the turns of a chat are numbers below 0."""

    def tokenize(self, text: str) -> list[int]:
        """Turn plain text into tokens."""
        pieces = (text[start : start + _CHARS] for start in range(0, len(text), _CHARS))
        return [int.from_bytes(_FIRST + piece.encode(_ENCODING, "surrogatepass"), "big") for piece in pieces]

    def frame(self, roles: Sequence[str]) -> list[list[int]]:
        """What stands before each content, and, after the last, nothing."""
        return [*([_mark(role)] for role in roles), []]


def _mark(role: str) -> int:
    return -1 - _ROLES.index(role)


def messages(tokens: Sequence[int]) -> list[tuple[str, str]]:
    """The chat that a prompt's tokens stand for, as ``(role, content)``."""
    chat: list[tuple[str, str]] = []
    for is_mark, group in groupby(tokens, lambda token: token < 0):
        if is_mark:
            chat += [(_ROLES[-1 - token], "") for token in group]
        else:
            chat[-1] = chat[-1][0], "".join(map(_text, group))
    return chat


def _text(token: int) -> str:
    raw = token.to_bytes((token.bit_length() + 7) // 8, "big")
    return raw[1:].decode(_ENCODING, "surrogatepass")
