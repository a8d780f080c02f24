"""Traces over the network: what a collector receives, and what callers, canaries and logs are told."""

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from predictors.client import AsyncClient, Client, Policy
from predictors.serving.model.kserve_api import pb
from tests.live import LiveServer, pb_grpc, serve, start_error, wait_for
from tests.protocol.collector import Collector, attributes, collector

FLOWER = [5.1, 3.5, 1.4, 0.2]
IRIS = "/v1/models/iris:predict"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "a very private sentence"
PATIENT = Policy(timeout=300)
HEDGING = Policy(timeout=300, hedge_after=300)
TRACER = TracerProvider().get_tracer(__name__)
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50"}


@pytest.fixture(scope="module")
def received() -> Iterator[Collector]:
    with collector() as running:
        yield running


@pytest.fixture(scope="module")
def traced(artifacts: object, received: Collector) -> Iterator[LiveServer]:
    """A server that traces all requests, by the environment that OpenTelemetry defines."""
    env = {
        **SOON,
        "OTEL_EXPORTER_OTLP_ENDPOINT": received.url,
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
    }
    with serve("iris", "intent", "--trace_sample_ratio", "1", env=env) as live:
        yield live.wait_ready()


def parts(header: str) -> tuple[str, str, str]:
    """The ids of trace and span, and the flags."""
    found = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])", header)
    assert found, header
    return found[1], found[2], found[3]


def ask(server: LiveServer, rows: Any = (FLOWER,), **headers: str) -> httpx.Response:
    return httpx.post(server.url + IRIS, json={"instances": rows}, headers=headers, timeout=60)


def test_a_request_is_a_tree_of_spans(traced: LiveServer, received: Collector) -> None:
    answer = ask(traced, **{"x-request-id": "traced-1"})
    trace_id, span_id, flags = parts(answer.headers["traceresponse"])
    spans = received.trace(trace_id)
    root = spans.pop("v1 iris")
    assert (root.span_id.hex(), root.parent_span_id, flags) == (span_id, b"", "01")
    assert {*spans} - {"queue"} == {"receive", "decode", "predict", "encode"}  # the first may be computed on a thread
    for span in spans.values():
        assert span.parent_span_id == root.span_id
        assert root.start_time_unix_nano <= span.start_time_unix_nano
        assert span.start_time_unix_nano <= span.end_time_unix_nano <= root.end_time_unix_nano
    found = attributes(root)
    assert found.pop("predictors.request_id") == "traced-1"
    assert found.pop("http.request.body.size") > 0
    assert found == {
        "url.path": IRIS,
        "http.response.status_code": 200,
        "http.response.body.size": len(answer.content),
        "predictors.protocol": "v1",
        "predictors.model": "iris",
        "predictors.version": "1",
    }
    assert received.paths == {"/v1/traces"}
    assert received.resources[0]["service.name"] == "kserve-predictors"
    assert received.resources[0]["deployment.environment"] == "test"
    line = traced.access_line("traced-1")
    assert (line["trace_id"], line["span_id"]) == (trace_id, span_id)


def test_a_callers_trace_goes_on(traced: LiveServer, received: Collector) -> None:
    answer = ask(traced, traceparent=f"00-{TRACE}-{PARENT}-01")
    assert parts(answer.headers["traceresponse"])[::2] == (TRACE, "01")
    assert received.trace(TRACE)["v1 iris"].parent_span_id.hex() == PARENT


def test_a_callers_trace_that_is_not_sampled_has_no_spans(traced: LiveServer, received: Collector) -> None:
    other = TRACE[::-1]
    assert parts(ask(traced, traceparent=f"00-{other}-{PARENT}-00").headers["traceresponse"])[::2] == (other, "00")
    received.trace(parts(ask(traced).headers["traceresponse"])[0])  # which came later, and is there
    assert all(span.trace_id.hex() != other for span in received.spans)


