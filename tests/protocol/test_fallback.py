"""The fallback over the network: a server whose model cannot answer, and another of the same kind that answers for it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import openai
import pytest

from predictors.serving.model.kserve_api import pb
from tests.live import LiveServer, pb_grpc, serve, start_error

pytestmark = pytest.mark.llama

KEY, JIM = "sk-a-key-of-the-test", "jim@example.com"
CHAT: dict[str, Any] = {
    "model": "summarizer",
    "messages": [{"role": "user", "content": f"Write to {JIM}."}],
    "max_tokens": 8,
}
V1 = "/v1/models/summarizer:predict"
CHATS = "/openai/v1/chat/completions"
DOCUMENT = f"You pay 9 euros a month for towels (such as plain blue towels). Write to {JIM}."
# The model has something to leave out of each sentence, and is busy for much longer than a test takes.
LONG: dict[str, Any] = {
    "instances": [
        "\n\n".join(f"You pay {i} euros for a towel in hall {i} (such as a plain blue towel)." for i in range(1, 1500))
    ],
    "parameters": {"mode": "full", "temperature": 1.0, "stream": True},
}
UNLOADED = 'model "summarizer" is not ready: it was unloaded'


@pytest.fixture(scope="module")
def front(summarizer: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with room for one request."""
    key = tmp_path_factory.mktemp("fallback") / "key"
    key.write_text(KEY)
    with serve(
        *("summarizer", "--slots", "2", "--max_queue", "1", "--cache", "off", "--request_timeout_seconds", "600"),
        *("--fallback_url", f"{summarizer.url}/openai/v1", "--fallback_model", "summarizer"),
        *("--fallback_key_file", str(key), "--enable_repository"),
    ) as live:
        yield live.wait_ready()


@contextmanager
def overloaded(server: LiveServer) -> Iterator[None]:
    """A long summary takes the only place there is."""
    with httpx.stream("POST", server.url + V1, json=LONG, headers={"x-no-fallback": "1"}, timeout=300) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: progress"
        yield
        lines.close()  # type: ignore[attr-defined]  # it is a generator, whose end would end the request


@contextmanager
def unloaded(server: LiveServer) -> Iterator[None]:
    repository = f"{server.url}/v2/repository/models/summarizer"
    assert httpx.post(f"{repository}/unload", timeout=60).is_success
    yield
    assert httpx.post(f"{repository}/load", timeout=300).is_success


def counted(server: LiveServer, **labels: str) -> float:
    text = httpx.get(f"{server.url}/metrics", timeout=60).text
    lines = [line for line in text.splitlines() if line.startswith("summarizer_fallback_total{")]
    return sum(
        float(line.split()[-1]) for line in lines if all(f'{key}="{value}"' in line for key, value in labels.items())
    )


def test_a_server_that_is_overloaded(front: LiveServer) -> None:
    with overloaded(front), httpx.Client(base_url=front.url, timeout=300) as http:
        chat = http.post(CHATS, json=CHAT, headers={"x-request-id": "overloaded-chat"})
        assert chat.status_code == 200
        assert chat.headers["x-served-by"] == "fallback"
        assert "x-model-version" not in chat.headers
        body = chat.json()
        assert (body["model"], body["system_fingerprint"]) == ("summarizer", "")
        assert body["usage"]["completion_tokens"] == 8
        line = front.access_line("overloaded-chat")
        assert (line["served_by"], line["version"], line["status"]) == ("fallback", "", "200")

        streamed = http.post(CHATS, json={**CHAT, "stream": True, "stream_options": {"include_usage": True}})
        assert streamed.headers["x-served-by"] == "fallback"
        events = [json.loads(line[6:]) for line in streamed.text.splitlines() if line.startswith("data: {")]
        text = "".join(event["choices"][0]["delta"].get("content", "") for event in events if event["choices"])
        assert text == body["choices"][0]["message"]["content"]
        assert events[-1]["usage"]["completion_tokens"] == 8
        assert streamed.text.endswith("data: [DONE]\n\n")

        summary = http.post(V1, json={"instances": [DOCUMENT]})
        assert summary.headers["x-served-by"] == "fallback"
        assert "plain blue towels" in summary.json()["predictions"][0]  # nobody chose what to leave out
        assert summary.json()["model_version"] == ""

        refused = http.post(CHATS, json=CHAT, headers={"x-no-fallback": "true"})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert "x-served-by" not in refused.headers
        assert http.post("/openai/v1/completions", json={"model": "summarizer", "prompt": "Once"}).status_code == 429
        wrong = http.post(CHATS, json={**CHAT, "max_tokens": 0})
        assert (wrong.status_code, "x-served-by" in wrong.headers) == (400, False)
    assert counted(front, reason="overloaded", outcome="answered") == 3
    assert counted(front, reason="overloaded", outcome="declined") == 1
    assert counted(front, reason="overloaded", outcome="unfit") == 1


