"""OpenAI's streamed chat completions, as somebody else sends them: read within bounds, believed only in part."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import orjson

from predictors.summarizer.engine.types import FinishReason

_DONE = b"[DONE]"
_MOST_TOKENS = 10_000_000
# The finish reasons that leave a text which can be used.
_ENDINGS: dict[object, FinishReason] = {"stop": "stop", "length": "length"}
# Those that come of what was asked.
_WITHHELD = ("content_filter", "tool_calls", "function_call")


class Nonsense(Exception):
    """It is not a streamed chat completion; says how, without its content."""


class Withheld(Exception):  # an event: the endpoint works
    """There is no answer to this question; says why, without its content."""


class Piece(NamedTuple):
    """What one event adds.

    Args:
        text: to the answer.
        finish_reason: why the answer ends with it, if it does.
        usage: tokens read and written, if it says both.
    """

    text: str = ""
    finish_reason: FinishReason | None = None
    usage: tuple[int, int] | None = None


async def pieces(parts: AsyncIterator[bytes], most_bytes: int) -> AsyncIterator[Piece]:
    """Read the events of an answer.

    Args:
        parts: the body, as it comes.
        most_bytes: of the whole body.

    Raises:
        Nonsense: it is not one, or it is too long.
        Withheld: it ended for what was asked.
    """
    async for data in _data(parts, most_bytes):
        if data == _DONE:
            return
        yield _piece(data)


async def _data(parts: AsyncIterator[bytes], most_bytes: int) -> AsyncIterator[bytes]:
    """The data of the events (the HTML standard, 9.2.6), of which each has one line here."""
    unread, size = bytearray(), 0
    async for part in parts:
        size += len(part)
        if size > most_bytes:
            raise Nonsense(f"an answer of more than {most_bytes} bytes")
        *lines, rest = part.split(b"\n")
        if lines:
            lines[0] = bytes(unread) + lines[0]
            unread = bytearray()
        unread += rest
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()


def _piece(data: bytes) -> Piece:
    try:
        event = orjson.loads(data)
        if "error" in event:
            raise Nonsense("an error within the answer")
        counts = _counts(event.get("usage"))
        if not event["choices"]:
            return Piece(usage=counts)
        choice: dict[str, Any] = event["choices"][0]
        text, ending = choice["delta"].get("content") or "", choice.get("finish_reason")
        if ending in _WITHHELD:
            raise Withheld(f"no answer but {ending}")
        reason = _ENDINGS[ending] if ending else None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise Nonsense("an event that is no usable part of a chat completion") from None
    if type(text) is not str:
        raise Nonsense("a text that is none")
    return Piece(text, reason, counts)


def _counts(usage: object) -> tuple[int, int] | None:
    """Tokens read and written; a budget is counted in them, so not any number is believed."""
    if not isinstance(usage, dict):
        return None
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if type(read) is not int or type(written) is not int:
        return None
    return (read, written) if 0 <= read <= _MOST_TOKENS and 0 <= written <= _MOST_TOKENS else None
