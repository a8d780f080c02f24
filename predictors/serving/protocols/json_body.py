"""JSON bodies: strict parsing and the words for what was found in them.

orjson refuses NaN, Infinity and broken UTF-8, but keeps the last of two equal keys. A body with two ``instances`` has
no single meaning, so the keys that decide what is computed are counted in the bytes first; only a body in which one
is seen twice (a text may well quote it) or is spelt with escapes is parsed again, slowly, to be sure.
"""

import json
import re
from typing import Any

import orjson

from predictors.serving.errors import InvalidInput
from predictors.serving.model.validation import json_type

_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")


class _DuplicateKeyError(Exception):
    pass


def parse_object(body: bytes | memoryview, *unique: str) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        body: UTF-8 text.
        unique: the keys that must not stand twice in one object; the first is the one that is missed most.

    Raises:
        InvalidInput: not JSON, not an object, or with a duplicate of such a key.
    """
    if len(body) == 0:
        raise InvalidInput(f'the body is empty; it must be a JSON object with the field "{unique[0]}"')
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(
            f"the body is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    if type(payload) is not dict:
        raise InvalidInput(f'the body must be a JSON object with the field "{unique[0]}", not {json_type(payload)}')
    raw = bytes(body)
    for key in unique:
        _refuse_duplicates(raw, key)
    return payload


def _refuse_duplicates(body: bytes, unique: str) -> None:
    if body.count(b'"%b"' % unique.encode()) < 2 and not _ESCAPED_ASCII.search(body):
        return

    def checked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if sum(key == unique for key, _ in pairs) > 1:
            raise _DuplicateKeyError
        return dict(pairs)

    try:
        json.loads(body, object_pairs_hook=checked)
    except _DuplicateKeyError:
        raise InvalidInput(f'the field "{unique}" stands twice in the body; it is allowed once') from None
    except (ValueError, RecursionError):
        raise InvalidInput("the body is nested too deep or holds numbers that are too long") from None
