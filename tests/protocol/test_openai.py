"""OpenAI's API with OpenAI's own client and the real default model."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any, Literal

import httpx
import jsonschema_rs
import openai
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openai import APIError, APIStatusError, AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from predictors.serving.protocols.openai import schema as openai_schema
from tests.live import JSON, LiveServer, serve, wait_for

pytestmark = pytest.mark.llama

BASE = "/openai/v1"
CHAT = f"{BASE}/chat/completions"
MODEL = "summarizer"
USER: Any = {"role": "user", "content": "What is a contract? Answer in two sentences."}
# Ends at no stop text of its own for a long time, so that something is still running when the test acts.
ENDLESS: Any = {"model": MODEL, "messages": [USER], "max_tokens": 1900, "temperature": 2.0, "seed": 3}
# The one answer that this leaves: greedy answers may differ with how much of the prompt was in the KV cache.
FIXED = {"type": "json_schema", "json_schema": {"name": "fixed", "schema": {"enum": ["paid monthly, in advance"]}}}
FIXED_ANSWER = '"paid monthly, in advance"'


def connect(server: LiveServer) -> OpenAI:
    return OpenAI(base_url=server.url + BASE, api_key="none", max_retries=0, timeout=300)


def connect_async(server: LiveServer) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=server.url + BASE, api_key="none", max_retries=0, timeout=300)


@pytest.fixture(scope="module")
def client(summarizer: LiveServer) -> Iterator[OpenAI]:
    with connect(summarizer) as client:
        yield client


@pytest.fixture
def spare(artifacts: object) -> Iterator[LiveServer]:
    """A server that a test may fill and unload; iris is served beside."""
    with serve(MODEL, "iris", "--max_queue", "1", "--enable_repository") as live:
        yield live.wait_ready()


def chat(client: OpenAI, **fields: Any) -> Any:
    defaults: dict[str, Any] = {"model": MODEL, "messages": [USER], "max_tokens": 16, "temperature": 0}
    return client.chat.completions.create(**defaults | fields)


def completion(client: OpenAI, **fields: Any) -> Any:
    defaults: dict[str, Any] = {"model": MODEL, "prompt": "The tenant agrees to", "max_tokens": 8, "temperature": 0}
    return client.completions.create(**defaults | fields)


def is_idle(server: LiveServer) -> bool:
    line = f'model_requests_in_flight{{model_name="{MODEL}"}} 0.0'
    return line in httpx.get(server.url + "/metrics", timeout=60).text


def test_a_chat(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[USER], max_completion_tokens=5, temperature=0, extra_headers={"x-request-id": "chat-1"}
    )
    answer = raw.parse()
    assert (answer.id, answer.object, answer.model) == ("chatcmpl-chat-1", "chat.completion", MODEL)
    assert answer.created > 1_700_000_000
    assert answer.system_fingerprint == raw.headers["x-model-version"]
    [choice] = answer.choices
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "length", "assistant")
    assert choice.message.content
    usage = answer.usage
    assert usage is not None
    assert usage.completion_tokens == 5
    assert usage.prompt_tokens > 10
    assert usage.total_tokens == usage.prompt_tokens + 5
    assert usage.prompt_tokens_details is not None
    assert 0 <= (usage.prompt_tokens_details.cached_tokens or 0) <= usage.prompt_tokens
    assert jsonschema_rs.is_valid(openai_schema.chat_answer(), json.loads(raw.text))


def test_a_turn_that_was_read_before_is_not_read_again(client: OpenAI) -> None:
    turns: list[Any] = [{"role": "system", "content": "You answer as a lawyer of the sea would. " * 10}, USER]
    chat(client, messages=turns, max_tokens=1)
    answered = [*turns, {"role": "assistant", "content": "An agreement."}, {"role": "user", "content": "Why?"}]
    usage = chat(client, messages=answered, max_tokens=1).usage
    assert usage.prompt_tokens_details.cached_tokens > usage.prompt_tokens / 2


def test_the_answer_ends_by_itself(client: OpenAI) -> None:
    turns = [{"role": "user", "content": "Say yes."}, {"role": "assistant", "content": "Yes."}] * 4
    answer = chat(client, messages=[*turns, turns[0]], max_tokens=24)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens < 24


def test_roles_and_parts_reach_the_model(client: OpenAI) -> None:
    def tokens(*messages: Any) -> int:
        return int(chat(client, messages=list(messages), max_tokens=1).usage.prompt_tokens)

    parts = {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}
    assert tokens(parts) == tokens({"role": "user", "content": "one\ntwo"})
    system = {"role": "system", "content": "Be brief."}
    assert tokens({**system, "role": "developer"}, USER) == tokens(system, USER) != tokens(USER)


def test_a_turn_without_content_counts_as_empty(client: OpenAI) -> None:
    def tokens(**fields: Any) -> int:
        turns: list[Any] = [USER, {"role": "assistant", **fields}, USER]
        return int(chat(client, messages=turns, max_tokens=1).usage.prompt_tokens)

    assert tokens() == tokens(content=None) == tokens(content=None, refusal="No.") == tokens(content="")
    assert tokens() < tokens(content="A contract is an agreement.")


def test_the_same_greedy_chat_is_computed_once(client: OpenAI) -> None:
    def ask(**fields: Any) -> tuple[str | None, str]:
        raw = client.chat.completions.with_raw_response.create(
            model=MODEL, messages=[{"role": "user", "content": "Once?"}], max_tokens=2, **fields
        )
        return raw.headers.get("x-cache"), str(raw.parse().choices)

    (first, text), (second, again) = ask(temperature=0), ask(temperature=0)
    assert (first, second) == ("miss", "hit")
    assert text == again
    assert ask(temperature=1)[0] is None


def test_stop_texts_end_the_answer(client: OpenAI) -> None:
    answer = chat(client, response_format=FIXED, stop=["\x00", ", in"]).choices[0]
    assert (answer.finish_reason, answer.message.content) == ("stop", '"paid monthly')
    streamed = chat(client, response_format=FIXED, stop=", in", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == '"paid monthly'


def test_seeds(client: OpenAI) -> None:
    def text(seed: int | None) -> str:
        return str(chat(client, temperature=1.5, top_p=0.95, seed=seed, max_tokens=8).choices[0].message.content)

    assert text(-1) == text(-1)
    assert len({text(seed) for seed in range(4)}) > 1
    assert len({text(None) for _ in range(4)}) > 1


def test_the_default_is_the_likeliest_answer(client: OpenAI) -> None:
    plain = client.chat.completions.create(model=MODEL, messages=[USER], max_tokens=12)
    greedy = chat(client, max_tokens=12, extra_body={"repeat_penalty": 1.1})
    assert plain.choices == greedy.choices


def test_any_json_ends_as_json_or_says_that_it_does_not(client: OpenAI) -> None:
    for question in (
        "Describe a person as JSON.",
        "JSON",
        "List three fruits.",
        "Which price? You pay 9 euros a month.",
    ):
        asked: Any = {"model": MODEL, "messages": [{"role": "user", "content": question}], "max_tokens": 200}
        [choice] = client.chat.completions.create(**asked, response_format={"type": "json_object"}).choices
        assert choice.message.content
        if choice.finish_reason == "stop":
            assert isinstance(json.loads(choice.message.content), dict)
        else:
            assert choice.finish_reason == "length"


class Price(BaseModel):
    currency: Literal["euro", "dollar"]
    monthly: bool


def test_an_answer_follows_a_schema(client: OpenAI) -> None:
    question: Any = {"role": "user", "content": "You pay 5 euros a month. In what currency, and is it monthly?"}
    answer = client.chat.completions.parse(
        model=MODEL, messages=[question], response_format=Price, max_tokens=24, temperature=0.7, seed=1
    )
    assert answer.choices[0].finish_reason == "stop"
    parsed = answer.choices[0].message.parsed
    assert parsed is not None
    assert set(json.loads(answer.choices[0].message.content or "")) == {"currency", "monthly"}


def test_an_answer_may_be_any_object(client: OpenAI) -> None:
    content = chat(client, response_format={"type": "json_object"}).choices[0].message.content
    assert content.lstrip().startswith("{")
    assert not chat(client, response_format={"type": "text"}).choices[0].message.content.startswith("{")


def test_a_streamed_chat(client: OpenAI) -> None:
    wanted: Any = {"response_format": FIXED, "max_tokens": 24}
    whole = chat(client, **wanted)
    stream = chat(client, **wanted, stream=True, stream_options={"include_usage": True})
    chunks: list[ChatCompletionChunk] = list(stream)
    first, *pieces, last, counts = chunks
    assert {(chunk.id, chunk.object, chunk.model, chunk.created) for chunk in chunks} == {
        (first.id, "chat.completion.chunk", MODEL, first.created)
    }
    assert (first.choices[0].delta.role, first.choices[0].finish_reason) == ("assistant", None)
    assert len(pieces) > 1
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    assert text.strip() == whole.choices[0].message.content.strip() == FIXED_ANSWER
    assert last.choices[0].delta.to_dict() == {}
    assert last.choices[0].finish_reason == whole.choices[0].finish_reason == "stop"
    assert counts.choices == []
    assert counts.usage is not None
    assert counts.usage.prompt_tokens == whole.usage.prompt_tokens
    assert counts.usage.total_tokens == counts.usage.prompt_tokens + counts.usage.completion_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_bytes_of_a_stream(summarizer: LiveServer) -> None:
    body = {"model": MODEL, "messages": [USER], "max_tokens": 2, "stream": True}
    answer = httpx.post(summarizer.url + CHAT, json=body, headers={"x-request-id": "stream-1"}, timeout=300)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-request-id"] == "stream-1"
    *events, done, end = answer.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert all(chunk["id"] == "chatcmpl-stream-1" and len(chunk["choices"]) == 1 for chunk in chunks)
    assert not any("usage" in chunk for chunk in chunks)
    assert summarizer.access_line("stream-1")["protocol"] == "openai"


def test_completions(client: OpenAI) -> None:
    whole = completion(client)
    assert whole.id.startswith("cmpl-")
    assert (whole.object, whole.choices[0].finish_reason) == ("text_completion", "length")
    assert whole.usage.completion_tokens == 8
    assert completion(client, prompt=["The tenant agrees to"]).choices == whole.choices


def test_a_streamed_completion(client: OpenAI) -> None:
    wanted = {"max_tokens": 24, "stream": True, "stream_options": {"include_usage": True}}
    *chunks, counts = completion(client, **wanted, extra_body={"response_format": FIXED})
    assert "".join(chunk.choices[0].text for chunk in chunks).strip() == FIXED_ANSWER
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert counts.choices == []
    assert 0 < counts.usage.completion_tokens <= 24


def test_a_completion_has_16_tokens_by_default(client: OpenAI) -> None:
    answer = client.completions.create(model=MODEL, prompt="one two three four five six seven", temperature=0)
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 16


def test_models(client: OpenAI) -> None:
    [model] = client.models.list().data
    assert (model.id, model.object) == (MODEL, "model")
    assert client.models.retrieve(MODEL) == model


def test_several_at_once(summarizer: LiveServer) -> None:
    async def ask(client: AsyncOpenAI, number: int) -> str:
        answer = await client.chat.completions.create(
            model=MODEL, messages=[USER], max_tokens=6, temperature=1.2, seed=number
        )
        return str(answer.choices[0].message.content)

    async def ask_streaming(client: AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(
            model=MODEL, messages=[USER], max_tokens=6, temperature=0, stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def scenario() -> tuple[str, ...]:
        async with connect_async(summarizer) as client:
            return await asyncio.gather(ask(client, 1), ask(client, 2), ask_streaming(client))

    assert all(asyncio.run(scenario()))


def test_one_is_answered_while_another_is_written(summarizer: LiveServer, client: OpenAI) -> None:
    headers = {"x-request-id": "openai-left"}
    with client.chat.completions.create(**ENDLESS, stream=True, extra_headers=headers) as stream:
        next(stream)
        assert chat(client, max_tokens=2).usage.completion_tokens == 2
        assert not is_idle(summarizer)
        next(stream)
    # The block closed the connection: that ends the answer.
    assert summarizer.access_line("openai-left")["status"] == "499"
    wait_for(lambda: is_idle(summarizer), "an idle model")


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"messages": []}, "messages", "at least 1 message"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "is a number"),
        ({"temperature": 3}, "temperature", "from 0 to 2"),
        ({"n": 2}, "n", "is not supported"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools", "is not supported"),
        ({"max_tokens": 100_000}, None, "2048"),
        ({"messages": [{"role": "user", "content": "word " * 9000}], "max_tokens": 1}, None, "2048"),
        ({"messages": [{"role": "user", "content": "word " * 9000}], "stream": True}, None, "2048"),
    ],
)
def test_bad_requests(client: OpenAI, fields: dict[str, Any], param: str | None, says: str) -> None:
    with pytest.raises(openai.BadRequestError, match=says) as refused:
        chat(client, **fields)
    assert (refused.value.param, refused.value.type) == (param, "invalid_request_error")
    assert refused.value.request_id


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "#/nowhere"},
        {"properties": 3},
        {"type": "string", "maxLength": 100_000},
        json.loads('{"items": ' * 200 + "{}" + "}" * 200),
        json.loads('{"items": ' * 400 + "{}" + "}" * 400),
    ],
    ids=["type", "reference", "properties", "length", "deep", "deeper"],
)
def test_schemas_without_a_grammar_are_refused(client: OpenAI, schema: dict[str, Any]) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    with pytest.raises(openai.BadRequestError, match="schema"):
        chat(client, response_format=wanted, max_tokens=1)


def test_completions_take_one_text(client: OpenAI) -> None:
    for prompt in ([1, 2], ["a", "b"], ""):
        with pytest.raises(openai.BadRequestError) as refused:
            completion(client, prompt=prompt)
        assert refused.value.param == "prompt"


def test_a_text_over_the_limit(client: OpenAI) -> None:
    with pytest.raises(APIStatusError, match="characters; at most") as refused:
        chat(client, messages=[{"role": "user", "content": "a" * 1_500_000}] * 2)
    assert (refused.value.status_code, refused.value.param) == (413, "messages")


@pytest.mark.parametrize(
    ("content", "headers", "status", "says"),
    [
        (b"", JSON, 400, "the body is empty"),
        (b"{", JSON, 400, "not valid JSON"),
        (b"[]", JSON, 400, "must be a JSON object"),
        (b'{"model": "a", "model": "b"}', JSON, 400, '"model" appears twice'),
        (b"{}", JSON, 400, '"model" is missing'),
        (b'{"model": "summarizer"}', JSON, 400, '"messages" is missing'),
        (b'{"model": "summarizer", "messages": [], "temperature": NaN}', JSON, 400, "not valid JSON"),
        (b"{}", {"content-type": "text/plain"}, 415, "application/json is expected"),
        (b"{}", {**JSON, "x-request-timeout-ms": "soon"}, 400, "x-request-timeout-ms"),
    ],
)
def test_errors_have_one_shape(
    summarizer: LiveServer, content: bytes, headers: dict[str, str], status: int, says: str
) -> None:
    answer = httpx.post(summarizer.url + CHAT, content=content, headers=headers, timeout=60)
    assert answer.status_code == status
    assert jsonschema_rs.is_valid(openai_schema.ERROR, answer.json())
    error = answer.json()["error"]
    assert says in error["message"]
    assert error["type"] == "invalid_request_error"


def test_a_model_that_does_not_exist(client: OpenAI) -> None:
    for ask in (lambda: chat(client, model="gpt"), lambda: client.models.retrieve("gpt")):
        with pytest.raises(openai.NotFoundError, match='"gpt" does not exist') as refused:
            ask()
        assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


def in_time(client: OpenAI, **fields: Any) -> Any:
    """An endless answer that its deadline ends; a slow machine gets more time for the first token."""
    for milliseconds in (4_000, 16_000):
        with contextlib.suppress(APIError):
            answer = client.chat.completions.create(
                **ENDLESS, **fields, extra_headers={"x-request-timeout-ms": str(milliseconds)}
            )
            return list(answer) if fields else answer
    return client.chat.completions.create(**ENDLESS, **fields, extra_headers={"x-request-timeout-ms": "55000"})


def test_a_deadline(client: OpenAI, summarizer: LiveServer) -> None:
    """It ends the answer with what there is; only where there is nothing, it is an error."""
    whole = in_time(client)
    assert whole.choices[0].finish_reason == "length"
    assert whole.choices[0].message.content
    assert 0 < whole.usage.completion_tokens < ENDLESS["max_tokens"]
    *_, last = in_time(client, stream=True)
    assert last.choices[0].finish_reason == "length"
    with pytest.raises(APIError, match="deadline") as late:
        client.chat.completions.create(**ENDLESS, extra_headers={"x-request-timeout-ms": "1"})
    assert late.value.type == "server_error"
    wait_for(lambda: is_idle(summarizer), "an idle model")


def test_only_generating_models_are_found_here(spare: LiveServer) -> None:
    with connect(spare) as client:
        for ask in (lambda: chat(client, model="iris"), lambda: client.models.retrieve("iris")):
            with pytest.raises(openai.NotFoundError, match='"iris" does not generate text; summarizer can be used'):
                ask()
        assert [model.id for model in client.models.list()] == [MODEL]


def test_a_full_queue_and_an_unloaded_model(spare: LiveServer) -> None:
    with connect(spare) as client:
        with client.chat.completions.create(**ENDLESS, stream=True) as stream:
            next(stream)
            with pytest.raises(openai.RateLimitError, match="try again in") as full:
                chat(client)
            assert (full.value.type, full.value.code) == ("rate_limit_error", "rate_limit_exceeded")
            assert int(full.value.response.headers["retry-after"]) >= 1
        wait_for(lambda: is_idle(spare), "an idle model")
        assert httpx.post(f"{spare.url}/v2/repository/models/{MODEL}/unload", timeout=60).is_success
        for stream_it in (False, True):
            with pytest.raises(openai.InternalServerError, match="is not ready: it was unloaded") as unready:
                chat(client, stream=stream_it)
            assert (unready.value.status_code, unready.value.type) == (503, "server_error")


def test_the_api_is_there_only_for_models_that_generate(server: LiveServer) -> None:
    answer = httpx.get(f"{server.url}{BASE}/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, None)
    assert not any(path.startswith(BASE) for path in httpx.get(server.url + "/openapi.json").json()["paths"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/embeddings", 404), ("POST", "/responses", 404), ("GET", "/nothing/at/all", 404), ("GET", "", 404),
        ("GET", "/", 404), ("DELETE", "/models/summarizer", 405), ("GET", "/chat/completions", 405),
        ("POST", "/models", 405),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_in_the_same_shape(
    summarizer: LiveServer, method: str, path: str, status: int
) -> None:
    answer = httpx.request(method, f"{summarizer.url}{BASE}{path}")
    error = answer.json()["error"]
    assert answer.status_code == status
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, None)
    assert "/openapi.json" in error["message"] if status == 404 else answer.headers["allow"] in error["message"]


def test_the_client_shows_why_a_path_is_not_there(summarizer: LiveServer) -> None:
    with connect(summarizer) as client, pytest.raises(openai.NotFoundError, match="nothing at this path"):
        client.embeddings.create(model=MODEL, input="x")


FUZZ = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def operations(summarizer: LiveServer) -> dict[str, Any]:
    """The described operations of this API, by path."""
    loaded = schemathesis.openapi.from_dict(httpx.get(summarizer.url + "/openapi.json").json())
    loaded.config.update(base_url=summarizer.url)
    found: list[Any] = [result.ok() for result in loaded.get_all_operations()]  # type: ignore[union-attr]
    return {operation.path: operation for operation in found if operation.path.startswith(BASE)}


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        (CHAT, GenerationMode.POSITIVE),
        (CHAT, GenerationMode.NEGATIVE),
        (f"{BASE}/completions", GenerationMode.POSITIVE),
        (f"{BASE}/completions", GenerationMode.NEGATIVE),
        (f"{BASE}/models", GenerationMode.POSITIVE),
        (f"{BASE}/models/{{model}}", GenerationMode.POSITIVE),
    ],
)
def test_requests_generated_from_the_description(operations: dict[str, Any], path: str, mode: GenerationMode) -> None:
    operation = operations[path]

    @FUZZ
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        check_case(mode, case)

    run()


def check_case(mode: GenerationMode, case: Any) -> None:
    constrained = False
    if isinstance(case.body, dict):
        # What a schema cannot say: the two agree, and the sum of prompt and answer fits the context.
        case.body.pop("max_completion_tokens", None)
        if mode is GenerationMode.POSITIVE:
            case.body["max_tokens"] = 1
        constrained = bool(case.body.get("response_format"))
    response = case.call(timeout=300)
    shown = (case.body, response.status_code, response.text)
    foreseen = {int(status) for status in case.operation.definition.raw["responses"]}
    assert response.status_code in foreseen | {400, 404, 405}, shown
    if response.status_code >= 400:
        assert list(response.json()) == ["error"], shown
        # A schema may be one that no grammar can be made of.
        assert mode is GenerationMode.NEGATIVE or constrained, shown
    elif response.headers["content-type"] == ["application/json"]:
        case.validate_response(response, checks=[response_schema_conformance])
