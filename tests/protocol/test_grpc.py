import time
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from hypothesis import given, settings
from hypothesis import strategies as st

from predictors.serving.model.kserve_api import pb
from tests.live import LiveServer, pb_grpc
from tests.unit.serving.protocols.test_codecs_properties import messages

FLOWER = [5.1, 3.5, 1.4, 0.2]
FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
FIELDS = {"FP32": "fp32_contents", "FP64": "fp64_contents", "INT64": "int64_contents", "INT8": "int_contents",
          "INT16": "int_contents", "INT32": "int_contents", "BYTES": "bytes_contents"}  # fmt: skip


@pytest.fixture(scope="module")
def channel(server: LiveServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.Channel) -> Any:
    return pb_grpc.GRPCInferenceServiceStub(channel)


def tensor(data: Any, datatype: str = "FP32", shape: Any = (1, 4), name: str = "x") -> Any:
    contents = pb.InferTensorContents(**{FIELDS[datatype]: data})
    return pb.ModelInferRequest.InferInputTensor(name=name, datatype=datatype, shape=shape, contents=contents)


def request(*inputs: Any, model: str = "iris", **fields: Any) -> Any:
    return pb.ModelInferRequest(model_name=model, inputs=inputs, **fields)


def by_name(response: Any) -> dict[str, Any]:
    return {output.name: output for output in response.outputs}


def test_iris(stub: Any) -> None:
    response = stub.ModelInfer(request(tensor([*FLOWER, 6.3, 3.3, 6.0, 2.5], shape=(2, 4)), id="a"))
    found = by_name(response)
    assert (response.model_name, response.model_version, response.id) == ("iris", "1", "a")
    assert list(found["predict"].contents.int64_contents) == [0, 2]
    assert list(found["label"].contents.bytes_contents) == [b"setosa", b"virginica"]
    assert list(found["predict_proba"].shape) == [2, 3]
    assert not response.raw_output_contents


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "INT8", "INT16", "INT32", "INT64"])
def test_iris_datatypes(stub: Any, datatype: str) -> None:
    response = stub.ModelInfer(request(tensor([5, 3, 1, 0], datatype)))
    assert list(by_name(response)["predict"].contents.int64_contents) == [0]


def test_raw_both_ways(stub: Any) -> None:
    entry = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, 4])
    raw = np.array(FLOWER, dtype="<f4").tobytes()
    response = stub.ModelInfer(request(entry, raw_input_contents=[raw]))
    assert np.frombuffer(response.raw_output_contents[0], dtype="<i8").tolist() == [0]
    assert response.raw_output_contents[1][4:] == b"setosa"


def test_one_tensor_a_feature(stub: Any) -> None:
    inputs = [tensor([value], "FP64", (1,), name) for name, value in zip(FEATURES, FLOWER, strict=True)]
    assert list(by_name(stub.ModelInfer(request(*inputs)))["predict"].contents.int64_contents) == [0]


def test_intent_and_requested_outputs(stub: Any) -> None:
    wanted = [pb.ModelInferRequest.InferRequestedOutputTensor(name="predict")]
    entry = tensor([b"where is my parcel", b"asdf"], "BYTES", (2, 1), "text")
    response = stub.ModelInfer(request(entry, model="intent", outputs=wanted))
    assert [output.name for output in response.outputs] == ["predict"]
    assert list(response.outputs[0].contents.bytes_contents) == [b"question", b"unknown"]


def test_parameters_are_given_back(stub: Any) -> None:
    parameters = {"sequence_id": pb.InferParameter(string_param="a")}
    answer = stub.ModelInfer(request(tensor(FLOWER), parameters=parameters))
    assert answer.parameters["sequence_id"].string_param == "a"


