"""What a stream sends: one V1 or gRPC request for iris, and a look at its answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import httpx

from predictors.serving.model.kserve_api import pb
from tests.cluster.gateway import IRIS_ROW, TIMEOUT_SECONDS, V1_BODIES, Gateway
from tests.cluster.traffic import Answer, Connect, Send
from tests.live import pb_grpc

# As from several clients, each with a connection of its own that it keeps.
CONNECTIONS = 16
_SETOSA = 0


def rest(gateway: Gateway, model: str, namespace: str) -> Connect:
    """V1 over HTTP on connections that are kept open."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Send]:
        async with gateway.rest_async(model, namespace, CONNECTIONS) as client:

            async def send() -> Answer:
                try:
                    return _look(await client.post(f"/v1/models/{model}:predict", json=V1_BODIES["iris"]))
                except httpx.TransportError as error:
                    return Answer(fault=f"no answer: {type(error).__name__} {error}")

            yield send

    return connect


def _look(response: httpx.Response) -> Answer:
    if response.status_code != 200 or response.json().get("predictions") != [_SETOSA]:
        return Answer(fault=f"status {response.status_code}: {response.text[:200]}")
    return Answer(version=response.headers["x-model-version"])


def over_grpc(gateway: Gateway, model: str, namespace: str) -> Connect:
    """V2 over gRPC on one connection."""
    contents = pb.InferTensorContents(fp64_contents=IRIS_ROW)
    tensor = pb.ModelInferRequest.InferInputTensor(name="features", datatype="FP64", shape=[1, 4], contents=contents)
    request = pb.ModelInferRequest(model_name=model, inputs=[tensor])

    @asynccontextmanager
    async def connect() -> AsyncIterator[Send]:
        options = [("grpc.default_authority", gateway.host(model, namespace)), ("grpc.enable_retries", 0)]
        async with grpc.aio.insecure_channel(str(gateway.address("http")), options=options) as channel:
            stub = pb_grpc.GRPCInferenceServiceStub(channel)

            async def send() -> Answer:
                try:
                    answer = await stub.ModelInfer(request, timeout=TIMEOUT_SECONDS)
                except grpc.aio.AioRpcError as error:
                    return Answer(fault=f"{error.code().name}: {error.details()}")
                if list(answer.outputs[0].contents.int64_contents) != [_SETOSA]:
                    return Answer(fault=f"wrong answer: {answer.outputs}")
                return Answer(version=answer.model_version)

            yield send

    return connect
