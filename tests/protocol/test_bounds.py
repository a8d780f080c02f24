"""How many things a request may hold, on every route; and the parameters that no model knows."""

import json
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest

from predictors.serving.model.kserve_api import pb
from tests.live import JSON, LiveServer, pb_grpc

MIB = 2**20
V1, V2 = "/v1/models/{}:predict", "/v2/models/{}/infer"
ROW = [5.1, 3.5, 1.4, 0.2]
TENSOR = {"name": "x", "datatype": "FP64", "shape": [1, 4], "data": ROW}
TEXTS = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["hello"]}
MANY = {str(number): 1 for number in range(190_000)}


def million_strings(shape: list[int]) -> tuple[bytes, dict[str, str]]:
    """A million empty strings as a binary tensor."""
    size = 4_000_000
    tensor = {"name": "t", "shape": shape, "datatype": "BYTES", "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [tensor]}).encode()
    return head + bytes(size), {"inference-header-content-length": str(len(head))}


@pytest.mark.parametrize(
    ("shape", "status", "says"),
    [
        ([1], 400, "more elements than its shape [1] asks for"),
        ([1_000_000], 413, '"t" has 1000000 rows; at most 1000 are allowed'),
        ([1000, 1000], 400, "[N] or [N, 1] is expected"),
    ],
)
def test_a_million_empty_strings(http: httpx.Client, shape: list[int], status: int, says: str) -> None:
    body, headers = million_strings(shape)
    answer = http.post(V2.format("intent"), content=body, headers=headers)
    assert answer.status_code == status
    assert says in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        (V1.format("iris"), {"instances": [ROW], "parameters": MANY}, 413, '"parameters" has 190000 entries; at most 64'),
        (V1.format("iris"), {"instances": [ROW], **MANY}, 413, "the body has 190001 entries; at most 256"),
        (V1.format("iris"), {"instances": [MANY]}, 400, "lacks the field"),
        (V1.format("iris"), {"instances": [[]] * MIB}, 413, "more than 200000 lists, objects and fields"),
        (V1.format("iris"), {"instances": [[1] * MIB]}, 400, "has 1048576 elements; 4 are expected"),
        (V1.format("intent"), {"instances": [""] * MIB}, 413, '"instances" has 1048576 rows'),
        (V2.format("iris"), {"inputs": [{}] * 190_000}, 400, '"inputs" has 190000 tensors'),
        (V2.format("iris"), {"inputs": [TENSOR], "parameters": MANY}, 413, '"parameters" has 190000 entries; at most 64'),
        (V2.format("iris"), {"inputs": [{**TENSOR, "parameters": MANY}]}, 413, '"inputs[0].parameters" has 190000'),
        (V2.format("iris"), {"inputs": [TENSOR], "outputs": [{}] * 190_000}, 400, '"outputs" names 190000 outputs'),
        (V2.format("iris"), {"inputs": [{**TENSOR, "shape": [1] * MIB}]}, 400, "a shape of 1048576 dimensions"),
        (V2.format("iris"), {"inputs": [{**TENSOR, "shape": [1, MIB], "data": [1] * MIB}]}, 400, "[N, 4] is expected"),
        (V2.format("intent"), {"inputs": [{**TEXTS, "data": [""] * MIB}]}, 400, "has 1048576 elements"),
        ("/predict", {"features": ROW, **MANY}, 413, "the body has 190001 entries"),
        ("/predict", {"features": [1] * MIB}, 422, "has 1048576 elements; 4 are expected"),
        ("/predict", {"features": [[]] * MIB}, 413, "more than 200000 lists"),
        ("/inference", {"model_type": "iris", "data": {"features": [1] * MIB}}, 422, "4 are expected"),
        ("/inference", {"model_type": "iris", "data": {"text": "a" * MIB}}, 404, "no classifier"),
    ],
)  # fmt: skip
def test_too_many(http: httpx.Client, path: str, body: Any, status: int, says: str) -> None:
    raw = json.dumps(body, separators=(",", ":")).encode()
    assert len(raw) < 4 * MIB
    answer = http.post(path, content=raw, headers=JSON)
    assert (answer.status_code, says in answer.json()["error"]) == (status, True), answer.text


def test_large_requests_within_the_bounds_are_answered(http: httpx.Client) -> None:
    rows = [ROW] * 10_000
    assert http.post(V1.format("iris"), json={"instances": rows}).json()["predictions"] == [0] * 10_000
    tensor = {"name": "x", "datatype": "FP64", "shape": [10_000, 4], "data": rows}
    assert http.post(V2.format("iris"), json={"inputs": [tensor]}).json()["outputs"][0]["data"] == [0] * 10_000
    texts = ["hello " * 30] * 1_000
    assert len(http.post(V1.format("intent"), json={"instances": texts}).json()["predictions"]) == 1_000


def test_a_large_body_that_is_not_json_is_refused_with_the_place(http: httpx.Client) -> None:
    body = b'{"instances": [\n' + b"[5.1, 3.5, 1.4, 0.2],\n" * 20_000 + b"[5.1, 3.5, 1.4 0.2]]}"
    answer = http.post(V1.format("iris"), content=body, headers=JSON)
    assert answer.status_code == 400
    assert "not valid JSON" in answer.json()["error"]
    assert "line 20002 column" in answer.json()["error"]