def assert_over_grpc(front: LiveServer) -> None:
    request = pb.ModelInferRequest(model_name="summarizer")
    request.inputs.add(name="text", datatype="BYTES", shape=[1]).contents.bytes_contents.append(DOCUMENT.encode())
    with grpc.insecure_channel(front.grpc_address) as channel:
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        answer, call = stub.ModelInfer.with_call(request, timeout=60)
        assert dict(call.trailing_metadata())["x-served-by"] == "fallback"
        assert answer.model_version == ""
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(request, timeout=60, metadata=[("x-no-fallback", "true")])
    error: Any = caught.value
    assert (error.code(), error.details()) == (grpc.StatusCode.UNAVAILABLE, UNLOADED)
    assert "x-served-by" not in dict(error.trailing_metadata())


def test_a_server_that_is_not_ready(front: LiveServer) -> None:
    with unloaded(front):
        assert httpx.get(f"{front.url}/v2/health/ready").status_code == 503
        client = openai.OpenAI(base_url=f"{front.url}/openai/v1", api_key="none", max_retries=0)
        answer = client.chat.completions.with_raw_response.create(
            model="summarizer", messages=[{"role": "user", "content": "Hi"}], max_tokens=5
        )
        assert answer.headers["x-served-by"] == "fallback"
        client.close()
        events = httpx.post(front.url + V1, json={"instances": [DOCUMENT], "parameters": {"stream": True}}, timeout=60)
        assert events.headers["x-served-by"] == "fallback"
        assert "event: bullet" in events.text
        assert "event: done" in events.text
        tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [DOCUMENT]}
        infer = httpx.post(f"{front.url}/v2/models/summarizer/infer", json={"inputs": [tensor]}, timeout=60)
        assert infer.headers["x-served-by"] == "fallback"
        refused = httpx.post(front.url + V1, json={"instances": [DOCUMENT]}, headers={"x-no-fallback": "true"})
        assert (refused.status_code, refused.json()["error"]) == (503, UNLOADED)
        assert_over_grpc(front)
    assert counted(front, reason="not_ready", outcome="answered") == 4
    again = httpx.post(front.url + V1, json={"instances": [DOCUMENT]}, timeout=60)
    assert "x-served-by" not in again.headers
    assert again.json()["model_version"] == "1"


def test_neither_keys_nor_contents_are_logged(front: LiveServer, summarizer: LiveServer) -> None:
    for server in (front, summarizer):
        assert not [line for line in server.raw if KEY in line or JIM in line]
    assert any(
        "chats, and documents that are read in chunks, go to" in line and "names of people are not recognized" in line
        for line in front.raw
    )


def test_a_start_that_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("two words")
    endpoint = ("--fallback_url", "https://api.example.com/v1", "--fallback_model", "big")
    assert start_error("summarizer", *endpoint, "--fallback_key_file", str(tmp_path / "key")) == (
        "--fallback_key_file key cannot be used: it holds no key: one line of ASCII without spaces is expected"
    )
