"""OpenAI's API, what it holds: the fields that requests may have, and the JSON schemas of all bodies."""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

Schema: TypeAlias = dict[str, Any]


class Range(NamedTuple):
    """The numbers that a field takes, bounds included."""

    low: float
    high: float
    whole: bool = False


MOST_MESSAGES = 1000
MOST_STOPS, LONGEST_STOP = 8, 200
# What clients call a role → what chat templates do.
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
RANGES = {
    "max_tokens": Range(1, 1_000_000, whole=True),
    "max_completion_tokens": Range(1, 1_000_000, whole=True),
    "temperature": Range(0, 2),
    "top_p": Range(0, 1),
    "min_p": Range(0, 1),
    "repeat_penalty": Range(0.5, 2),
    "seed": Range(-(2**63), 2**63 - 1, whole=True),
}
# Fields that are not offered, and the values of theirs that ask for nothing.
NEUTRAL: dict[str, list[Any]] = {"n": [1], "frequency_penalty": [0], "presence_penalty": [0], "logit_bias": [{}]}
CHAT_NEUTRAL = NEUTRAL | {
    "tools": [[]],
    "functions": [[]],
    "tool_choice": ["none", "auto"],
    "function_call": ["none", "auto"],
    "logprobs": [False],
    "top_logprobs": [0],
    "modalities": [["text"]],
    "audio": [],
    "store": [False],
    "web_search_options": [],
}
COMPLETION_NEUTRAL = NEUTRAL | {"best_of": [1], "echo": [False], "suffix": [""], "logprobs": [False]}
MESSAGE_NEUTRAL: dict[str, list[Any]] = {"tool_calls": [[]], "function_call": [], "audio": [], "refusal": []}
DEFAULT_TEMPERATURE = 1.0
DEFAULT_COMPLETION_TOKENS = 16

_STRING: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_NULL: Schema = {"type": "null"}


def chat_request(models: Iterable[str], max_text_chars: int) -> Schema:
    """The body of a chat.

    Args:
        models: those that answer.
        max_text_chars: the limit of all contents together, which a schema can only say of each.
    """
    text = {"type": "string", "maxLength": max_text_chars}
    part = _object({"type": {"const": "text"}, "text": text})
    message = _object({"role": {"enum": list(ROLES)}, "content": {"anyOf": [text, _array(part, 1)]}})
    message["properties"] |= _unsupported(MESSAGE_NEUTRAL)
    messages = {**_array(message, 1, MOST_MESSAGES), "description": f"At most {max_text_chars} characters in all."}
    schema = _object({"model": {"enum": list(models)}, "messages": messages})
    schema["properties"] |= _unsupported(CHAT_NEUTRAL) | _parameters(RANGES)
    return schema


def completion_request(models: Iterable[str], max_text_chars: int) -> Schema:
    """The body of a completion.

    Args:
        models: those that answer.
        max_text_chars: the limit of the prompt.
    """
    text = {"type": "string", "minLength": 1, "maxLength": max_text_chars}
    schema = _object({"model": {"enum": list(models)}, "prompt": {"anyOf": [text, _array(text, 1, 1)]}})
    numbers = (name for name in RANGES if name != "max_completion_tokens")
    schema["properties"] |= _unsupported(COMPLETION_NEUTRAL) | _parameters(numbers)
    schema["properties"]["max_tokens"]["default"] = DEFAULT_COMPLETION_TOKENS
    return schema


def chat_answer() -> Schema:
    """The answer to a chat, if not streamed."""
    return _answer("chat.completion", {"message": _object({"role": {"const": "assistant"}, "content": _STRING})})


def completion_answer() -> Schema:
    """The answer to a completion, if not streamed."""
    return _answer("text_completion", {"text": _STRING})


def model() -> Schema:
    """A model, as the lists of them show it."""
    return _object({"id": _STRING, "object": {"const": "model"}, "created": _INTEGER, "owned_by": _STRING})


def model_list() -> Schema:
    """All models."""
    return _object({"object": {"const": "list"}, "data": _array(model())})


def error() -> Schema:
    """An error."""
    optional = {"type": ["string", "null"]}
    return _object({"error": _object({"message": _STRING, "type": _STRING, "param": optional, "code": optional})})


def _answer(kind: str, content: Schema) -> Schema:
    choice = _object({"index": {"const": 0}, **content, "finish_reason": {"enum": ["stop", "length"]}})
    usage = _object(dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), _INTEGER))
    usage["properties"]["prompt_tokens_details"] = _object({"cached_tokens": _INTEGER})
    return _object(
        {
            "id": _STRING,
            "object": {"const": kind},
            "created": _INTEGER,
            "model": _STRING,
            "system_fingerprint": _STRING,
            "choices": _array(choice, 1, 1),
            "usage": usage,
        }
    )


def _parameters(numbers: Iterable[str]) -> Schema:
    text = {"type": "string", "minLength": 1, "maxLength": LONGEST_STOP}
    flag = {"type": ["boolean", "null"]}
    form = _object({"type": {"enum": ["text", "json_object"]}})
    schema_form = _object({"type": {"const": "json_schema"}, "json_schema": _object({"schema": {"type": "object"}})})
    parameters: Schema = {name: _number(RANGES[name]) for name in numbers}
    parameters["temperature"]["default"] = DEFAULT_TEMPERATURE
    return parameters | {
        "stop": {"anyOf": [text, {"type": "array", "items": text, "maxItems": MOST_STOPS}, _NULL]},
        "stream": flag,
        "stream_options": {"type": ["object", "null"], "properties": {"include_usage": flag}},
        "response_format": {"anyOf": [form, schema_form, _NULL]},
    }


def _number(bounds: Range) -> Schema:
    kind = "integer" if bounds.whole else "number"
    return {"type": [kind, "null"], "minimum": bounds.low, "maximum": bounds.high}


def _unsupported(neutral: dict[str, list[Any]]) -> Schema:
    return {name: {"enum": [*values, None]} for name, values in neutral.items()}


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _array(items: Schema, least: int = 0, most: int | None = None) -> Schema:
    schema = {"type": "array", "items": items, "minItems": least}
    return schema if most is None else {**schema, "maxItems": most}
