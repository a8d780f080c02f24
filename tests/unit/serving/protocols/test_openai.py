"""How requests of OpenAI's API are understood, and which are refused."""

from typing import Any

import jsonschema_rs
import orjson
import pytest
from pydantic import ValidationError

from predictors.serving.errors import InvalidInput, ServingError, TooLarge
from predictors.serving.model.types import Limits
from predictors.serving.protocols.openai import schema as openai_schema
from predictors.serving.protocols.openai.parts import MOST_TEXT_PARTS
from predictors.serving.protocols.openai.replies import error_body
from predictors.serving.protocols.openai.requests import (
    ChatCompletionRequest,
    GenerationRequest,
    decode_chat,
    decode_completion,
    model_name,
)

LIMITS = Limits(max_rows=1, max_text_chars=1000)
USER = {"role": "user", "content": "Hello"}
DEEP = orjson.loads("[" * 1000 + "]" * 1000)
CHAT_SCHEMA = openai_schema.chat_request(["m"], LIMITS.max_text_chars)
COMPLETION_SCHEMA = openai_schema.completion_request(["m"], LIMITS.max_text_chars)


def follows(body: dict[str, Any], schema: dict[str, Any]) -> bool:
    return jsonschema_rs.is_valid(schema, body)


def chat(**fields: Any) -> GenerationRequest:
    body = {"model": "m", "messages": [USER], **fields}
    assert follows(body, CHAT_SCHEMA), body
    return decode_chat(body, LIMITS)


def completion(**fields: Any) -> GenerationRequest:
    body = {"model": "m", "prompt": "Once", **fields}
    assert follows(body, COMPLETION_SCHEMA), body
    return decode_completion(body, LIMITS)


def message(**fields: Any) -> dict[str, Any]:
    return {"messages": [USER, {**USER, **fields}]}


def response_format(schema: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}}


def test_a_plain_chat() -> None:
    generation = chat()
    assert generation.batch.messages == [("user", "Hello")]
    assert generation.batch.parameters == {}
    assert (generation.stream, generation.include_usage) == (False, False)


def test_a_plain_completion() -> None:
    generation = completion()
    assert (generation.batch.text, generation.batch.messages) == ("Once", [])
    assert generation.batch.parameters == {"max_tokens": 16}
    assert completion(prompt=["Once"]).batch.text == "Once"


def test_roles_and_parts() -> None:
    parts = [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]
    messages = [
        {"role": "developer", "content": "Be brief", "name": "ann"},
        {"role": "system", "content": ""},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": "Yes", "refusal": None, "tool_calls": []},
        USER,
    ]
    found = chat(messages=messages).batch.messages
    assert found == [("system", "Be brief"), ("system", ""), ("user", "One\nTwo"), ("assistant", "Yes"), ("user", "Hello")]  # fmt: skip


@pytest.mark.parametrize(
    "fields", [{}, {"content": None}, {"content": None, "refusal": "No.", "tool_calls": [], "function_call": None}]
)
def test_an_assistant_may_have_said_nothing(fields: dict[str, Any]) -> None:
    messages = [USER, {"role": "assistant", **fields}, USER]
    assert chat(messages=messages).batch.messages == [("user", "Hello"), ("assistant", ""), ("user", "Hello")]


@pytest.mark.parametrize(
    ("fields", "parameters"),
    [
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 5.0}, {"max_tokens": 5}),
        ({"seed": 7.0}, {"seed": 7}),
        ({"max_completion_tokens": 5, "max_tokens": 5}, {"max_tokens": 5}),
        ({"temperature": 0}, {"temperature": 0.0}),
        ({"top_p": 0.5, "min_p": 0.1, "repeat_penalty": 1.1}, {"top_p": 0.5, "min_p": 0.1, "repeat_penalty": 1.1}),
        ({"top_p": 0}, {"top_p": 1e-6}),
        ({"seed": 7}, {"seed": 7}),
        ({"seed": -1}, {"seed": 2**32 - 2}),
        ({"seed": 2**63 - 1}, {"seed": (2**63 - 1) % (2**32 - 1)}),
        ({"stop": "."}, {"stop": ["."]}),
        ({"stop": [".", "!"]}, {"stop": [".", "!"]}),
        ({"stop": []}, {"stop": []}),
        ({"response_format": {"type": "text"}}, {}),
        ({"response_format": {"type": "json_object"}}, {"json_schema": {"type": "object"}}),
        (response_format({"type": "array"}), {"json_schema": {"type": "array"}}),
    ],
)
def test_parameters(fields: dict[str, Any], parameters: dict[str, Any]) -> None:
    found = chat(**fields).batch.parameters
    assert found == parameters
    assert type(found.get("max_tokens", 0)) is int


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [], "functions": [], "tool_choice": "none", "function_call": "auto", "parallel_tool_calls": True},
        {"n": 1, "logprobs": False, "top_logprobs": 0, "modalities": ["text"], "audio": None, "store": False},
        {"n": 1.0, "frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}},
        {"user": "ann", "metadata": {"a": "b"}, "service_tier": "auto", "reasoning_effort": "low", "colour": "red"},
        {"stream_options": {"include_obfuscation": False}},
        {name: None for name, field in ChatCompletionRequest.model_fields.items() if not field.is_required()},
    ],
)
def test_what_asks_for_nothing_changes_nothing(fields: dict[str, Any]) -> None:
    assert chat(**fields) == chat()


