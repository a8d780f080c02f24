"""The request log of real servers: what sinks and files get, and that no sink costs an answer."""

import contextlib
import json
import re
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from predictors.serving.model.kserve_api import pb
from tests.event_sink import REQUEST, RESPONSE, EventSink, event_sink
from tests.live import JSON, PATIENCE_SECONDS, LiveServer, pb_grpc, serve, wait_for

FLOWER = [5.5, 3.5, 1.25, 0.25]
BLOB = struct.pack("<4f", *FLOWER)
SECRET = "my name is Ada and I live in Turin"
TOKEN = "a-token-of-a-caller"
INPUT = {"name": "features", "datatype": "FP64", "shape": [1, 4], "data": FLOWER}
V1, V2 = "/v1/models/iris:predict", "/v2/models/iris/infer"
TENSOR = {"name": "x", "shape": [1, 4], "datatype": "FP32", "data": FLOWER}


@pytest.fixture(scope="module")
def sink() -> Iterator[EventSink]:
    with event_sink() as received:
        yield received


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / f"{socket.gethostname()}.jsonl"


@pytest.fixture(scope="module")
def logged(artifacts: object, sink: EventSink, file: Path) -> Iterator[LiveServer]:
    """A server that logs all requests to both kinds of sinks."""
    arguments = (
        "--request_log_url", sink.url, "--request_log_file", str(file.with_name("{host}.jsonl")),
        "--request_log_namespace", "shop", "--request_log_event_bytes", "65536",
    )  # fmt: skip
    with serve("iris", "intent", *arguments) as live:
        yield live.wait_ready()


@pytest.fixture
def http(logged: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=logged.url, timeout=PATIENCE_SECONDS) as client:
        yield client


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def by_v1(http: httpx.Client, live: LiveServer, name: str) -> None:
    answer = http.post(V1, json={"instances": [FLOWER]}, headers={"x-request-id": name})
    assert answer.status_code == 200, answer.text


def by_v2(http: httpx.Client, live: LiveServer, name: str) -> None:
    answer = http.post(V2, json={"id": "their-own", "inputs": [TENSOR]}, headers={"x-request-id": name})
    assert answer.status_code == 200, answer.text


def by_binary_v2(http: httpx.Client, live: LiveServer, name: str) -> None:
    entry = {**TENSOR, "parameters": {"binary_data_size": len(BLOB)}}
    del entry["data"]
    head = json.dumps({"inputs": [entry], "parameters": {"binary_data_output": True}}).encode()
    headers = {"inference-header-content-length": str(len(head)), "x-request-id": name}
    assert http.post(V2, content=head + BLOB, headers=headers).status_code == 200


def by_earlier_path(http: httpx.Client, live: LiveServer, name: str) -> None:
    assert http.post("/predict", json={"features": FLOWER}, headers={"x-request-id": name}).status_code == 200


def by_grpc(http: httpx.Client, live: LiveServer, name: str) -> None:
    tensor = pb.ModelInferRequest.InferInputTensor(
        name="x", datatype="FP32", shape=[1, 4], contents=pb.InferTensorContents(fp32_contents=FLOWER)
    )
    _ask_by_grpc(live, name, pb.ModelInferRequest(model_name="iris", inputs=[tensor]))


def by_raw_grpc(http: httpx.Client, live: LiveServer, name: str) -> None:
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, 4])
    _ask_by_grpc(live, name, pb.ModelInferRequest(model_name="iris", inputs=[tensor], raw_input_contents=[BLOB]))


def _ask_by_grpc(live: LiveServer, name: str, request: Any) -> None:
    with grpc.insecure_channel(live.grpc_address) as channel:
        metadata = (("x-request-id", name), ("authorization", f"Bearer {TOKEN}"))
        pb_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=PATIENCE_SECONDS, metadata=metadata)