def test_metadata_and_readiness(stub: Any) -> None:
    assert stub.ServerLive(pb.ServerLiveRequest()).live
    assert stub.ServerReady(pb.ServerReadyRequest()).ready
    assert stub.ModelReady(pb.ModelReadyRequest(name="iris", version="1")).ready
    assert stub.ServerMetadata(pb.ServerMetadataRequest()).name == "kserve-predictors"
    metadata = stub.ModelMetadata(pb.ModelMetadataRequest(name="iris"))
    assert list(metadata.versions) == ["1"]
    assert [(entry.name, entry.datatype, list(entry.shape)) for entry in metadata.outputs] == [
        ("predict", "INT64", [-1]), ("label", "BYTES", [-1]), ("predict_proba", "FP64", [-1, 3]),
    ]  # fmt: skip


def test_request_id_and_version_come_as_trailers(stub: Any) -> None:
    _, call = stub.ModelInfer.with_call(request(tensor(FLOWER)), metadata=[("x-request-id", "grpc-id")])
    trailers = dict(call.trailing_metadata())
    assert (trailers["x-request-id"], trailers["x-model-version"]) == ("grpc-id", "1")


def test_health_service(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "inference.GRPCInferenceService", "iris", "intent"):
        assert (
            stub.Check(health_pb2.HealthCheckRequest(service=service)).status == health_pb2.HealthCheckResponse.SERVING
        )
    with pytest.raises(grpc.RpcError) as caught:
        stub.Check(health_pb2.HealthCheckRequest(service="nope"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


PINGS = [
    ("grpc.keepalive_time_ms", 1_500),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]


@pytest.mark.parametrize("calls", [True, False])
def test_clients_may_ping(server: LiveServer, calls: bool) -> None:
    """gRPC ends a connection at the third ping that comes too early; clients see that as RST or GOAWAY."""
    with grpc.insecure_channel(server.grpc_address, options=PINGS) as channel:
        states: list[grpc.ChannelConnectivity] = []
        grpc.channel_ready_future(channel).result(60)
        channel.subscribe(states.append)
        if calls:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=8)
            assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
            with pytest.raises(grpc.RpcError) as ended:
                next(watch)
            assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        else:
            time.sleep(8)
        assert set(states) <= {grpc.ChannelConnectivity.READY}


def test_reflection(channel: grpc.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = next(stub.ServerReflectionInfo(iter([asked])))
    services = {service.name for service in answer.list_services_response.service}
    assert services >= {"inference.GRPCInferenceService", "grpc.health.v1.Health"}
    asked = reflection_pb2.ServerReflectionRequest(file_containing_symbol="inference.GRPCInferenceService")
    assert next(stub.ServerReflectionInfo(iter([asked]))).file_descriptor_response.file_descriptor_proto


def raw_request(raw: bytes, datatype: str = "FP32", shape: Any = (1, 4), model: str = "iris", **fields: Any) -> Any:
    entry = pb.ModelInferRequest.InferInputTensor(name="x", datatype=datatype, shape=shape, **fields)
    return request(entry, model=model, raw_input_contents=[raw])


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (request(), "is empty"),
        (request(tensor(FLOWER, shape=(2, 4))), "has 4 elements"),
        (request(tensor(FLOWER, shape=(-1, 4))), "not a positive integer"),
        (request(tensor(FLOWER, shape=(0, 4))), "not a positive integer"),
        (request(tensor(FLOWER, shape=())), "0 dimensions"),
        (request(tensor(FLOWER, shape=(4,))), "[N, 4] is expected"),
        (request(tensor([1.0] * 3, shape=(1, 3))), "[N, 4] is expected"),
        (request(tensor([float("nan"), 1, 1, 1])), "not a finite number"),
        (request(tensor([float("inf"), 1, 1, 1])), "not a finite number"),
        (request(tensor([500, 1, 1, 1], "INT8")), "outside the range of INT8"),
        (request(tensor([b"a"], "BYTES", (1,))), "which this model does not take"),
        (request(pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP99", shape=[1, 4])), "does not know"),
        (request(pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, 4])), "has 0 elements"),
        (request(pb.ModelInferRequest.InferInputTensor(
            name="x", datatype="FP32", shape=[1, 4], contents=pb.InferTensorContents(fp64_contents=FLOWER))),
            "belongs in fp32_contents"),
        (raw_request(b"\0" * 12), "has 12 bytes"),
        (raw_request(b"\0" * 16, contents=pb.InferTensorContents(fp32_contents=FLOWER)), "both raw and typed"),
        (raw_request(b"\x05\0\0\0ab", "BYTES", (1,), "intent"), "claims 5 bytes"),
        (raw_request(b"\x01\0\0\0\xff", "BYTES", (1,), "intent"), "not valid UTF-8"),
        (request(tensor(FLOWER), raw_input_contents=[b"", b""]), "has 2 entries for 1 inputs"),
        (request(tensor([b"\xff\xfe"], "BYTES", (1,)), model="intent"), "not valid UTF-8"),
        (request(tensor([b" "], "BYTES", (1,)), model="intent"), "is blank"),
        (request(tensor(FLOWER), tensor(FLOWER, name="y")), "has 2 tensors"),
        (request(tensor(FLOWER), outputs=[pb.ModelInferRequest.InferRequestedOutputTensor(name="nope")]), '"nope"'),
        (request(tensor(FLOWER), parameters={"a": pb.InferParameter()}), 'parameter "a" has no value'),
    ],
)  # fmt: skip
def test_bad_input_is_invalid_argument(stub: Any, bad: Any, says: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.ModelInfer(bad)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert says in error.details()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (request(tensor(FLOWER), model="nope"), grpc.StatusCode.NOT_FOUND),
        (request(tensor(FLOWER), model_version="9"), grpc.StatusCode.NOT_FOUND),
        (request(tensor([1.0] * 40_004, shape=(10_001, 4))), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (request(tensor([b"a" * 10_001], "BYTES", (1,)), model="intent"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (request(tensor([b"a" * (5 * 2**20)], "BYTES", (1,)), model="intent"), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_other_errors(stub: Any, bad: Any, code: grpc.StatusCode) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.ModelInfer(bad)
    assert caught.value.code() is code


def test_a_message_that_cannot_be_parsed_is_accounted_for(server: LiveServer, channel: grpc.Channel) -> None:
    infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
    with pytest.raises(grpc.RpcError) as caught:
        infer(b"\xff\xff\xff", metadata=[("x-request-id", "grpc-garbage")])
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "the message is not a valid inference.ModelInferRequest"
    assert dict(error.trailing_metadata())["x-request-id"] == "grpc-garbage"
    assert server.access_line("grpc-garbage")["status"] == "INVALID_ARGUMENT"


@given(st.binary(max_size=200) | messages.map(lambda message: message.SerializeToString()))
@settings(max_examples=300)
def test_any_bytes_over_the_wire(channel: grpc.Channel, raw: bytes) -> None:
    infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
    try:
        infer(raw)
    except grpc.RpcError as error:
        code = error.code()
        assert code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)


@pytest.mark.parametrize("given_ms", ["abc", "0", "-1"])
def test_a_bad_deadline(stub: Any, given_ms: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.ModelInfer(request(tensor(FLOWER)), metadata=[("x-request-timeout-ms", given_ms)])
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("verb", ["Load", "Unload"])
def test_the_repository_is_off(stub: Any, verb: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        getattr(stub, f"RepositoryModel{verb}")(getattr(pb, f"RepositoryModel{verb}Request")(model_name="iris"))
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert "--enable_repository" in error.details()


def test_unknown_models_are_not_found_everywhere(stub: Any) -> None:
    for call, asked in ((stub.ModelReady, pb.ModelReadyRequest), (stub.ModelMetadata, pb.ModelMetadataRequest)):
        with pytest.raises(grpc.RpcError) as caught:
            call(asked(name="nope"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_metrics_and_log_see_a_call_once(server: LiveServer, stub: Any) -> None:
    with pytest.raises(grpc.RpcError):
        stub.ModelInfer(request(), metadata=[("x-request-id", "grpc-once")])
    line = server.access_line("grpc-once")
    assert (line["status"], line["protocol"], line["model"]) == ("INVALID_ARGUMENT", "grpc", "iris")
    assert sum(entry.get("id") == "grpc-once" for entry in server.lines) == 1
