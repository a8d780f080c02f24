"""The summarizer with its real default model."""

import json
import socket
import threading
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import psutil
import pytest

from predictors.serving.kserve_api import pb
from predictors.summarizer.fetch import EXAMPLE
from tests.live import LiveServer, pb_grpc, serve, wait_for

DOCUMENT = (
    "You agree to pay 9 euros a month. We may change the price at any time. We share your address with our partners. "
    "You can cancel with 30 days of notice. Disputes are settled by arbitration."
)
V1 = "/v1/models/summarizer:predict"


@pytest.fixture(scope="module")
def http(summarizer: LiveServer) -> Any:
    with httpx.Client(base_url=summarizer.url, timeout=300) as client:
        yield client


def summarize(http: httpx.Client, *documents: Any, **parameters: Any) -> httpx.Response:
    return http.post(V1, json={"instances": list(documents), "parameters": {"max_tokens": 24, **parameters}})


def test_v1(http: httpx.Client) -> None:
    answer = summarize(http, DOCUMENT, {"text": EXAMPLE})
    body = answer.json()
    assert set(body) == {"predictions", "usage", "model_version"}
    assert all(text.strip() for text in body["predictions"])
    assert len(body["usage"]) == 2
    for usage in body["usage"]:
        assert set(usage) == {"prompt_tokens", "completion_tokens", "finish_reason"}
        assert 0 < usage["completion_tokens"] <= 24
        assert usage["finish_reason"] in ("stop", "length")
    assert body["usage"][0]["prompt_tokens"] > body["usage"][1]["prompt_tokens"] > 20
    assert body["model_version"] == answer.headers["x-model-version"] == "1"


def test_v2(http: httpx.Client) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [DOCUMENT]}
    body = http.post("/v2/models/summarizer/infer", json={"inputs": [tensor], "parameters": {"max_tokens": 5}}).json()
    found = {entry["name"]: entry for entry in body["outputs"]}
    assert [(name, entry["datatype"], entry["shape"]) for name, entry in found.items()] == [
        ("summary", "BYTES", [1]), ("prompt_tokens", "INT64", [1]), ("completion_tokens", "INT64", [1]), ("finish_reason", "BYTES", [1]),
    ]  # fmt: skip
    assert found["completion_tokens"]["data"] == [5]
    assert found["finish_reason"]["data"] == ["length"]
    assert body["parameters"] == {"max_tokens": 5}


def test_grpc_takes_fractions_as_strings(summarizer: LiveServer) -> None:
    tensor = pb.ModelInferRequest.InferInputTensor(
        name="text", datatype="BYTES", shape=[1], contents=pb.InferTensorContents(bytes_contents=[DOCUMENT.encode()])
    )
    parameters = {
        "max_tokens": pb.InferParameter(int64_param=4),
        "temperature": pb.InferParameter(string_param="0.5"),
        "seed": pb.InferParameter(int64_param=7),
    }
    with grpc.insecure_channel(summarizer.grpc_address) as channel:
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        response = stub.ModelInfer(
            pb.ModelInferRequest(model_name="summarizer", inputs=[tensor], parameters=parameters)
        )
    assert response.outputs[0].contents.bytes_contents[0]
    assert list(response.outputs[2].contents.int64_contents) == [4]


def test_greedy_and_seeded_answers_repeat(http: httpx.Client) -> None:
    def text(**parameters: Any) -> str:
        return str(summarize(http, DOCUMENT, **parameters).json()["predictions"][0])

    assert text() == text()
    assert text(temperature=1.5, seed=1) == text(temperature=1.5, seed=1)
    assert len({text(temperature=1.5, seed=seed) for seed in range(4)}) > 1


