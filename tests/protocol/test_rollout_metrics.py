"""What a rollout measures of real servers."""

import re
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest

from predictors.rollout.kube.api import Object, Unavailable
from predictors.rollout.metrics.identity import Identity, identity
from predictors.rollout.metrics.meter import Meter
from predictors.rollout.metrics.pods import PodSource
from predictors.rollout.signals import Distribution, Interval, Rate, Shares
from predictors.serving.model.kserve_api import pb
from tests.live import LiveServer, pb_grpc, serve
from tests.protocol.test_summarizer_serving import DOCUMENT, ENDLESS, V1
from tests.waiting import until

FLOWER = [5.1, 3.5, 1.4, 0.2]
PREDICT = "/v1/models/iris:predict"
STABLE, CANARY, GONE = (
    {"metadata": {"name": name, "namespace": "ns", "uid": name}} for name in ("stable", "canary", "gone")
)


class HttpPods:
    """Pods are servers, by name."""

    def __init__(self, servers: dict[str, LiveServer]) -> None:
        self._servers = servers

    def get(self, pod: Object, path: str) -> tuple[int, str]:
        server = self._servers.get(pod["metadata"]["name"])
        if server is None:
            raise Unavailable("there is no such pod")
        answer = httpx.get(server.url + path, timeout=60)
        return answer.status_code, answer.text


@pytest.fixture(scope="module")
def other(artifacts: object) -> Iterator[LiveServer]:
    """A server whose models may be unloaded."""
    with serve("iris", "intent", "--enable_repository") as live:
        yield live.wait_ready()


@pytest.fixture
def pods(server: LiveServer, other: LiveServer) -> HttpPods:
    return HttpPods({"stable": server, "canary": other})


def verb(server: LiveServer, name: str) -> None:
    httpx.post(f"{server.url}/v2/repository/models/iris/{name}", timeout=60).raise_for_status()


def ask_v1(server: LiveServer, *rows: Any) -> int:
    return httpx.post(server.url + PREDICT, json={"instances": list(rows)}, timeout=60).status_code


def ask_v2(server: LiveServer, *rows: Any) -> int:
    tensor = {"name": "x", "datatype": "FP64", "shape": [len(rows), 4], "data": list(rows)}
    return httpx.post(f"{server.url}/v2/models/iris/infer", json={"inputs": [tensor]}, timeout=60).status_code


def ask_grpc(server: LiveServer, data: list[float]) -> str:
    tensor = pb.ModelInferRequest.InferInputTensor(
        name="x", datatype="FP32", shape=(1, 4), contents=pb.InferTensorContents(fp32_contents=data)
    )
    with grpc.insecure_channel(server.grpc_address) as channel:
        try:
            pb_grpc.GRPCInferenceServiceStub(channel).ModelInfer(
                pb.ModelInferRequest(model_name="iris", inputs=[tensor]), timeout=60
            )
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


def test_requests_are_measured_by_variant(server: LiveServer, other: LiveServer, pods: HttpPods) -> None:
    meter = Meter(PodSource(pods), "iris")
    assert meter.look([STABLE, GONE], [CANARY], 10, 1000.0) is None
    assert [ask_v1(server, FLOWER) for _ in range(5)] == [200] * 5
    assert httpx.post(
        f"{other.url}/v1/models/intent:predict", json={"instances": ["hello"]}
    ).is_success  # another model
    assert (ask_v1(other, FLOWER, FLOWER), ask_v2(other, FLOWER), ask_grpc(other, FLOWER)) == (200, 200, "OK")
    assert (ask_v1(other, "rubbish"), ask_grpc(other, [])) == (400, "INVALID_ARGUMENT")
    verb(other, "unload")
    assert (ask_v1(other, FLOWER), ask_grpc(other, FLOWER)) == (503, "UNAVAILABLE")
    verb(other, "load")

    interval = meter.look([STABLE, GONE], [CANARY], 10, 1005.0)

    assert isinstance(interval, Interval)
    assert (interval.start, interval.end, interval.weight) == (1000.0, 1005.0, 10)
    assert meter.faults == ("/metrics of pod gone cannot be read: there is no such pod",)
    assert interval.stable["errors"] == Rate(0, 5)
    assert interval.canary["errors"] == Rate(2, 5)
    assert interval.stable["labels"] == Shares({"setosa": 5, "versicolor": 0, "virginica": 0})
    assert interval.canary["labels"] == Shares({"setosa": 4, "versicolor": 0, "virginica": 0})
    latency, confidence = interval.canary["latency"], interval.canary["confidence"]
    assert isinstance(latency, Distribution)
    assert isinstance(confidence, Distribution)
    assert (latency.total, confidence.total) == (7, 4)
    assert len(latency.bounds) == 69
    assert 0 < latency.sum < 60
    assert {*interval.canary} == {"errors", "labels", "latency", "confidence"}


