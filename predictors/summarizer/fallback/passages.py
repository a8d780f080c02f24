"""Prompts as text: a tokenizer for whoever reads text, and the chat that its tokens stand for.

`Summarizer` plans in tokens. Those of the endpoint's model are not known here, so a token is four characters, which is
about what an English one has, and can be turned into text again. Texts that were turned into tokens one by one, such as
clauses, come back on lines of their own: glued together, what is at their ends could not be recognized.
"""

from collections.abc import Sequence
from itertools import groupby

_CHARS = 4
# As UTF-32, whatever Python holds; the first byte keeps the length of what follows, and tells the last piece of a text.
_ENCODING, _PIECE, _LAST = "utf-32-be", b"\x01", b"\x02"
_ROLES = ("system", "user", "assistant")


class TextTokens:
    """A tokenizer whose tokens are text; what marks the turns of a chat are numbers below 0."""

    def tokenize(self, text: str) -> list[int]:
        """Turn plain text into tokens."""
        starts = range(0, len(text), _CHARS)
        firsts = [_PIECE] * (len(starts) - 1) + [_LAST]
        return [
            int.from_bytes(first + text[start : start + _CHARS].encode(_ENCODING, "surrogatepass"), "big")
            for first, start in zip(firsts, starts, strict=False)  # a text without characters has no last piece
        ]

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
            chat[-1] = chat[-1][0], "".join(map(_text, group)).removesuffix("\n")
    return chat


def _text(token: int) -> str:
    raw = token.to_bytes((token.bit_length() + 7) // 8, "big")
    text = raw[1:].decode(_ENCODING, "surrogatepass")
    return f"{text}\n" if raw[:1] == _LAST else text