@pytest.mark.parametrize(
    "header", ["rubbish", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-x", "é"]
)
def test_a_wrong_header_counts_as_none(traced: LiveServer, header: str) -> None:
    answer = httpx.post(
        traced.url + IRIS, json={"instances": [FLOWER]}, headers=[(b"traceparent", header.encode())], timeout=60
    )
    assert answer.status_code == 200
    assert parts(answer.headers["traceresponse"])[0] != TRACE


def test_errors_are_marked_and_documents_stay_here(traced: LiveServer, received: Collector) -> None:
    answer = ask(traced, [[SECRET, 1, 1, 1]])
    assert answer.status_code == 400
    root = received.trace(parts(answer.headers["traceresponse"])[0])["v1 iris"]
    assert attributes(root)["http.response.status_code"] == 400
    assert root.status.code == root.status.STATUS_CODE_UNSET  # the client's fault
    late = httpx.post(
        traced.url + "/v1/models/intent:predict", content=b"{", headers={"x-request-timeout-ms": "1"}, timeout=60
    )
    assert "traceresponse" in late.headers
    intent = httpx.post(traced.url + "/v1/models/intent:predict", json={"instances": [SECRET]}, timeout=60)
    received.trace(parts(intent.headers["traceresponse"])[0])
    assert all(SECRET.encode() not in span.SerializeToString() for span in received.spans)


def test_work_on_a_thread_has_a_queue(traced: LiveServer, received: Collector) -> None:
    answer = ask(traced, [FLOWER] * 5000)
    spans = received.trace(parts(answer.headers["traceresponse"])[0])
    assert {*spans} == {"v1 iris", "receive", "decode", "queue", "predict", "encode"}


def test_probes_are_not_traced(traced: LiveServer, received: Collector) -> None:
    probe = httpx.get(traced.url + "/v2/health/ready")
    received.trace(parts(ask(traced).headers["traceresponse"])[0])
    probed = parts(probe.headers["traceresponse"])[0]
    assert all(span.trace_id.hex() != probed for span in received.spans)


def test_grpc_calls_are_traced(traced: LiveServer, received: Collector) -> None:
    tensor = pb.ModelInferRequest.InferInputTensor(
        name="x", datatype="FP32", shape=(1, 4), contents=pb.InferTensorContents(fp32_contents=FLOWER)
    )
    request = pb.ModelInferRequest(model_name="iris", inputs=[tensor])
    trace_id = TRACE.replace("4", "5")
    with grpc.insecure_channel(traced.grpc_address) as channel:
        _, call = pb_grpc.GRPCInferenceServiceStub(channel).ModelInfer.with_call(
            request, timeout=60, metadata=(("traceparent", f"00-{trace_id}-{PARENT}-01"),)
        )
    assert parts(dict(call.trailing_metadata())["traceresponse"])[0] == trace_id
    spans = received.trace(trace_id)
    assert attributes(spans["grpc iris"])["rpc.response.status_code"] == "OK"
    assert {"receive", "decode", "predict", "encode"} < {*spans}


def call_sync(url: str, policy: Policy) -> None:
    with Client(url, policy=policy, trace=inject) as client:
        client.iris([FLOWER])


def call_async(url: str, policy: Policy) -> None:
    async def main() -> None:
        async with AsyncClient(url, policy=policy, trace=inject) as client:
            await client.iris([FLOWER])

    asyncio.run(main())


@pytest.mark.parametrize("scheme", ["http", "grpc"])
@pytest.mark.parametrize("call", [call_sync, call_async])
@pytest.mark.parametrize("policy", [PATIENT, HEDGING], ids=["here", "on a thread or task of its own"])
def test_the_clients_calls_go_on_with_the_trace_of_their_caller(
    traced: LiveServer, received: Collector, call: Callable[[str, Policy], None], policy: Policy, scheme: str
) -> None:
    address = traced.url if scheme == "http" else f"grpc://{traced.grpc_address}"
    with TRACER.start_as_current_span("caller") as span:
        call(address, policy)
    caller = span.get_span_context()
    root = received.trace(f"{caller.trace_id:032x}")["v2 iris" if scheme == "http" else "grpc iris"]
    assert root.parent_span_id.hex() == f"{caller.span_id:016x}"


def test_latencies_lead_to_traces(traced: LiveServer) -> None:
    trace_id = parts(ask(traced).headers["traceresponse"])[0]

    def exemplar() -> bool:
        accept = {"accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2"}
        answer = httpx.get(traced.url + "/metrics", headers=accept)
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        families = text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
        exemplars = [sample.exemplar for family in families for sample in family.samples if sample.exemplar]
        return any(each.labels == {"trace_id": trace_id} for each in exemplars)

    wait_for(exemplar, "the exemplar")
    plain = httpx.get(traced.url + "/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    assert "trace_id" not in plain.text


def test_copies_for_a_canary_go_on_with_the_trace(traced: LiveServer, received: Collector, tmp_path: Path) -> None:
    plan = tmp_path / "shadow.json"
    plan.write_text(json.dumps({"models": {"iris": {"url": traced.url, "percent": 100}}}))
    arguments = ("--otlp_endpoint", received.url, "--trace_sample_ratio", "1", "--shadow_file", str(plan))
    with serve("iris", *arguments, env=SOON) as live:
        live.wait_ready()
        wait_for(lambda: any("shadowing" in str(line.get("message")) for line in live.lines), "the shadow")
        trace_id, span_id, _ = parts(ask(live).headers["traceresponse"])
        copy = wait_for(
            lambda: next((x for x in received.spans if x.trace_id.hex() == trace_id and x.name == "v2 iris"), None),
            "the copy's span",
        )
    assert copy is not None
    assert copy.parent_span_id.hex() == span_id


def test_a_collector_that_is_away_costs_no_answer(artifacts: object) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        away = listener.getsockname()[1]
    arguments = ("--otlp_endpoint", f"http://127.0.0.1:{away}", "--trace_sample_ratio", "1")
    with serve("iris", *arguments, env=SOON) as live:
        live.wait_ready()
        assert [ask(live).status_code for _ in range(50)] == [200] * 50
        assert live.terminate() == 0


def test_without_a_collector_nothing_is_traced(server: LiveServer) -> None:
    assert "traceresponse" not in ask(server, traceparent=f"00-{TRACE}-{PARENT}-01").headers


def test_an_endpoint_that_is_no_address_is_refused() -> None:
    assert "--otlp_endpoint must begin with http" in start_error("iris", "--otlp_endpoint", "collector:4317")


@pytest.mark.llama
def test_streams_have_prefill_and_generation(artifacts: object, received: Collector) -> None:
    arguments = ("--otlp_endpoint", received.url, "--trace_sample_ratio", "1")
    with serve("summarizer", *arguments, env=SOON) as live:
        live.wait_ready()
        body = {
            "model": "summarizer",
            "max_tokens": 4,
            "stream": True,
            "messages": [{"role": "user", "content": SECRET}],
        }
        answer = httpx.post(f"{live.url}/openai/v1/chat/completions", json=body, timeout=300)
        spans = received.trace(parts(answer.headers["traceresponse"])[0])
        with (
            TRACER.start_as_current_span("caller") as span,
            Client(live.url, policy=PATIENT, trace=inject) as client,
            client.stream_summary(SECRET) as stream,
        ):
            assert [*stream]
        streamed = received.trace(f"{span.get_span_context().trace_id:032x}")
    assert "v1 summarizer" in streamed
    assert {"openai summarizer", "queue", "prefill", "generate"} < {*spans}
    assert spans["prefill"].end_time_unix_nano == spans["generate"].start_time_unix_nano
    assert all(SECRET.encode() not in span.SerializeToString() for span in spans.values())
