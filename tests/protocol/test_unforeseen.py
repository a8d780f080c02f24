"""What nobody foresaw: a predictor with a fault, behind the real application and the real gRPC server."""

import asyncio
import logging
import socket
from typing import Any

import grpc
import httpx
import pytest

from predictors.serving.model.kserve_api import pb
from predictors.serving.server import Server
from predictors.serving.settings import ServerSettings
from tests.live import pb_grpc
from tests.unit.serving.dispatch.test_registry import Paced

BODY = {"instances": ["fail"]}


def faulty_server() -> Server:
    return Server([Paced()], ServerSettings(host="127.0.0.1", http_port=0, grpc_port=0), log_json=True)


def test_rest_gives_an_id_and_no_detail(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> httpx.Response:
        server = faulty_server()
        await server.registry.load_all()
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        await server.http.start(listener)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            answer = await client.post("/v1/models/paced:predict", json=BODY)
            good = await client.post("/v1/models/paced:predict", json={"instances": ["a"]})
        await server.http.stop(0, lambda: True)
        server.registry.close()
        assert good.json() == {"predictions": ["a"], "model_version": "1"}
        return answer

    with caplog.at_level(logging.ERROR):
        answer = asyncio.run(scenario())
    assert answer.status_code == 500
    request_id = answer.headers["x-request-id"]
    assert answer.json() == {"error": f"internal error; the request id is {request_id}"}
    assert request_id in caplog.text
    assert "RuntimeError: unforeseen" in caplog.text


def test_grpc_gives_an_id_and_no_detail(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> Any:
        server = faulty_server()
        await server.registry.load_all()
        assert server.grpc is not None
        port = await server.grpc.start()
        contents = pb.InferTensorContents(bytes_contents=[b"fail"])
        tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="BYTES", shape=[1], contents=contents)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(grpc.RpcError) as caught:
                await pb_grpc.GRPCInferenceServiceStub(channel).ModelInfer(
                    pb.ModelInferRequest(model_name="paced", inputs=[tensor])
                )
        await server.grpc.stop(0, lambda: True)
        server.registry.close()
        return caught.value

    with caplog.at_level(logging.ERROR):
        error = asyncio.run(scenario())
    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details().startswith("internal error; the request id is ")
    assert "RuntimeError" not in error.details()
    assert "RuntimeError: unforeseen" in caplog.text