def test_stop_ends_the_answer_before_its_text(http: httpx.Client) -> None:
    whole = str(summarize(http, DOCUMENT).json()["predictions"][0])
    stop = whole.split()[2]
    body = summarize(http, DOCUMENT, stop=[stop]).json()
    assert body["usage"][0]["finish_reason"] == "stop"
    assert body["predictions"][0] == whole[: whole.index(stop)].strip()


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"max_tokens": 0}, '"max_tokens" is wrong'),
        ({"max_tokens": "many"}, '"max_tokens" is wrong'),
        ({"max_tokens": True}, "not a boolean"),
        ({"temperature": -1}, '"temperature" is wrong'),
        ({"temperature": 5}, '"temperature" is wrong'),
        ({"temperature": "nan"}, '"temperature" is wrong'),
        ({"seed": -1}, '"seed" is wrong'),
        ({"seed": 2**32 - 1}, '"seed" is wrong'),
        ({"stop": [""]}, '"stop" is wrong'),
        ({"stop": ["a"] * 9}, '"stop" is wrong'),
        ({"stop": [5]}, '"stop.0" is wrong'),
        ({"colour": "red"}, 'unknown parameter "colour"; allowed are max_tokens'),
    ],
)
def test_bad_parameters(http: httpx.Client, parameters: dict[str, Any], says: str) -> None:
    answer = summarize(http, DOCUMENT, **parameters)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_a_prompt_that_cannot_fit_is_refused_with_both_numbers(http: httpx.Client) -> None:
    answer = summarize(http, "word " * 9000)
    assert answer.status_code == 400
    assert "8192" in answer.json()["error"]
    assert "a prompt of 9" in answer.json()["error"]
    assert summarize(http, DOCUMENT, max_tokens=9000).status_code == 400


def test_control_tokens_in_a_document_stay_text(http: httpx.Client) -> None:
    plain = summarize(http, "a b").json()["usage"][0]["prompt_tokens"]
    quoted = summarize(http, "a <|im_end|> b").json()["usage"][0]["prompt_tokens"]
    assert quoted > plain + 2  # one control token would be plain + 1


def test_a_deadline_stops_the_model(http: httpx.Client) -> None:
    answer = http.post(
        V1,
        json={"instances": [DOCUMENT], "parameters": {"max_tokens": 4000, "temperature": 2.0, "seed": 1}},
        headers={"x-request-timeout-ms": "300"},
    )
    assert answer.status_code == 504
    assert "deadline" in answer.json()["error"]
    assert wait_for(
        lambda: 'model_requests_in_flight{model_name="summarizer"} 0.0' in http.get("/metrics").text, "an idle model"
    )


ENDLESS = {"instances": [DOCUMENT], "parameters": {"max_tokens": 7000, "temperature": 2.0, "seed": 3}}
BUSY = 'model_requests_in_flight{model_name="summarizer"} 1.0'
IDLE = 'model_requests_in_flight{model_name="summarizer"} 0.0'


def is_in_metrics(server: LiveServer, line: str) -> bool:
    return line in httpx.get(server.url + "/metrics", timeout=60).text


def test_liveness_is_answered_while_it_writes(summarizer: LiveServer, http: httpx.Client) -> None:
    answers: list[httpx.Response] = []
    patience = {"x-request-timeout-ms": "4000"}
    caller = threading.Thread(target=lambda: answers.append(http.post(V1, json=ENDLESS, headers=patience)))
    caller.start()
    wait_for(lambda: is_in_metrics(summarizer, BUSY), "work")
    probes = 0
    while not answers:
        assert httpx.get(summarizer.url + "/v2/health/live", timeout=60).status_code == 200
        probes += 1
    caller.join()
    assert probes > 1
    assert answers[0].status_code == 504
    wait_for(lambda: is_in_metrics(summarizer, IDLE), "an idle model")


def test_a_client_that_leaves_stops_the_model(summarizer: LiveServer, http: httpx.Client) -> None:
    body = json.dumps(ENDLESS).encode()
    head = f"POST {V1} HTTP/1.1\r\nhost: x\r\nx-request-id: gone\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", summarizer.http_port), timeout=60) as raw:
        raw.sendall(head.encode() + body)
        wait_for(lambda: is_in_metrics(summarizer, BUSY), "work")
    assert summarizer.access_line("gone")["status"] == "499"
    wait_for(lambda: is_in_metrics(summarizer, IDLE), "an idle model")
    assert summarize(http, DOCUMENT, max_tokens=2).status_code == 200


def test_a_cancelled_call_stops_the_model(summarizer: LiveServer) -> None:
    contents = pb.InferTensorContents(bytes_contents=[DOCUMENT.encode()])
    tensor = pb.ModelInferRequest.InferInputTensor(name="text", datatype="BYTES", shape=[1], contents=contents)
    parameters = {"max_tokens": pb.InferParameter(int64_param=7000), "temperature": pb.InferParameter(string_param="2")}
    with grpc.insecure_channel(summarizer.grpc_address) as channel:
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        call = stub.ModelInfer.future(
            pb.ModelInferRequest(model_name="summarizer", inputs=[tensor], parameters=parameters)
        )
        wait_for(lambda: is_in_metrics(summarizer, BUSY), "work")
        call.cancel()
        wait_for(lambda: is_in_metrics(summarizer, IDLE), "an idle model")


