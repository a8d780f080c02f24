"""Strict parsing of JSON bodies.

orjson refuses NaN, Infinity and invalid UTF-8, but keeps the last of two equal keys. A body with two ``instances`` is
ambiguous, so the bytes are searched for repetitions of the keys that decide what is computed. A match may only be a
quotation in a text, and a key may be spelt with escapes: such bodies are read again, token by token, to be sure.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from predictors.serving.errors import InvalidInput
from predictors.serving.model.names import json_type
from predictors.serving.model.types import Parameters
from predictors.serving.model.validation import expect
from predictors.serving.protocols.bounds import MOST_FIELDS, MOST_PARAMETERS, check_count
from predictors.serving.protocols.large_json import SLICE_BYTES, parse_large, without_escaped_quotes

_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
# In valid JSON without escaped quotes: a string, and whether it is a key; or where an object begins or ends.
_TOKEN = re.compile(rb'("[^"]*+")(\s*+:)?|[{}]')


def parse_object(body: bytes | memoryview, *unique: str) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        body: UTF-8 text.
        unique: keys that must not appear twice in one object; the first is named in errors about the whole body.

    Raises:
        InvalidInput: not JSON, not an object, or with a duplicate of such a key.
        TooLarge: more lists, objects and fields than `bounds` allows.
    """
    if len(body) == 0:
        raise InvalidInput(f'the body is empty; it must be a JSON object with the field "{unique[0]}"')
    raw = bytes(body)
    payload = _parse(raw) if len(raw) <= 2 * SLICE_BYTES else parse_large(raw)
    if type(payload) is not dict:
        raise InvalidInput(f'the body must be a JSON object with the field "{unique[0]}", not {json_type(payload)}')
    if len(payload) > MOST_FIELDS:
        check_count(payload, MOST_FIELDS, "the body")
    if _may_repeat(raw, unique):
        _refuse_duplicates(raw, unique)
    return payload


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(
            f"the body is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None


def _may_repeat(body: bytes, unique: tuple[str, ...]) -> bool:
    for key in unique:
        if body.count(b'"%b"' % key.encode()) > 1:
            return True
    return _ESCAPED_ASCII.search(body) is not None


def _refuse_duplicates(body: bytes, unique: tuple[str, ...]) -> None:
    seen: list[set[str]] = []  # such keys, of each object that has begun
    for token in _TOKEN.finditer(without_escaped_quotes(body)):
        if token[1] is None:
            if token[0] == b"{":
                seen.append(set())
            else:
                seen.pop()
        elif token[2] is not None:
            key = orjson.loads(body[token.start(1) : token.end(1)])
            if key in seen[-1]:
                raise InvalidInput(f'the field "{key}" appears twice in the body; it is allowed once')
            if key in unique:
                seen[-1].add(key)


def parameters_of(entry: Mapping[str, Any], where: str = '"parameters"') -> Parameters:
    """Copy the ``parameters`` of a request or tensor; null counts as none.

    Raises:
        InvalidInput: they are not an object.
        TooLarge: there are too many.
    """
    value = entry.get("parameters")
    if value is None:
        return {}
    given = expect(value, dict, where)
    check_count(given, MOST_PARAMETERS, where)
    return dict(given)
