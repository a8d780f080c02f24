"""JSON schemas of the bodies of OpenAI's API, for the OpenAPI document."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from predictors.serving.protocols.json_schema import INTEGER, STRING, Schema, array, obj
from predictors.serving.protocols.openai.requests import ChatCompletionRequest, CompletionRequest

MODEL = obj({"id": STRING, "object": {"const": "model"}, "created": INTEGER, "owned_by": STRING})
MODEL_LIST = obj({"object": {"const": "list"}, "data": array(MODEL)})
_OPTIONAL = {"type": ["string", "null"]}
ERROR = obj({"error": obj({"message": STRING, "type": STRING, "param": _OPTIONAL, "code": _OPTIONAL})})


def chat_request(models: Iterable[str], max_text_chars: int) -> Schema:
    """The body of a chat.

    Args:
        models: those that answer.
        max_text_chars: the limit of all contents together, which a schema can only state for each.
    """
    schema = _request(ChatCompletionRequest, models, max_text_chars)
    schema["properties"]["messages"]["description"] = f"At most {max_text_chars} characters in all."
    return schema


def completion_request(models: Iterable[str], max_text_chars: int) -> Schema:
    """The body of a completion.

    Args:
        models: those that answer.
        max_text_chars: the limit of the prompt.
    """
    return _request(CompletionRequest, models, max_text_chars)


def chat_answer() -> Schema:
    """The answer to a chat, if not streamed."""
    return _answer("chat.completion", {"message": obj({"role": {"const": "assistant"}, "content": STRING})})


def completion_answer() -> Schema:
    """The answer to a completion, if not streamed."""
    return _answer("text_completion", {"text": STRING})


def _answer(kind: str, content: Schema) -> Schema:
    choice = obj({"index": {"const": 0}, **content, "finish_reason": {"enum": ["stop", "length"]}})
    usage = obj(
        dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), INTEGER),
        {"prompt_tokens_details": obj({"cached_tokens": INTEGER})},
    )
    return obj(
        {
            "id": STRING,
            "object": {"const": kind},
            "created": INTEGER,
            "model": STRING,
            "system_fingerprint": STRING,
            "choices": array(choice, minItems=1, maxItems=1),
            "usage": usage,
        }
    )


def _request(kind: type[BaseModel], models: Iterable[str], max_text_chars: int) -> Schema:
    generated = kind.model_json_schema()
    schema: Schema = _inlined(generated, generated.pop("$defs"), max_text_chars)
    schema["properties"]["model"] = {"enum": list(models)}
    return schema


def _inlined(schema: Any, definitions: Schema, max_text_chars: int) -> Any:
    """Replace references by what they refer to, since the schema becomes part of a document, and limit free text."""
    if isinstance(schema, list):
        return [_inlined(item, definitions, max_text_chars) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions, max_text_chars)
    inlined = {key: _inlined(value, definitions, max_text_chars) for key, value in schema.items()}
    is_free_text = schema.get("type") == "string" and not schema.keys() & {"const", "enum", "maxLength"}
    return {**inlined, "maxLength": max_text_chars} if is_free_text else inlined