def test_streaming() -> None:
    generation = chat(stream=True, stream_options={"include_usage": True})
    assert (generation.stream, generation.include_usage) == (True, True)
    assert chat(stream=None, stream_options=None) == chat()


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"messages": None}, "messages", 'the field "messages" is missing'),
        ({"messages": "Hello"}, "messages", "is a string; a list is expected"),
        ({"messages": []}, "messages", "at least 1 message is needed"),
        ({"messages": [USER, "Hello"]}, "messages[1]", "is a string; an object is expected"),
        (message(role="tool"), "messages[1].role", 'is "tool"; one of system, developer, user, assistant is expected'),
        (message(role="function"), "messages[1].role", 'is "function"'),
        (message(role=["user"]), "messages[1].role", "is a list"),
        (message(role=None), "messages[1].role", "is null"),
        (message(content=None), "messages[1].content", "is null; a string or a list of text parts is expected"),
        (message(content=5), "messages[1].content", "is a number"),
        (message(content=[]), "messages[1].content", "is an empty list"),
        (message(content=["Hello"]), "messages[1].content[0]", "is a string; an object is expected"),
        (message(content=[{"type": "image_url", "image_url": {}}]), "messages[1].content[0].type", 'is "image_url"; "text" is'),
        (message(content=[{"type": "input_audio"}]), "messages[1].content[0].type", 'is "input_audio"'),
        (message(content=[{"text": "Hello"}]), "messages[1].content[0].type", "is null"),
        (message(content=[{"type": "text"}]), "messages[1].content[0].text", "is null; a string is expected"),
        (message(tool_calls=[{}]), "messages[1].tool_calls", "is not supported here; leave it out or send []"),
        (message(role="assistant", content=5), "messages[1].content", "is a number; a string or a list of text parts is"),
        (message(role="assistant", content=[]), "messages[1].content", "is an empty list"),
        (message(role="assistant", content=None, tool_calls=[{}]), "messages[1].tool_calls", "is not supported here"),
        (message(role="assistant", content=None, function_call={}), "messages[1].function_call", "is not supported here"),
        (message(role="assistant", refusal=5), "messages[1].refusal", "is a number; a string is expected"),
        (message(refusal="No"), "messages[1].refusal", "is not supported here; leave it out"),
        ({"tools": [{}]}, "tools", "is not supported here; leave it out or send []"),
        ({"functions": [{}]}, "functions", "is not supported here"),
        ({"tool_choice": "required"}, "tool_choice", 'leave it out or send "none" or "auto"'),
        ({"n": 2}, "n", "leave it out or send 1"),
        ({"n": True}, "n", "leave it out or send 1"),
        ({"logprobs": True}, "logprobs", "leave it out or send false"),
        ({"logprobs": 0}, "logprobs", "leave it out or send false"),
        ({"top_logprobs": 3}, "top_logprobs", "leave it out or send 0"),
        ({"audio": {}}, "audio", "is not supported here; leave it out"),
        ({"modalities": ["text", "audio"]}, "modalities", 'leave it out or send ["text"]'),
        ({"store": True}, "store", "leave it out or send false"),
        ({"frequency_penalty": 0.5}, "frequency_penalty", "leave it out or send 0"),
        ({"presence_penalty": -1}, "presence_penalty", "leave it out or send 0"),
        ({"logit_bias": {"5": 1}}, "logit_bias", "leave it out or send {}"),
        ({"max_tokens": 0}, "max_tokens", "is 0; a whole number from 1 to 1000000 is expected"),
        ({"max_tokens": 2.5}, "max_tokens", "is 2.5; a whole number"),
        ({"max_tokens": "5"}, "max_tokens", "is a string; a whole number"),
        ({"max_tokens": True}, "max_tokens", "is a boolean"),
        ({"max_completion_tokens": -1}, "max_completion_tokens", "is -1"),
        ({"max_completion_tokens": 1e300}, "max_completion_tokens", "is 1e+300"),
        ({"temperature": 2.1}, "temperature", "is 2.1; a number from 0 to 2 is expected"),
        ({"temperature": -0.1}, "temperature", "is -0.1"),
        ({"temperature": False}, "temperature", "is a boolean"),
        ({"temperature": [1]}, "temperature", "is a list"),
        ({"top_p": 1.5}, "top_p", "a number from 0 to 1"),
        ({"min_p": -1}, "min_p", "a number from 0 to 1"),
        ({"repeat_penalty": 0}, "repeat_penalty", "a number from 0.5 to 2"),
        ({"seed": 0.5}, "seed", "is 0.5; a whole number"),
        ({"seed": 2**63}, "seed", "is 9223372036854775808"),
        ({"stop": 5}, "stop", "is a number; a string or a list of strings is expected"),
        ({"stop": ["."] * 9}, "stop", "is a list of 9; a list of at most 8 is expected"),
        ({"stop": ""}, "stop", "is an empty string; a non-empty string is expected"),
        ({"stop": [".", None]}, "stop[1]", "is null; a string is expected"),
        ({"stop": [".", "a" * 201]}, "stop[1]", "is a string of 201 characters; a string of at most 200 characters is expected"),
        ({"stream": "true"}, "stream", "is a string; a boolean is expected"),
        ({"stream": 1}, "stream", "is a number; a boolean is expected"),
        ({"stream_options": True}, "stream_options", "is a boolean; an object is expected"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "is a number; a boolean is expected"),
        ({"response_format": "json"}, "response_format", "is a string; an object is expected"),
        ({"response_format": {}}, "response_format.type", "is null; text, json_object or json_schema is expected"),
        ({"response_format": {"type": "xml"}}, "response_format.type", 'is "xml"'),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "is null; an object is expected"),
        (response_format(None), "response_format.json_schema.schema", "is null; an object is expected"),
        (response_format(True), "response_format.json_schema.schema", "is a boolean"),
    ],
)  # fmt: skip
def test_a_chat_is_refused(fields: dict[str, Any], field: str, says: str) -> None:
    body = {"model": "m", "messages": [USER], **fields}
    with pytest.raises(InvalidInput) as refused:
        decode_chat(body, LIMITS)
    assert refused.value.field == field
    assert f'"{field}"' in str(refused.value)
    assert says in str(refused.value)
    assert not follows(body, CHAT_SCHEMA)


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"prompt": None}, "prompt", 'the field "prompt" is missing'),
        ({"prompt": ""}, "prompt", "is empty"),
        ({"prompt": [""]}, "prompt", "is empty"),
        ({"prompt": []}, "prompt", "must be a string or a list of one string"),
        ({"prompt": ["a", "b"]}, "prompt", "several prompts and lists of tokens are not supported"),
        ({"prompt": [1]}, "prompt", "lists of tokens are not supported"),
        ({"prompt": [[1, 2]]}, "prompt", "lists of tokens are not supported"),
        ({"prompt": 5}, "prompt", "must be a string"),
        ({"echo": True}, "echo", "leave it out or send false"),
        ({"suffix": "end"}, "suffix", 'leave it out or send ""'),
        ({"best_of": 2}, "best_of", "leave it out or send 1"),
        ({"logprobs": 3}, "logprobs", "is not supported"),
        ({"n": 3}, "n", "leave it out or send 1"),
        ({"max_tokens": 0}, "max_tokens", "is 0"),
        ({"temperature": "1"}, "temperature", "is a string"),
        ({"stop": [5]}, "stop[0]", "is a number"),
    ],
)
def test_a_completion_is_refused(fields: dict[str, Any], field: str, says: str) -> None:
    body = {"model": "m", "prompt": "Once", **fields}
    with pytest.raises(InvalidInput) as refused:
        decode_completion(body, LIMITS)
    assert refused.value.field == field
    assert says in str(refused.value)
    assert not follows(body, COMPLETION_SCHEMA)


