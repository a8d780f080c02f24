"""Requests of OpenAI's API, chats and completions: a pydantic model for each, and what they ask of a language model.

Where OpenAI leaves room, or offers more than this server does:

- A field that would change the answer and cannot be honoured is refused, unless its value asks for nothing. Unknown
  fields are ignored, since newer clients send them, and so is the ``name`` of a message.
- A field that is null counts as absent.
- A completion has 16 tokens by default, as OpenAI documents; a chat has as many as the context leaves. How tokens are
  chosen by default is the model's affair: OpenAI's temperature of 1 makes small models babble. ``min_p``,
  ``repeat_penalty`` and a completion's ``response_format`` are extensions.
- Eight stop texts are allowed instead of four. A seed may be any 64-bit integer; it is folded to the 32 bits that
  samplers take.
- A JSON schema is always followed, whatever ``strict`` says.
- The parts of a message are joined by line breaks.
- An assistant's turn may lack its content, as a refusal does; it counts as empty text, whatever the refusal says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypeAlias, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, Tag, ValidationError
from typing_extensions import TypedDict  # pydantic does not take the one in `typing` before Python 3.12

from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.model.names import json_type
from predictors.serving.model.types import Limits, Parameters, PromptBatch
from predictors.serving.protocols.openai.fields import Member, Range, Unsupported
from predictors.serving.protocols.openai.parts import check_part_count
from predictors.serving.protocols.openai.refusals import missing, refusal, unexpected

Object: TypeAlias = dict[str, Any]

# What clients call a role → what chat templates do.
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_DEFAULT_COMPLETION_TOKENS = 16
# OpenAI's range begins at 0, which leaves only the likeliest token; samplers need a positive share.
_LEAST_TOP_P = 1e-6
_SEEDS = 2**32 - 1


def _string_or_list_tag(value: Any) -> str | None:
    return "string" if type(value) is str else "list" if type(value) is list else None


def _turn_tag(value: Any) -> str:
    return "assistant" if type(value) is dict and value.get("role") == "assistant" else "other"


def _format_tag(value: Any) -> str:
    return "schema" if type(value) is dict and value.get("type") == "json_schema" else "plain"


# What a body holds is a TypedDict: an instance of a BaseModel takes three times as long to make.
class TextPart(TypedDict):
    """A part of a message."""

    type: Literal["text"]
    text: str


Parts: TypeAlias = Annotated[list[Annotated[str, Member(TextPart, "text")]], Field(min_length=1, fail_fast=True)]
Content: TypeAlias = Annotated[
    Annotated[str, Tag("string")] | Annotated[Parts, Tag("list")], Discriminator(_string_or_list_tag)
]


class _TurnFields(TypedDict):
    tool_calls: NotRequired[Annotated[Any, Unsupported([])]]
    function_call: NotRequired[Annotated[Any, Unsupported()]]
    audio: NotRequired[Annotated[Any, Unsupported()]]


class Message(_TurnFields):
    """A turn of the user, or an instruction."""

    role: Literal["system", "developer", "user"]
    content: Content
    refusal: NotRequired[Annotated[Any, Unsupported()]]


class AssistantMessage(_TurnFields):
    """An earlier answer."""

    role: Literal["assistant"]
    content: NotRequired[Content | None]
    refusal: NotRequired[str | None]


class StreamOptions(TypedDict):
    """How an answer is streamed."""

    include_usage: NotRequired[StrictBool | None]


class PlainFormat(TypedDict):
    """Any text, or any JSON object."""

    type: Literal["text", "json_object"]


class NamedSchema(TypedDict):
    """A JSON schema; its name is ignored."""

    schema: Object


class SchemaFormat(TypedDict):
    """JSON that follows a schema."""

    type: Literal["json_schema"]
    json_schema: NamedSchema


Turn: TypeAlias = Annotated[
    Annotated[AssistantMessage, Tag("assistant")] | Annotated[Message, Tag("other")], Discriminator(_turn_tag)
]
ResponseFormat: TypeAlias = Annotated[
    Annotated[SchemaFormat, Tag("schema")] | Annotated[PlainFormat, Tag("plain")], Discriminator(_format_tag)
]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
OneText: TypeAlias = Annotated[list[Text], Field(min_length=1, max_length=1, fail_fast=True)]
StopText: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
StopTexts: TypeAlias = Annotated[list[StopText], Field(max_length=8, fail_fast=True)]
Stop: TypeAlias = Annotated[
    Annotated[StopText, Tag("string")] | Annotated[StopTexts, Tag("list")], Discriminator(_string_or_list_tag)
]
Tokens: TypeAlias = Annotated[int, Range(1, 1_000_000)]
Share: TypeAlias = Annotated[float, Range(0, 1)]


class _Request(BaseModel):
    # Built at its first use, so that a server's start does not wait for it.
    model_config = ConfigDict(defer_build=True)

    model: str
    max_tokens: Tokens | None = None
    temperature: Annotated[float, Range(0, 2)] | None = None
    top_p: Share | None = None
    min_p: Share | None = None
    repeat_penalty: Annotated[float, Range(0.5, 2)] | None = None
    seed: Annotated[int, Range(-(2**63), 2**63 - 1)] | None = None
    stop: Stop | None = None
    response_format: ResponseFormat | None = None
    stream: StrictBool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[Any, Unsupported(1)] = None
    frequency_penalty: Annotated[Any, Unsupported(0)] = None
    presence_penalty: Annotated[Any, Unsupported(0)] = None
    logit_bias: Annotated[Any, Unsupported({})] = None


class ChatCompletionRequest(_Request):
    """The body of ``/chat/completions``."""

    messages: Annotated[list[Turn], Field(min_length=1, max_length=1000, fail_fast=True)]
    max_completion_tokens: Tokens | None = None
    tools: Annotated[Any, Unsupported([])] = None
    functions: Annotated[Any, Unsupported([])] = None
    tool_choice: Annotated[Any, Unsupported("none", "auto")] = None
    function_call: Annotated[Any, Unsupported("none", "auto")] = None
    logprobs: Annotated[Any, Unsupported(False)] = None
    top_logprobs: Annotated[Any, Unsupported(0)] = None
    modalities: Annotated[Any, Unsupported(["text"])] = None
    audio: Annotated[Any, Unsupported()] = None
    store: Annotated[Any, Unsupported(False)] = None
    web_search_options: Annotated[Any, Unsupported()] = None


class CompletionRequest(_Request):
    """The body of ``/completions``."""

    prompt: Text | OneText
    max_tokens: Tokens | None = _DEFAULT_COMPLETION_TOKENS
    best_of: Annotated[Any, Unsupported(1)] = None
    echo: Annotated[Any, Unsupported(False)] = None
    suffix: Annotated[Any, Unsupported("")] = None
    logprobs: Annotated[Any, Unsupported(False)] = None


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What a request asks for.

    Args:
        batch: the prompt and its parameters.
        stream: whether the answer is sent in chunks.
        include_usage: whether the last chunk gives the token counts.
    """

    batch: PromptBatch
    stream: bool
    include_usage: bool


