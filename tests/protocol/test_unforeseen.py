"""What nobody foresaw: a predictor with a fault, behind the real application and the real gRPC server."""

import asyncio
import io
import json
import logging
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import grpc
import httpx
import pytest

from predictors.serving.model.kserve_api import pb
from predictors.serving.server import Server
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.logs import configure_logging
from tests.live import pb_grpc
from tests.unit.serving.dispatch.test_registry import Paced

BODY = {"instances": ["fail"]}


TRACES = ["a" * 32, "b" * 32, None, "c" * 32]
"""Of the requests of a connection; of none, nothing is sent, as none is sampled."""


def faulty_server(**settings: Any) -> Server:
    return Server([Paced()], ServerSettings(host="127.0.0.1", http_port=0, grpc_port=0, **settings), log_json=True)


def tracing_server() -> Server:
    return faulty_server(otlp_endpoint="http://127.0.0.1:9", trace_sample_ratio=0)


def traceparent(trace: str | None) -> dict[str, str]:
    return {} if trace is None else {"traceparent": f"00-{trace}-{'d' * 16}-00"}


@asynccontextmanager
async def rest(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its REST port; it serves until the block ends."""
    await server.registry.load_all()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await server.http.start(listener)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
    await server.http.stop(0, lambda: True)
    server.registry.close()


@asynccontextmanager
async def grpc_call(server: Server) -> AsyncIterator[Any]:
    """A call that fails on its gRPC port, given metadata; it serves until the block ends."""
    await server.registry.load_all()
    assert server.grpc is not None
    port = await server.grpc.start()
    contents = pb.InferTensorContents(bytes_contents=[b"fail"])
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="BYTES", shape=[1], contents=contents)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        infer = pb_grpc.GRPCInferenceServiceStub(channel).ModelInfer
        yield partial(infer, pb.ModelInferRequest(model_name="paced", inputs=[tensor]))
    await server.grpc.stop(0, lambda: True)
    server.registry.close()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The process's log, as JSON."""
    root, lines = logging.getLogger(), io.StringIO()
    level = root.level
    monkeypatch.setattr(root, "handlers", [])
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", lines)
        configure_logging("error", json=True)
    yield lines
    root.setLevel(level)


def test_rest_gives_an_id_and_no_detail(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> httpx.Response:
        async with rest(faulty_server()) as client:
            answer = await client.post("/v1/models/paced:predict", json=BODY)
            good = await client.post("/v1/models/paced:predict", json={"instances": ["a"]})
        assert good.json() == {"predictions": ["a"], "model_version": "1"}
        return answer

    with caplog.at_level(logging.ERROR):
        answer = asyncio.run(scenario())
    assert answer.status_code == 500
    request_id = answer.headers["x-request-id"]
    assert answer.json() == {"error": f"internal error; the request id is {request_id}"}
    assert request_id in caplog.text
    assert "RuntimeError: unforeseen" in caplog.text


def test_what_is_logged_of_a_rest_request_names_its_trace(log: io.StringIO) -> None:
    async def scenario() -> None:
        async with rest(tracing_server()) as client:
            for trace in TRACES:
                await client.post("/v1/models/paced:predict", json=BODY, headers=traceparent(trace))

    asyncio.run(scenario())
    faults = [json.loads(line) for line in log.getvalue().splitlines() if "unforeseen" in line]
    assert [fault.get("trace_id") for fault in faults] == TRACES
    assert [len(fault.get("span_id", "")) for fault in faults] == [16, 16, 0, 16]


def test_what_is_logged_of_a_grpc_call_names_its_trace(log: io.StringIO) -> None:
    async def scenario() -> None:
        async with grpc_call(tracing_server()) as call:
            for trace in TRACES:
                with pytest.raises(grpc.RpcError):
                    await call(metadata=tuple(traceparent(trace).items()))

    asyncio.run(scenario())
    faults = [json.loads(line) for line in log.getvalue().splitlines() if "unforeseen" in line]
    assert [fault.get("trace_id") for fault in faults] == TRACES


def test_grpc_gives_an_id_and_no_detail(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> Any:
        async with grpc_call(faulty_server()) as call:
            with pytest.raises(grpc.RpcError) as caught:
                await call()
        return caught.value

    with caplog.at_level(logging.ERROR):
        error = asyncio.run(scenario())
    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details().startswith("internal error; the request id is ")
    assert "RuntimeError" not in error.details()
    assert "RuntimeError: unforeseen" in caplog.text
