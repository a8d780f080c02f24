"""Strict parsing of JSON bodies.

orjson refuses NaN, Infinity and invalid UTF-8, but keeps the last of two equal keys. A body with two ``instances`` is
ambiguous, so the bytes are searched for repetitions of the keys that decide what is computed. A match may only be a
quotation in a text, and a key may be spelt with escapes: such bodies are parsed again, slowly, to be sure.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from predictors.serving.errors import InvalidInput
from predictors.serving.model.types import Parameters
from predictors.serving.model.validation import expect, json_type

_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")


class _DuplicateKeyError(Exception):
    pass


def parse_object(body: bytes | memoryview, *unique: str) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        body: UTF-8 text.
        unique: keys that must not appear twice in one object; the first is named in errors about the whole body.

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
        raise InvalidInput(f'the field "{unique}" appears twice in the body; it is allowed once') from None
    except (ValueError, RecursionError):
        raise InvalidInput("the body is nested too deeply or contains a number that is too long") from None


def parameters_of(entry: Mapping[str, Any], where: str = '"parameters"') -> Parameters:
    """Copy the ``parameters`` of a request or tensor; null counts as none.

    Raises:
        InvalidInput: they are not an object.
    """
    value = entry.get("parameters")
    return {} if value is None else dict(expect(value, dict, where))
