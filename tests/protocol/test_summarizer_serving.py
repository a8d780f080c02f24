"""How the summarizer is served: in parts, from the cache, within its bounds, and no longer than somebody waits."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import httpx
import pytest

from predictors.serving.model.kserve_api import pb
from tests.live import LiveServer, pb_grpc, serve, wait_for

pytestmark = pytest.mark.llama

DOCUMENT = (
    "You agree to pay 9 euros a month for towels (such as plain blue towels). We may change the price at any time. "
    "Disputes are settled by arbitration."
)
V1 = "/v1/models/summarizer:predict"
# The model has something to leave out of each sentence. All take it minutes, and temperature keeps them out of the cache.
LONG = "\n\n".join(f"You pay {i} euros for a towel in hall {i} (such as a plain blue towel)." for i in range(1, 5000))
ENDLESS: dict[str, Any] = {"instances": [LONG], "parameters": {"mode": "full", "temperature": 1.0}}
STREAMED: dict[str, Any] = {**ENDLESS, "parameters": {**ENDLESS["parameters"], "stream": True}}
IDLE = (
    'model_requests_in_flight{model_name="summarizer"} 0.0',
    'summarizer_slots_busy{model_name="summarizer",model_version="1"} 0.0',
)
BUSY = ('model_requests_in_flight{model_name="summarizer"} 1.0',)


@pytest.fixture(scope="module")
def http(summarizer: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=summarizer.url, timeout=300) as client:
        yield client


@pytest.fixture(scope="module")
def bounded(artifacts: object) -> Iterator[LiveServer]:
    """A server for one request at a time, without a cache."""
    arguments = ("--max_queue", "1", "--cache", "off", "--slots", "2", "--request_timeout_seconds", "600")
    with serve("summarizer", "iris", *arguments) as live:
        yield live.wait_ready()


def body(*documents: Any, **parameters: Any) -> dict[str, Any]:
    return {"instances": list(documents), "parameters": {"max_tokens": 60, **parameters}}


def shows(server: LiveServer, lines: tuple[str, ...]) -> bool:
    text = httpx.get(server.url + "/metrics", timeout=60).text
    return all(line in text for line in lines)


def wait_idle(server: LiveServer) -> None:
    wait_for(lambda: shows(server, IDLE), "an idle model")


@contextmanager
def streamed(server: LiveServer, **headers: str) -> Iterator[Iterator[str]]:
    """A summary under way; its lines from the second event on."""
    with httpx.stream("POST", server.url + V1, json=STREAMED, headers=headers, timeout=300) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(lines) == "event: progress"
        yield lines


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    assert text.endswith("\n\n")
    for part in text.removesuffix("\n\n").split("\n\n"):
        name, data = part.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("max_tokens", [20, 400])
def test_a_stream_says_what_the_answer_says(http: httpx.Client, mode: str, max_tokens: int) -> None:
    documents = (DOCUMENT, "You pay 7 euros. You pay 7 euros. We keep your data for 3 years.")
    whole = http.post(V1, json=body(*documents, mode=mode, max_tokens=max_tokens)).json()
    answer = http.post(
        V1,
        json=body(*documents, mode=mode, max_tokens=max_tokens, stream=True),
        headers={"x-request-id": f"parts-{mode}-{max_tokens}"},
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-request-id"] == f"parts-{mode}-{max_tokens}"
    assert answer.headers["x-model-version"] == "1"
    assert "x-cache" not in answer.headers
    *parts, (last, done) = events(answer.text)
    assert last == "done"
    assert {name for name, _ in parts} == {"progress", "bullet"}
    assert parts[0][0] == "progress"
    assert done["bullets"] == whole["bullets"]
    assert done["predictions"] == whole["predictions"]
    assert set(done) == set(whole)
    for number in range(2):
        told = [data for name, data in parts if name == "bullet" and data["instance"] == number]
        bullets = [{key: value for key, value in each.items() if key != "instance"} for each in told]
        assert sorted(bullets, key=str) == sorted(done["bullets"][number], key=str)  # the answer is in order of topics
        steps = [data for name, data in parts if name == "progress" and data["instance"] == number]
        assert [step["done"] for step in steps] == list(range(1, steps[0]["total"] + 1))
        assert {(step["mode"], step["total"]) for step in steps} == {(mode, len(steps))}


def test_a_stream_is_logged_and_counted_once(summarizer: LiveServer, http: httpx.Client) -> None:
    answer = http.post(V1, json=body(DOCUMENT, stream=True), headers={"x-request-id": "stream-once"})
    line = summarizer.access_line("stream-once")
    assert (line["status"], line["protocol"], line["bytes_out"]) == ("200", "v1", len(answer.content))


def test_an_error_before_the_first_event_has_its_status(http: httpx.Client) -> None:
    for parameters, status in (({"max_tokens": 0}, 400), ({"mode": "slow"}, 400)):
        answer = http.post(V1, json=body(DOCUMENT, stream=True, **parameters))
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json"
        assert "is wrong" in answer.json()["error"]


def test_at_the_deadline_a_stream_ends_with_what_there_is(bounded: LiveServer) -> None:
    headers = {"x-request-timeout-ms": "8000", "x-request-id": "late"}
    answer = httpx.post(bounded.url + V1, json=STREAMED, headers=headers, timeout=300)
    wait_idle(bounded)
    *parts, (name, done) = events(answer.text)
    assert name == "done"
    check_late(done)
    told = [data for kind, data in parts if kind == "bullet"]
    assert len(told) == len(done["bullets"][0])
    assert bounded.access_line("late")["status"] == "200"


def check_late(body: dict[str, Any]) -> None:
    """An answer to `ENDLESS` when the time was over."""
    usage = body["usage"][0]
    assert usage["finish_reason"] == "deadline"
    assert 0 < usage["read"] < 1
    assert "x-request-timeout-ms" in usage["more"]
    assert len(body["bullets"][0]) > 10
    assert all(bullet["text"] in LONG for bullet in body["bullets"][0] if bullet["quoted"])


def test_models_that_do_not_stream_say_so(bounded: LiveServer) -> None:
    payload = {"instances": [[5.1, 3.5, 1.4, 0.2]], "parameters": {"stream": True}}
    answer = httpx.post(bounded.url + "/v1/models/iris:predict", json=payload)
    assert answer.status_code == 400
    assert 'unknown parameter "stream"; this model takes none' in answer.json()["error"]


def test_v2_does_not_stream(http: httpx.Client) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [DOCUMENT]}
    answer = http.post("/v2/models/summarizer/infer", json={"inputs": [tensor], "parameters": {"stream": True}})
    assert answer.status_code == 400
    assert 'unknown parameter "stream"' in answer.json()["error"]


def text_of(http: httpx.Client, **parameters: Any) -> str:
    """A prediction by way of a stream, which is never cached."""
    return str(events(http.post(V1, json=body(DOCUMENT, stream=True, **parameters)).text)[-1][1]["predictions"][0])


def test_greedy_and_seeded_answers_repeat(http: httpx.Client) -> None:
    assert text_of(http) == text_of(http)
    assert text_of(http, temperature=1.5, seed=1) == text_of(http, temperature=1.5, seed=1)


def cache_events(http: httpx.Client, event: str) -> float:
    prefix = f'result_cache_total{{event="{event}"}} '
    lines = http.get("/metrics").text.splitlines()
    return next((float(line.removeprefix(prefix)) for line in lines if line.startswith(prefix)), 0.0)


def test_the_second_answer_comes_from_the_cache(http: httpx.Client) -> None:
    before = {event: cache_events(http, event) for event in ("hit", "miss")}
    text = "You pay 11 euros a month. This is asked twice."
    first, second, other, seeded = (
        http.post(V1, json=body(text, **parameters))
        for parameters in ({}, {}, {"max_tokens": 61}, {"temperature": 0.5, "seed": 1})
    )
    assert [answer.headers["x-cache"] for answer in (first, second, other, seeded)] == ["miss", "hit", "miss", "miss"]
    assert first.content == second.content
    assert http.post(V1, json=body(text, temperature=0.5, seed=1)).headers["x-cache"] == "hit"
    for _ in range(2):
        assert "x-cache" not in http.post(V1, json=body(text, temperature=0.5)).headers
    assert {event: cache_events(http, event) - before[event] for event in before} == {"hit": 2, "miss": 3}
    assert "result_cache_bytes 0.0" not in http.get("/metrics").text


def test_the_protocols_share_the_cache(summarizer: LiveServer, http: httpx.Client) -> None:
    text = "You pay 12 euros a month, whichever protocol you use."
    assert http.post(V1, json=body(text)).headers["x-cache"] == "miss"
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [text]}
    answer = http.post("/v2/models/summarizer/infer", json={"inputs": [tensor], "parameters": {"max_tokens": 60}})
    assert answer.headers["x-cache"] == "hit"
    message = infer_request(text, max_tokens=pb.InferParameter(int64_param=60))
    with grpc.insecure_channel(summarizer.grpc_address) as channel:
        response, call = pb_grpc.GRPCInferenceServiceStub(channel).ModelInfer.with_call(message)
    assert dict(call.trailing_metadata())["x-cache"] == "hit"
    summary = next(output for output in response.outputs if output.name == "summary")
    assert summary.contents.bytes_contents[0].decode() == answer.json()["outputs"][0]["data"][0]


def test_two_at_once_are_computed_once(summarizer: LiveServer, http: httpx.Client) -> None:
    payload = {"instances": [LONG[:2_000]], "parameters": {"mode": "fast"}}
    joined = cache_events(http, "joined")
    first: list[httpx.Response] = []
    caller = threading.Thread(target=lambda: first.append(httpx.post(summarizer.url + V1, json=payload, timeout=300)))
    caller.start()
    wait_for(lambda: shows(summarizer, BUSY), "work")
    second = http.post(V1, json=payload)
    caller.join()
    assert (first[0].headers["x-cache"], second.headers["x-cache"]) == ("miss", "joined")
    assert first[0].content == second.content
    assert cache_events(http, "joined") == joined + 1


def test_without_a_cache(bounded: LiveServer) -> None:
    for _ in range(2):
        answer = httpx.post(bounded.url + V1, json=body(DOCUMENT), timeout=300)
        assert answer.status_code == 200
        assert "x-cache" not in answer.headers
    assert "result_cache_bytes 0.0" in httpx.get(bounded.url + "/metrics").text


def test_a_full_queue(bounded: LiveServer) -> None:
    with streamed(bounded):
        for stream in (False, True):
            answer = httpx.post(bounded.url + V1, json=body(DOCUMENT, stream=stream), timeout=300)
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) >= 1
            assert f"try again in {answer.headers['retry-after']} s" in answer.json()["error"]
        with grpc.insecure_channel(bounded.grpc_address) as channel, pytest.raises(grpc.RpcError) as refused:
            pb_grpc.GRPCInferenceServiceStub(channel).ModelInfer(infer_request(DOCUMENT))
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert httpx.post(bounded.url + "/v1/models/iris:predict", json={"instances": [[1, 2, 3, 4]]}).is_success
    wait_idle(bounded)
    assert httpx.post(bounded.url + V1, json=body(DOCUMENT), timeout=300).status_code == 200


def test_a_deadline_stops_the_model(summarizer: LiveServer, http: httpx.Client) -> None:
    answer = http.post(V1, json=ENDLESS, headers={"x-request-timeout-ms": "15000"})
    assert answer.status_code == 200
    check_late(answer.json())
    wait_idle(summarizer)


def test_documents_share_the_time(http: httpx.Client) -> None:
    payload = {**ENDLESS, "instances": [LONG, "You pay 9 euros for towels.", LONG]}
    answer = http.post(V1, json=payload, headers={"x-request-timeout-ms": "20000"}).json()
    assert [usage["finish_reason"] for usage in answer["usage"]] == ["deadline", "stop", "deadline"]
    assert all(answer["bullets"])


def test_what_the_deadline_cut_short_is_not_cached(http: httpx.Client) -> None:
    payload = {"instances": [LONG], "parameters": {"mode": "full"}}
    for _ in range(2):
        answer = http.post(V1, json=payload, headers={"x-request-timeout-ms": "8000"})
        assert answer.json()["usage"][0]["finish_reason"] == "deadline"
        assert answer.headers["x-cache"] == "miss"


def test_liveness_is_answered_while_it_writes(summarizer: LiveServer) -> None:
    with streamed(summarizer):
        for _ in range(20):
            assert httpx.get(summarizer.url + "/v2/health/live", timeout=60).status_code == 200
        assert not shows(summarizer, IDLE)
    wait_idle(summarizer)


def test_a_short_document_does_not_wait_for_a_long_one(summarizer: LiveServer, http: httpx.Client) -> None:
    with streamed(summarizer):
        assert http.post(V1, json=body("You pay 13 euros.", temperature=0.5)).status_code == 200
        assert shows(summarizer, BUSY)
    wait_idle(summarizer)


def test_a_client_that_leaves_stops_the_model(summarizer: LiveServer, http: httpx.Client) -> None:
    content = json.dumps(ENDLESS).encode()
    head = f"POST {V1} HTTP/1.1\r\nhost: x\r\nx-request-id: gone\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", summarizer.http_port), timeout=60) as raw:
        raw.sendall(head.encode() + content)
        wait_for(lambda: shows(summarizer, BUSY), "work")
    assert summarizer.access_line("gone")["status"] == "499"
    wait_idle(summarizer)
    assert http.post(V1, json=body(DOCUMENT, max_tokens=2)).status_code == 200


def test_a_client_that_leaves_a_stream_stops_the_model(summarizer: LiveServer) -> None:
    with streamed(summarizer, **{"x-request-id": "stream-gone"}):
        assert shows(summarizer, BUSY)
    assert summarizer.access_line("stream-gone")["status"] == "499"
    wait_idle(summarizer)


def infer_request(text: str, **parameters: Any) -> Any:
    contents = pb.InferTensorContents(bytes_contents=[text.encode()])
    tensor = pb.ModelInferRequest.InferInputTensor(name="text", datatype="BYTES", shape=[1], contents=contents)
    return pb.ModelInferRequest(model_name="summarizer", inputs=[tensor], parameters=parameters)


def test_a_cancelled_call_stops_the_model(summarizer: LiveServer) -> None:
    parameters = {"mode": pb.InferParameter(string_param="full"), "temperature": pb.InferParameter(string_param="1")}
    with grpc.insecure_channel(summarizer.grpc_address) as channel:
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        call = stub.ModelInfer.future(infer_request(LONG, **parameters))
        wait_for(lambda: shows(summarizer, BUSY), "work")
        call.cancel()
        wait_idle(summarizer)