def test_tokens_are_counted(http: httpx.Client) -> None:
    def counted(kind: str) -> float:
        prefix = f'summarizer_tokens_total{{kind="{kind}"}} '
        return float(
            next(
                (
                    line.removeprefix(prefix)
                    for line in http.get("/metrics").text.splitlines()
                    if line.startswith(prefix)
                ),
                0,
            )
        )

    before = counted("prompt"), counted("completion")
    usage = summarize(http, DOCUMENT).json()["usage"][0]
    assert counted("prompt") == before[0] + usage["prompt_tokens"]
    assert counted("completion") == before[1] + usage["completion_tokens"]


def test_memory_is_model_and_cache_and_little_else(summarizer: LiveServer, artifacts: Path, http: httpx.Client) -> None:
    summarize(http, "The customer pays. " * 900, max_tokens=2)
    rss = psutil.Process(summarizer.process.pid).memory_info().rss
    model = (artifacts / "summarizer/SmolLM2-135M-Instruct.Q4_1.gguf").stat().st_size
    kv_cache = 8192 * 30 * 2 * (3 * 64) * 2  # tokens x layers x (K, V) x (KV heads x head size) x bytes of FP16
    assert rss < model + kv_cache + 200e6


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not a model", "model.gguf is not a GGUF file"),
        (b"GGUF", "model.gguf cannot be loaded"),
        (b"GGUF\x03\0\0\0" + b"\xff" * 64, "model.gguf cannot be loaded"),
        (None, "model.gguf cannot be read: No such file or directory"),
    ],
)
def test_a_bad_gguf_is_a_reason(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with serve("summarizer", "--gguf", str(path)) as live:
        reason = wait_for(lambda: unready(live, "loading"), "a reason")
        assert says in reason
        assert str(tmp_path) not in reason
        assert httpx.get(live.url + "/v2/health/live").status_code == 200
        assert httpx.post(live.url + V1, json={"instances": ["a"]}).status_code == 503


def unready(live: LiveServer, besides: str) -> str:
    answer = httpx.get(live.url + "/v2/health/ready")
    reason = str(answer.json().get("error", ""))
    return "" if reason.endswith(besides) else reason


def test_a_truncated_gguf_is_a_reason(tmp_path: Path, artifacts: Path) -> None:
    whole = (artifacts / "summarizer/SmolLM2-135M-Instruct.Q4_1.gguf").read_bytes()
    path = tmp_path / "half.gguf"
    path.write_bytes(whole[: len(whole) // 2])
    with serve("summarizer", "--gguf", str(path)) as live:
        assert "half.gguf cannot be loaded" in wait_for(lambda: unready(live, "loading"), "a reason")


def test_a_digest_cannot_be_pinned_for_a_loose_file(artifacts: Path) -> None:
    path = artifacts / "summarizer/SmolLM2-135M-Instruct.Q4_1.gguf"
    with serve("summarizer", "--gguf", str(path), "--artifact_digest", "sha256:" + "0" * 64) as live:
        assert "cannot vouch for --gguf" in wait_for(lambda: unready(live, "loading"), "a reason")


def test_a_gguf_of_ones_own(artifacts: Path) -> None:
    path = artifacts / "summarizer/SmolLM2-135M-Instruct.Q4_1.gguf"
    with serve("summarizer", "--gguf", str(path), "--context_tokens", "256", "--threads", "1") as live:
        live.wait_ready()
        metadata = httpx.get(live.url + "/v2/models/summarizer").json()
        assert metadata["versions"] == ["b179c9523d0e"]
        answer = httpx.post(
            live.url + V1, json={"instances": ["word " * 300], "parameters": {"max_tokens": 2}}, timeout=60
        )
        assert "context of 256" in answer.json()["error"]
        answer = httpx.post(live.url + V1, json={"instances": [EXAMPLE], "parameters": {"max_tokens": 2}}, timeout=60)
        assert np.shape(answer.json()["predictions"]) == (1,)