@pytest.mark.parametrize("ask", [by_v1, by_v2, by_binary_v2, by_earlier_path, by_grpc, by_raw_grpc])
def test_whatever_the_protocol_the_log_is_the_same(
    ask: Any, http: httpx.Client, logged: LiveServer, sink: EventSink
) -> None:
    name = ask.__name__
    ask(http, logged, name)
    assert sink.data(name, REQUEST) == {"model_name": "iris", "id": name, "inputs": [INPUT]}
    answer = sink.data(name, RESPONSE)
    shapes = {each["name"]: (each["datatype"], each["shape"]) for each in answer.pop("outputs")}
    assert answer == {"model_name": "iris", "model_version": "1", "id": name}
    assert shapes == {"predict": ("INT64", [1]), "label": ("BYTES", [1]), "predict_proba": ("FP64", [1, 3])}


def test_the_file_has_the_events_that_the_sink_has(
    http: httpx.Client, logged: LiveServer, sink: EventSink, file: Path
) -> None:
    by_v1(http, logged, "twice")
    sink.data("twice", RESPONSE)
    sent = {event["type"]: event for event in sink.events if event["id"] == "twice"}
    found = wait_for(lambda: [each for each in lines(file) if each["id"] == "twice"], "the lines")
    assert [each["type"] for each in found] == [REQUEST, RESPONSE]
    for each in found:
        event = sent[each["type"]]
        assert each.pop("data") == event.data
        assert each == dict(event.get_attributes())
        assert each["namespace"] == "shop"
        assert each["inferenceservicename"] == "iris"


def test_texts_and_tokens_stay_here(http: httpx.Client, logged: LiveServer, sink: EventSink, file: Path) -> None:
    headers = {"x-request-id": "private", "authorization": f"Bearer {TOKEN}", "cookie": f"session={TOKEN}"}
    body = {"instances": [SECRET, "hi"]}
    assert http.post("/v1/models/intent:predict", json=body, headers=headers).status_code == 200
    assert sink.data("private", REQUEST)["inputs"] == [
        {"name": "text_length", "datatype": "INT64", "shape": [2], "data": [len(SECRET), 2]}
    ]
    outputs = {each["name"]: each for each in sink.data("private", RESPONSE)["outputs"]}
    assert outputs["predict"]["data"][1] == "greeting"
    wait_for(lambda: "private" in file.read_text(), "the lines")
    everything = file.read_text() + str(sink.headers) + "".join(logged.raw)
    assert SECRET not in everything
    assert TOKEN not in everything


def test_what_failed_is_not_logged(http: httpx.Client, logged: LiveServer, sink: EventSink) -> None:
    for i, body in enumerate((b"{", b'{"instances": [[1, 2, 3, "x"]]}', b'{"instances": []}')):
        answer = http.post(V1, content=body, headers={**JSON, "x-request-id": f"failed-{i}"})
        assert answer.status_code == 400
    by_v1(http, logged, "after")
    sink.data("after", RESPONSE)
    assert not [event for event in sink.events if event["id"].startswith("failed")]


def test_an_id_that_is_no_header_is_replaced(http: httpx.Client, logged: LiveServer, sink: EventSink) -> None:
    answer = http.post(V1, json={"instances": [FLOWER]}, headers=[(b"x-request-id", "é,\tx: y".encode("latin-1"))])
    name = answer.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", name)
    assert sink.data(name, RESPONSE)["id"] == name


def test_a_large_request_has_its_shape_alone(http: httpx.Client, sink: EventSink) -> None:
    answer = http.post(V1, json={"instances": [FLOWER] * 10_000}, headers={"x-request-id": "large"})
    assert answer.status_code == 200
    assert sink.data("large", REQUEST)["inputs"] == [
        {"name": "features", "datatype": "FP64", "shape": [10_000, 4], "parameters": {"left_out": "size"}}
    ]
    assert all("data" not in each for each in sink.data("large", RESPONSE)["outputs"])


def events_counted(url: str) -> dict[tuple[str, str], int]:
    """What became of events, by sink and outcome."""
    text = httpx.get(url + "/metrics").text
    found = re.findall(r'request_log_events_total\{outcome="(\w+)",sink="(\w+)"\} (\d+)', text)
    return {(sink, outcome): int(value) for outcome, sink, value in found}