@pytest.mark.parametrize("model", ["iris", "intent"])
def test_unknown_parameters_are_refused(http: httpx.Client, model: str) -> None:
    rows, tensor = {"iris": ([ROW], TENSOR), "intent": (["hello"], TEXTS)}[model]
    for path, body in ((V1, {"instances": rows}), (V2, {"inputs": [tensor]})):
        answer = http.post(path.format(model), json={**body, "parameters": {"threshold": 0.5}})
        assert answer.status_code == 400
        assert answer.json() == {"error": 'unknown parameter "threshold"; this model takes none'}


@pytest.mark.parametrize(
    "parameters",
    [
        {"content_type": "np", "headers": {"x-a": "b"}},  # MLServer's
        {"content_type": None, "headers": None},  # as its types are written when unset
        {"sequence_id": 7, "sequence_start": True, "sequence_end": False, "priority": 1, "timeout": 1000},  # Triton's
    ],
)
def test_parameters_for_other_servers_are_accepted(http: httpx.Client, parameters: dict[str, Any]) -> None:
    answer = http.post(V2.format("iris"), json={"id": "7", "inputs": [TENSOR], "parameters": parameters})
    assert answer.status_code == 200
    given_back = {name: value for name, value in parameters.items() if name != "headers" and value is not None}
    assert answer.json().get("parameters", {}) == given_back
    if None not in parameters.values():
        assert http.post(V1.format("iris"), json={"instances": [ROW], "parameters": parameters}).status_code == 200


@pytest.fixture
def channel(server: LiveServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.grpc_address, options=[("grpc.max_send_message_length", -1)]) as opened:
        yield opened


def infer_request() -> pb.ModelInferRequest:
    made = pb.ModelInferRequest(model_name="intent")
    made.inputs.add(name="text", datatype="BYTES", shape=[1], contents={"bytes_contents": [b"hello"]})
    return made


def status_of(channel: grpc.Channel, raw: bytes) -> tuple[str, str]:
    call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
    with pytest.raises(grpc.RpcError) as caught:
        call(raw, timeout=60)
    return caught.value.code().name, caught.value.details()


def test_too_many_by_grpc(channel: grpc.Channel) -> None:
    parameters = infer_request()
    for number in range(65):
        parameters.parameters[str(number)].bool_param = True
    assert status_of(channel, parameters.SerializeToString()) == (
        "RESOURCE_EXHAUSTED", '"parameters" has 65 entries; at most 64 are allowed',
    )  # fmt: skip
    # Each is two bytes, the shortest entry that there is: inputs, outputs, parameters and raw contents.
    for entry in (b"\x2a\x00", b"\x32\x00", b"\x22\x00", b"\x3a\x00"):
        code, details = status_of(channel, infer_request().SerializeToString() + entry * 1_900_000)
        assert (code, details) == (
            "RESOURCE_EXHAUSTED", "the message has more than 10000 tensors, parameters and other fields",
        )  # fmt: skip
    strings = infer_request()
    strings.inputs[0].contents.bytes_contents.extend([b""] * 1_000_000)
    assert status_of(channel, strings.SerializeToString())[0] == "RESOURCE_EXHAUSTED"


def test_more_tensors_or_outputs_than_there_are_by_grpc(channel: grpc.Channel) -> None:
    inputs, outputs = infer_request(), infer_request()
    inputs.inputs.add()
    for _ in range(3):
        outputs.outputs.add(name="predict")
    assert status_of(channel, inputs.SerializeToString()) == (
        "INVALID_ARGUMENT", '"inputs" has 2 tensors; one of BYTES [N] or [N, 1] is expected',
    )  # fmt: skip
    assert status_of(channel, outputs.SerializeToString()) == (
        "INVALID_ARGUMENT", '"outputs" names 3 outputs; there are 2: predict, predict_proba',
    )  # fmt: skip


@pytest.mark.parametrize("extension", ["classification", "shared_memory_region"])
def test_extensions_that_are_not_supported_are_refused_by_grpc(channel: grpc.Channel, extension: str) -> None:
    asks = infer_request()
    asks.outputs.add(name="predict").parameters[extension].int64_param = 1
    code, details = status_of(channel, asks.SerializeToString())
    assert (code, details) == (
        "INVALID_ARGUMENT",
        f'"predict" asks for the {extension} extension, which is not supported',
    )


def test_unknown_parameters_are_refused_by_grpc(channel: grpc.Channel) -> None:
    asks = infer_request()
    asks.parameters["threshold"].string_param = "0.5"
    assert status_of(channel, asks.SerializeToString()) == (
        "INVALID_ARGUMENT", 'unknown parameter "threshold"; this model takes none',
    )  # fmt: skip
    good = infer_request()
    good.parameters["timeout"].int64_param = 1
    assert pb_grpc.GRPCInferenceServiceStub(channel).ModelInfer(good).outputs[0].name == "predict"