Decode: TypeAlias = Callable[[Object, Limits], GenerationRequest]
RequestT = TypeVar("RequestT", bound=_Request)


def model_name(payload: Object) -> str:
    """The model that a request names.

    Raises:
        InvalidInput: it names none.
    """
    if "model" not in payload:
        raise missing("model")
    name = payload["model"]
    if type(name) is not str:
        raise unexpected("model", json_type(name), "a string")
    return name


def decode_chat(payload: Object, limits: Limits) -> GenerationRequest:
    """Decode the body of ``/chat/completions``.

    Args:
        payload: the parsed body.
        limits: ``max_text_chars`` applies to all contents together.

    Raises:
        InvalidInput, TooLarge: with the offending field.
    """
    check_part_count(payload)
    request = _validate(ChatCompletionRequest, payload)
    messages = [(_ROLES[message["role"]], _text(message.get("content"))) for message in request.messages]
    _check_length(sum(len(content) for _, content in messages), "messages", limits)
    tokens, new_tokens = request.max_tokens, request.max_completion_tokens
    if tokens is not None and new_tokens is not None and tokens != new_tokens:
        raise InvalidInput('"max_tokens" is not "max_completion_tokens"; only one of them is needed', "max_tokens")
    parameters = _parameters(request, new_tokens if tokens is None else tokens)
    return _generation(request, PromptBatch(messages=messages, parameters=parameters))


def decode_completion(payload: Object, limits: Limits) -> GenerationRequest:
    """Decode the body of ``/completions``.

    Args:
        payload: the parsed body.
        limits: ``max_text_chars`` applies to the prompt.

    Raises:
        InvalidInput, TooLarge: with the offending field.
    """
    request = _validate(CompletionRequest, payload)
    text = request.prompt if isinstance(request.prompt, str) else request.prompt[0]
    _check_length(len(text), "prompt", limits)
    parameters = _parameters(request, request.max_tokens or _DEFAULT_COMPLETION_TOKENS)
    return _generation(request, PromptBatch(text=text, parameters=parameters))


def _validate(kind: type[RequestT], payload: Object) -> RequestT:
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        raise refusal(error) from None


def _text(content: str | list[str] | None) -> str:
    return "\n".join(content) if isinstance(content, list) else content or ""


def _check_length(characters: int, field: str, limits: Limits) -> None:
    if characters > limits.max_text_chars:
        raise TooLarge(f'"{field}" has {characters} characters; at most {limits.max_text_chars} are allowed', field)


def _parameters(request: _Request, max_tokens: int | None) -> Parameters:
    parameters = {
        "max_tokens": max_tokens,
        "temperature": request.temperature,
        "top_p": None if request.top_p is None else max(request.top_p, _LEAST_TOP_P),
        "min_p": request.min_p,
        "repeat_penalty": request.repeat_penalty,
        "seed": None if request.seed is None else request.seed % _SEEDS,
        "stop": [request.stop] if isinstance(request.stop, str) else request.stop,
        "json_schema": _json_schema(request.response_format),
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _json_schema(wanted: SchemaFormat | PlainFormat | None) -> Object | None:
    if wanted is None or wanted["type"] == "text":
        return None
    if wanted["type"] == "json_object":
        return {"type": "object"}
    schema = wanted["json_schema"]["schema"]
    try:
        orjson.dumps(schema)
    except orjson.JSONEncodeError:  # orjson writes less deeply nested JSON than it reads
        field = "response_format.json_schema.schema"
        raise InvalidInput(f'"{field}" is nested too deep', field) from None
    return schema


def _generation(request: _Request, batch: PromptBatch) -> GenerationRequest:
    options = request.stream_options or {}
    return GenerationRequest(batch, request.stream is True, options.get("include_usage") is True)
