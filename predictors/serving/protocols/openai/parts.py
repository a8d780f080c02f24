"""How many parts the messages of a chat may have, counted before each of them is validated."""

from typing import Any

from predictors.serving.errors import TooLarge

MOST_TEXT_PARTS = 10_000
"""Parts of all messages together: pydantic validates a chat in one go, in which nothing else runs."""


def check_part_count(payload: dict[str, Any]) -> None:
    """Refuse a chat of too many parts; what is wrong with it otherwise is left to its validation.

    Raises:
        TooLarge: it has more than `MOST_TEXT_PARTS`.
    """
    messages = payload.get("messages")
    contents = (message.get("content") for message in messages or () if type(message) is dict)
    count = sum(len(content) for content in contents if type(content) is list) if type(messages) is list else 0
    if count > MOST_TEXT_PARTS:
        raise TooLarge(f'"messages" have {count} parts of text; at most {MOST_TEXT_PARTS} are allowed', "messages")
