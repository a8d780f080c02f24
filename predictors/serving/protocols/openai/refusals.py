"""From pydantic's errors to ours: one sentence, and the field in OpenAI's notation, such as ``messages[0].content``."""

from typing import Any

from pydantic import ValidationError

from predictors.serving.errors import InvalidInput, ServingError, TooLarge
from predictors.serving.model.names import json_type

# Where a location names the member of a union that pydantic tried, which is not part of the field.
_MEMBERS = {"messages": (2, 4), "prompt": (1,), "stop": (1,), "response_format": (1,)}
_MEANINGS = {
    "model": "names the model that is to answer",
    "messages": "holds the turns of the chat",
    "prompt": "holds the text to continue",
}
# What is expected: by the type of the error or, where that says too little, by the field.
_EXPECTED = {
    "bool_type": "a boolean",
    "dict_type": "an object",
    "list_type": "a list",
    "string_type": "a string",
    "string_too_short": "a non-empty string",
    "string_too_long": "a string of at most {max_length} characters",
    "too_long": "a list of at most {max_length}",
    "messages.role": "one of system, developer, user, assistant",
    "messages.content": "a string or a list of text parts",
    "messages.content.type": '"text"',
    "messages.content.text": "a string",
    "stop": "a string or a list of strings",
    "response_format.type": "text, json_object or json_schema",
    "response_format.json_schema": "an object",
    "response_format.json_schema.schema": "an object",
}


def missing(name: str) -> InvalidInput:
    """A required field of the body is absent or null."""
    return InvalidInput(f'the field "{name}" is missing; it {_MEANINGS[name]}', name)


def unexpected(field: str, found: str, expected: str) -> InvalidInput:
    """A field is of the wrong type, or its value is not allowed."""
    return InvalidInput(f'"{field}" is {found}; {expected} is expected', field)


def refusal(error: ValidationError) -> ServingError:
    """Turn the first of a request's errors into one of ours."""
    details = error.errors(include_url=False)[0]
    kind, value, location = details["type"], details["input"], details["loc"]
    members = _MEMBERS.get(str(location[0]), ())
    path = [part for place, part in enumerate(location) if place not in members]
    field = "".join(f"[{part}]" if type(part) is int else f".{part}" for part in path)[1:]
    if field in _MEANINGS and (kind == "missing" or value is None):
        return missing(field)
    if field == "prompt":
        return _prompt(value)
    if field == "messages" and type(value) is list:
        return _message_count(len(value), details["ctx"])
    if kind == "unsupported":
        return InvalidInput(f'"{field}" is not supported here; {details["msg"]}', field)
    name = ".".join(part for part in path if type(part) is str)
    expected = _EXPECTED.get(kind) or _EXPECTED.get(name, details["msg"])
    return unexpected(field, _found(kind, value), expected.format_map(details.get("ctx", {})))


def _prompt(value: Any) -> InvalidInput:
    says = "must be a string or a list of one string; several prompts and lists of tokens are not supported"
    return InvalidInput(f'"prompt" {"is empty; a text is expected" if value in ("", [""]) else says}', "prompt")


def _message_count(count: int, limits: dict[str, Any]) -> ServingError:
    if count == 0:
        return InvalidInput('"messages" is empty; at least 1 message is needed', "messages")
    return TooLarge(f'"messages" has {count} messages; at most {limits["max_length"]} are allowed', "messages")


def _found(kind: str, value: Any) -> str:
    if kind == "missing":
        return "null"
    if kind == "number" and type(value) in (int, float):
        return str(value)
    if kind in ("too_short", "string_too_short"):
        return "an empty list" if value == [] else "an empty string"
    if kind == "too_long":
        return f"a list of {len(value)}"
    if kind == "string_too_long":
        return f"a string of {len(value)} characters"
    return f'"{value[:64]}"' if kind == "literal_error" and type(value) is str else json_type(value)