def test_a_server_that_was_started_again_begins_at_zero(artifacts: object) -> None:
    servers: dict[str, LiveServer] = {}
    meter = Meter(PodSource(HttpPods(servers)), "iris")
    with serve("iris") as first:
        servers["canary"] = first.wait_ready()
        assert [ask_v1(first, FLOWER) for _ in range(7)] == [200] * 7
        meter.look([], [CANARY], 10, 1000.0)
    with serve("iris") as second:
        servers["canary"] = second.wait_ready()
        assert [ask_v1(second, FLOWER) for _ in range(9)] == [200] * 9
        interval = meter.look([], [CANARY], 10, 1005.0)
    assert interval is not None
    assert interval.canary["errors"] == Rate(0, 9)


def test_what_a_pod_serves(other: LiveServer, pods: HttpPods) -> None:
    assert identity(pods, STABLE, "iris") == Identity(True, "1", "")
    assert identity(pods, GONE, "iris") == Identity(False, "", "pod gone cannot be asked: there is no such pod")
    found = identity(pods, STABLE, "nonesuch")
    assert not found.ready
    assert "nonesuch" in found.message
    verb(other, "unload")
    try:
        found = identity(pods, CANARY, "iris")
    finally:
        verb(other, "load")
    assert (found.ready, found.version) == (False, "")
    assert found.message.startswith("pod canary is not ready: ")
    assert "unloaded" in found.message
    assert identity(pods, CANARY, "iris").version == "1"


def _late_is_counted(metrics: str) -> bool:
    summaries = re.search(r'^summarizer_summaries_total\{.*outcome="deadline".*\} (\S+)$', metrics, re.M)
    return summaries is not None and float(summaries[1]) > 0


@pytest.mark.llama
def test_summaries_are_measured(summarizer: LiveServer) -> None:
    meter = Meter(PodSource(HttpPods({"canary": summarizer})), "summarizer")
    meter.look([], [CANARY], 10, 1000.0)
    with httpx.Client(base_url=summarizer.url, timeout=300) as http:
        answer = http.post(V1, json={"instances": [DOCUMENT], "parameters": {"temperature": 0.3, "seed": 7}}).json()
        late = http.post(V1, json=ENDLESS, headers={"x-request-timeout-ms": "8000"}).json()
        assert late["usage"][0]["finish_reason"] == "deadline"
        until(lambda: _late_is_counted(http.get("/metrics").text), "the late request and its summary to be counted")
    interval = meter.look([], [CANARY], 10, 1005.0)
    assert interval is not None
    seen = interval.canary
    points = [*answer["bullets"][0], *late["bullets"][0]]
    quoted = sum(point["quoted"] for point in points)
    assert seen["errors"] == Rate(0, 2)
    assert seen["summary_cut"] == Rate(1, 2)
    assert seen["summary_empty"] == Rate(0, 1)
    assert seen["summary_quoted"] == Rate(quoted, len(points))
    answered = 1 + (late["usage"][0]["completion_tokens"] > 0)  # on a slow machine, the late one had no answer at all
    for name, count, total in (
        ("summary_points", 2, len(points)),
        ("tokens_per_second", answered, None),
        ("time_to_first_token", answered, None),
    ):
        signal = seen[name]
        assert isinstance(signal, Distribution)
        assert signal.total == count
        assert signal.sum > 0 if total is None else signal.sum == total
    assert {*seen} == {
        "errors", "latency", "summary_points", "summary_empty", "summary_cut", "summary_quoted", "tokens_per_second",
        "time_to_first_token",
    }  # fmt: skip
