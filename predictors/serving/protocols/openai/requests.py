"""OpenAI's API, what comes in: chats and completions (see `openai_reply` for what goes out).

Where OpenAI leaves room, or offers what is not offered here:

- A field that would change the answer and cannot be honoured is refused, unless its value asks for nothing. Any other
  unknown field is ignored, since clients send those of newer versions; so is the ``name`` of a message.
- A field that is null counts as absent.
- The temperature is 1 by default, and a completion has 16 tokens, as OpenAI documents; a chat has as many as the
  context leaves. ``min_p``, ``repeat_penalty`` and a completion's ``response_format`` are beside the standard.
- Eight stop texts are allowed instead of four. Any 64-bit seed is; it is folded to the 32 bits that samplers take.
- A JSON schema is always followed, whatever ``strict`` says.
- A message's parts are put on lines of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from predictors.serving.model.types import Limits, Parameters, PromptBatch
from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.model.validation import json_type
from predictors.serving.protocols.openai.schema import (
    CHAT_NEUTRAL,
    COMPLETION_NEUTRAL,
    DEFAULT_COMPLETION_TOKENS,
    DEFAULT_TEMPERATURE,
    LONGEST_STOP,
    MESSAGE_NEUTRAL,
    MOST_MESSAGES,
    MOST_STOPS,
    RANGES,
    ROLES,
)

Object: TypeAlias = dict[str, Any]

# OpenAI's range begins at 0, which leaves the likeliest token; samplers want more than none of the probability.
_LEAST_TOP_P = 1e-6
_SEEDS = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Generation:
    """What a request asks for.

    Args:
        batch: the prompt and its parameters.
        stream: whether the answer is to come in chunks.
        include_usage: whether the last chunk gives the counts of tokens.
    """

    batch: PromptBatch
    stream: bool
    include_usage: bool


Decode: TypeAlias = Callable[[Object, Limits], Generation]


def model_name(payload: Object) -> str:
    """The model that a request names.

    Raises:
        InvalidInput: it names none.
    """
    if "model" not in payload:
        raise InvalidInput('the field "model" is missing; it names the model that is to answer', "model")
    name = payload["model"]
    if type(name) is not str:
        raise _unexpected("model", json_type(name), "a string")
    return name


def decode_chat(payload: Object, limits: Limits) -> Generation:
    """Decode the body of ``/chat/completions``.

    Args:
        payload: the parsed body.
        limits: ``max_text_chars`` is for all contents together.

    Raises:
        InvalidInput, TooLarge: with the offending field.
    """
    _refuse_unsupported(payload, CHAT_NEUTRAL)
    messages = _messages(payload, limits)
    parameters = _parameters(payload, _chat_tokens(payload))
    return _generation(payload, PromptBatch(messages=messages, parameters=parameters))


def decode_completion(payload: Object, limits: Limits) -> Generation:
    """Decode the body of ``/completions``.

    Args:
        payload: the parsed body.
        limits: ``max_text_chars`` is for the prompt.

    Raises:
        InvalidInput, TooLarge: with the offending field.
    """
    _refuse_unsupported(payload, COMPLETION_NEUTRAL)
    text = _prompt(payload, limits)
    tokens = _number(payload, "max_tokens")
    parameters = _parameters(payload, DEFAULT_COMPLETION_TOKENS if tokens is None else tokens)
    return _generation(payload, PromptBatch(text=text, parameters=parameters))


def _generation(payload: Object, batch: PromptBatch) -> Generation:
    options = payload.get("stream_options")
    if options is None:
        options = {}
    elif type(options) is not dict:
        raise _unexpected("stream_options", json_type(options), "an object")
    return Generation(batch, _flag(payload, "stream"), _flag(options, "include_usage", "stream_options."))


def _refuse_unsupported(entry: Object, neutral: dict[str, list[Any]], where: str = "") -> None:
    for name, values in neutral.items():
        given = entry.get(name)
        if given is not None and not any(_same(given, value) for value in values):
            instead = f" or send {' or '.join(orjson.dumps(value).decode() for value in values)}" if values else ""
            raise InvalidInput(f'"{where}{name}" is not supported here; leave it out{instead}', where + name)


def _same(given: Any, value: Any) -> bool:
    """Compare as JSON does: 1.0 is 1, and true is not."""
    return given == value and (type(given) is bool) == (type(value) is bool)


def _messages(payload: Object, limits: Limits) -> list[tuple[str, str]]:
    entries = payload.get("messages")
    if entries is None:
        raise InvalidInput('the field "messages" is missing; it holds the turns of the chat', "messages")
    if type(entries) is not list:
        raise _unexpected("messages", json_type(entries), "a list")
    if not entries:
        raise InvalidInput('"messages" is empty; at least 1 message is needed', "messages")
    if len(entries) > MOST_MESSAGES:
        raise TooLarge(f'"messages" has {len(entries)} messages; at most {MOST_MESSAGES} are allowed', "messages")
    messages = [_message(entry, f"messages[{i}]") for i, entry in enumerate(entries)]
    _check_length(sum(len(content) for _, content in messages), "messages", limits)
    return messages


def _message(entry: Any, where: str) -> tuple[str, str]:
    if type(entry) is not dict:
        raise _unexpected(where, json_type(entry), "an object")
    role = entry.get("role")
    if type(role) is not str or role not in ROLES:
        shown = f'"{role[:64]}"' if type(role) is str else json_type(role)
        raise _unexpected(f"{where}.role", shown, f"one of {', '.join(ROLES)}")
    _refuse_unsupported(entry, MESSAGE_NEUTRAL, f"{where}.")
    content = entry.get("content")
    if type(content) is list and content:
        return ROLES[role], "\n".join(_part(part, f"{where}.content[{i}]") for i, part in enumerate(content))
    if type(content) is not str:
        shown = "an empty list" if content == [] else json_type(content)
        raise _unexpected(f"{where}.content", shown, "a string or a list of text parts")
    return ROLES[role], content


def _part(part: Any, where: str) -> str:
    if type(part) is not dict:
        raise _unexpected(where, json_type(part), "an object")
    kind, text = part.get("type"), part.get("text")
    if kind != "text":
        shown = f'"{kind[:64]}"' if type(kind) is str else json_type(kind)
        raise _unexpected(f"{where}.type", shown, '"text"')
    if type(text) is not str:
        raise _unexpected(f"{where}.text", json_type(text), "a string")
    return text


def _prompt(payload: Object, limits: Limits) -> str:
    prompt = payload.get("prompt")
    if prompt is None:
        raise InvalidInput('the field "prompt" is missing; it holds the text to go on from', "prompt")
    if type(prompt) is list and len(prompt) == 1:
        prompt = prompt[0]
    if type(prompt) is not str:
        raise InvalidInput(
            '"prompt" must be a string or a list of one string; several prompts and lists of tokens are not supported',
            "prompt",
        )
    if not prompt:
        raise InvalidInput('"prompt" is empty; a text is expected', "prompt")
    _check_length(len(prompt), "prompt", limits)
    return prompt


def _check_length(characters: int, field: str, limits: Limits) -> None:
    if characters > limits.max_text_chars:
        raise TooLarge(f'"{field}" has {characters} characters; at most {limits.max_text_chars} are allowed', field)


def _parameters(payload: Object, max_tokens: float | None) -> Parameters:
    seed, top_p = _number(payload, "seed"), _number(payload, "top_p")
    temperature = _number(payload, "temperature")
    parameters = {
        "max_tokens": max_tokens,
        "temperature": DEFAULT_TEMPERATURE if temperature is None else temperature,
        "top_p": None if top_p is None else max(top_p, _LEAST_TOP_P),
        "min_p": _number(payload, "min_p"),
        "repeat_penalty": _number(payload, "repeat_penalty"),
        "seed": None if seed is None else seed % _SEEDS,
        "stop": _stop(payload),
        "json_schema": _json_schema(payload),
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _chat_tokens(payload: Object) -> float | None:
    old, new = _number(payload, "max_tokens"), _number(payload, "max_completion_tokens")
    if old is not None and new is not None and old != new:
        raise InvalidInput('"max_tokens" is not "max_completion_tokens"; only one of them is needed', "max_tokens")
    return new if old is None else old


def _number(payload: Object, name: str) -> float | None:
    value = payload.get(name)
    if value is None:
        return None
    low, high, whole = RANGES[name]
    expected = f"{'a whole' if whole else 'a'} number from {low} to {high}"
    if type(value) not in (int, float):
        raise _unexpected(name, json_type(value), expected)
    if not low <= value <= high or (whole and value != int(value)):
        raise _unexpected(name, str(value), expected)
    return int(value) if whole else float(value)  # JSON knows one kind of number: 5.0 is whole


def _stop(payload: Object) -> list[str] | None:
    stop = payload.get("stop")
    if stop is None:
        return None
    texts, where = ([stop], "stop") if type(stop) is str else (stop, "stop[{}]")
    if type(texts) is not list:
        raise _unexpected("stop", json_type(stop), "a string or a list of strings")
    if len(texts) > MOST_STOPS:
        raise _unexpected("stop", f"a list of {len(texts)}", f"a list of at most {MOST_STOPS}")
    for i, text in enumerate(texts):
        if type(text) is not str:
            raise _unexpected(where.format(i), json_type(text), "a string")
        if not 0 < len(text) <= LONGEST_STOP:
            raise _unexpected(
                where.format(i), f"a text of {len(text)} characters", f"one of 1 to {LONGEST_STOP} characters"
            )
    return texts


def _json_schema(payload: Object) -> Object | None:
    where = "response_format"
    wanted = payload.get(where)
    if wanted is None:
        return None
    if type(wanted) is not dict:
        raise _unexpected(where, json_type(wanted), "an object")
    kind = wanted.get("type")
    if kind not in ("text", "json_object", "json_schema"):
        shown = f'"{kind[:64]}"' if type(kind) is str else json_type(kind)
        raise _unexpected(f"{where}.type", shown, "text, json_object or json_schema")
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    for key in ("json_schema", "schema"):
        wanted, where = wanted.get(key), f"{where}.{key}"
        if type(wanted) is not dict:
            raise _unexpected(where, json_type(wanted), "an object")
    try:
        orjson.dumps(wanted)
    except orjson.JSONEncodeError:  # it writes to a smaller depth than it reads
        raise InvalidInput(f'"{where}" is nested too deep', where) from None
    return wanted


def _flag(entry: Object, name: str, where: str = "") -> bool:
    value = entry.get(name)
    if value is not None and type(value) is not bool:
        raise _unexpected(where + name, json_type(value), "a boolean")
    return value is True


def _unexpected(field: str, found: str, expected: str) -> InvalidInput:
    return InvalidInput(f'"{field}" is {found}; {expected} is expected', field)