def test_a_schema_nested_too_deep_is_refused() -> None:
    schema = orjson.loads('{"items": ' * 400 + "{}" + "}" * 400)
    with pytest.raises(InvalidInput, match="nested too deep") as refused:
        decode_chat({"model": "m", "messages": [USER], **response_format(schema)}, LIMITS)
    assert refused.value.field == "response_format.json_schema.schema"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"messages": DEEP}, "messages[0]"),
        (message(role=DEEP), "messages[1].role"),
        (message(content=DEEP), "messages[1].content[0]"),
        (message(content=[{"type": DEEP}]), "messages[1].content[0].type"),
        ({"response_format": {"type": DEEP}}, "response_format.type"),
        ({"logit_bias": DEEP}, "logit_bias"),
        ({"stop": DEEP}, "stop[0]"),
        ({"seed": DEEP}, "seed"),
    ],
)
def test_deep_nesting_is_refused_without_noise(
    fields: dict[str, Any], field: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode_chat({"model": "m", "messages": [USER], **fields}, LIMITS)
    assert refused.value.field == field
    assert len(str(refused.value)) < 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "fields", [{"messages": [1] * 100}, {"messages": [{**USER, "content": [1] * 100}]}, {"stop": [1] * 100}]
)
def test_a_list_is_read_up_to_its_first_error(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        ChatCompletionRequest.model_validate({"model": "m", "messages": [USER], **fields})
    assert refused.value.error_count() == 1


def test_the_schemas_refer_to_nothing_outside() -> None:
    assert b"$ref" not in orjson.dumps([CHAT_SCHEMA, COMPLETION_SCHEMA])


def test_two_limits_on_tokens_must_agree() -> None:
    with pytest.raises(InvalidInput, match='"max_tokens" is not "max_completion_tokens"') as refused:
        chat(max_tokens=5, max_completion_tokens=6)
    assert refused.value.field == "max_tokens"


@pytest.mark.parametrize(
    ("decode", "body", "field"),
    [
        (decode_chat, {"messages": [{"role": "user", "content": "a" * 600}] * 2}, "messages"),
        (decode_chat, {"messages": [USER] * 1001}, "messages"),
        (decode_completion, {"prompt": "a" * 1001}, "prompt"),
    ],
)
def test_too_much(decode: Any, body: dict[str, Any], field: str) -> None:
    with pytest.raises(TooLarge) as refused:
        decode({"model": "m", **body}, LIMITS)
    assert refused.value.field == field
    assert "1000" in str(refused.value)


def test_the_model_must_be_named() -> None:
    assert model_name({"model": "m"}) == "m"
    for body, says in (({}, "is missing"), ({"model": None}, "is null; a string is expected")):
        with pytest.raises(InvalidInput, match=says) as refused:
            model_name(body)
        assert refused.value.field == "model"


@pytest.mark.parametrize(
    ("status", "field", "kind", "param", "code"),
    [
        (400, "stop[1]", "invalid_request_error", "stop[1]", None),
        (400, "", "invalid_request_error", None, None),
        (404, "", "not_found_error", "model", "model_not_found"),
        (413, "messages", "invalid_request_error", "messages", None),
        (415, "", "invalid_request_error", None, None),
        (429, "", "rate_limit_error", None, "rate_limit_exceeded"),
        (500, "", "server_error", None, None),
        (503, "", "server_error", None, None),
        (504, "", "server_error", None, None),
    ],
)
def test_errors(status: int, field: str, kind: str, param: str | None, code: str | None) -> None:
    body = error_body("so it is", status, field)
    assert body == {"error": {"message": "so it is", "type": kind, "param": param, "code": code}}
    assert follows(orjson.loads(orjson.dumps(body)), openai_schema.ERROR)


def test_an_error_without_a_field_has_none() -> None:
    assert ServingError("why").field == ""


def test_parts_of_all_messages_are_counted_together() -> None:
    def messages(count: int) -> list[dict[str, Any]]:
        part = {"type": "text", "text": ""}
        return [USER, *({"role": "user", "content": [part] * (count // 2)} for _ in range(2))]

    limits = Limits(max_rows=1, max_text_chars=10**6)
    most = {"model": "m", "messages": messages(MOST_TEXT_PARTS)}
    assert len(decode_chat(most, limits).batch.messages) == 3
    with pytest.raises(
        TooLarge, match=f"have {MOST_TEXT_PARTS + 2} parts of text; at most {MOST_TEXT_PARTS}"
    ) as caught:
        decode_chat({**most, "messages": messages(MOST_TEXT_PARTS + 2)}, limits)
    assert caught.value.field == "messages"