def test_events_are_counted(http: httpx.Client, logged: LiveServer, sink: EventSink) -> None:
    by_v1(http, logged, "counted")
    sink.data("counted", RESPONSE)
    wait_for(lambda: events_counted(logged.url)["url", "sent"] >= len(sink.events), "the count")
    found = events_counted(logged.url)
    assert {outcome for _, outcome in found} == {"sent", "dropped", "failed"}
    assert sum(value for (_, outcome), value in found.items() if outcome != "sent") == 0


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """The address of a sink that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_sink_that_hangs_costs_its_events_and_nothing_else(artifacts: object, tmp_path: Path) -> None:
    """Requests are answered, memory is bounded, the file gets all events, and the server ends in time."""
    path = tmp_path / "log.jsonl"
    arguments = ("--request_log_file", str(path), "--request_log_redact", "sepal_width,predict_proba")
    with silent() as url, serve("iris", "--request_log_url", f"{url}/?key={TOKEN}", *arguments) as live:
        live.wait_ready()
        with httpx.Client(base_url=live.url, timeout=PATIENCE_SECONDS) as http:
            while not events_counted(live.url)["url", "dropped"]:  # 16 MiB may wait
                assert http.post(V1, json={"instances": [FLOWER] * 10_000}).status_code == 200
            for i in range(50):
                by_v1(http, live, f"id-{i}")
        begun = time.monotonic()
        assert live.terminate() == 0
        assert time.monotonic() - begun < 60  # not three tries of 3 s for each of what waits
    said = [line["message"] for line in live.lines if "request_log_url: " in str(line.get("message"))]
    assert re.fullmatch(r"--request_log_url: \d+ requests were not logged", said[-1])
    assert TOKEN not in "".join(live.raw)
    assert "Traceback" not in "".join(live.raw)
    found = [each for each in lines(path) if each["id"].startswith("id-")]
    assert [each["id"] for each in found] == [f"id-{i}" for i in range(50) for _ in range(2)]
    assert found[0]["data"]["inputs"][0]["data"] == [5.5, None, 1.25, 0.25]
    assert [each["name"] for each in found[1]["data"]["outputs"] if "data" in each] == ["predict", "label"]


def test_by_default_there_is_no_log(server: LiveServer) -> None:
    assert "request_log" not in httpx.get(server.url + "/metrics").text
    assert not any("request_log" in line for line in server.raw)


@pytest.mark.llama
def test_documents_and_summaries_need_consent(artifacts: object, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    document = "The customer pays 5 euros a month for towels. Ada Lovelace may cancel at any time."
    with serve("summarizer", "--request_log_file", str(path)) as live:
        live.wait_ready()
        with httpx.Client(base_url=live.url, timeout=PATIENCE_SECONDS) as http:
            v1 = {"instances": [document], "parameters": {"mode": "fast", "return_text": True, "stream": True}}
            chat = {"max_tokens": 3, "stream": True, "messages": [{"role": "user", "content": document}]}
            for url, body in (
                ("/v1/models/summarizer:predict", v1),
                ("/openai/v1/chat/completions", {**chat, "model": "summarizer"}),
            ):
                answer = http.post(url, json=body)
                assert answer.status_code == 200, answer.text
        assert live.terminate() == 0
    asked = [each["data"]["inputs"] for each in lines(path) if each["type"] == REQUEST]
    size = len(document)
    assert [{each["name"]: each["data"] for each in inputs} for inputs in asked] == [
        {"text_length": [size]},
        {"role": ["user"], "content_length": [size]},
    ]
    answered = [each["data"]["outputs"] for each in lines(path) if each["type"] == RESPONSE]
    assert {each["datatype"] for outputs in answered for each in outputs} == {"INT64", "FP64"}
    assert {"summary_length", "prompt_tokens"} < {each["name"] for each in answered[0]}
    assert not re.search("Ada|customer|towels", path.read_text())
