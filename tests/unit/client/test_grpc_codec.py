import subprocess
import sys

import grpc
import pytest

from predictors.client import errors
from predictors.client.errors import BadAnswer, ClientError, ConfigurationError, Unsupported
from predictors.client.operations import AskReady, GetMetadata, Infer, Operation, Predict
from predictors.client.tensors import Tensor
from predictors.client.wire.grpc_codec import GrpcCodec, failure
from predictors.client.wire.v2_messages import load_messages
from tests.live import ROOT

CODES = grpc.StatusCode
CODEC = GrpcCodec()
MESSAGES = load_messages()


def infer(tensor: Tensor, **parameters: object) -> Infer:
    return Infer("m", {"x": tensor}, parameters)


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("BOOL", (True, False)),
        ("INT8", (-1, 2)),
        ("INT64", (-(2**63), 2**63 - 1)),
        ("UINT64", (0, 2**64 - 1)),
        ("FP32", (0.5, -2.0)),
        ("FP64", (0.1, 1e300)),
        ("BYTES", ("a", "ä\0")),
    ],
)
def test_tensors_come_back_as_they_went(datatype: str, values: tuple[object, ...]) -> None:
    request = CODEC.encode(infer(Tensor(datatype, (2,), values)))
    answer = MESSAGES.ModelInferResponse(model_name="m", model_version="1")
    sent = request.message.inputs[0]
    output = answer.outputs.add(name="y", datatype=sent.datatype, shape=sent.shape)
    output.contents.CopyFrom(sent.contents)
    assert CODEC.decode(infer(Tensor("BOOL", (0,), ())), answer, {"x-request-id": "a"}).outputs == {
        "y": Tensor(datatype, (2,), values)
    }


@pytest.mark.parametrize(
    "operation",
    [
        GetMetadata("\ud800"),
        AskReady("\ud800"),
        Infer("\ud800", {}),
        Infer("m", {}, version="\ud800"),
        Infer("m", {"\ud800": Tensor("BOOL", (0,), ())}),
        Infer("m", {}, {"\ud800": 1}),
        Infer("m", {}, {"a": "\ud800"}),
        Infer("m", {}, outputs=("\ud800",)),
    ],
)
def test_names_that_cannot_be_sent(operation: Operation) -> None:
    with pytest.raises(ConfigurationError, match="half a surrogate pair"):
        CODEC.encode(operation)


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        (Tensor("FP16", (1,), (1.0,)), "FP16, which gRPC lacks"),
        (Tensor("INT64", (1,), (2**63,)), 'input "x" is not INT64'),
        (Tensor("INT64", (1,), ("a",)), 'input "x" is not INT64'),
        (Tensor("BYTES", (1,), (1,)), 'input "x" is not BYTES'),
        (Tensor("BYTES", (1,), ("\ud800",)), 'input "x" is not BYTES'),
    ],
)
def test_tensors_that_cannot_be_sent(tensor: Tensor, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        CODEC.encode(infer(tensor))


def test_parameters() -> None:
    tensor = Tensor("INT64", (1,), (1,))
    sent = CODEC.encode(infer(tensor, a=True, b=7, c="d", e=0.5)).message.parameters
    assert (sent["a"].bool_param, sent["b"].int64_param, sent["c"].string_param) == (True, 7, "d")
    assert sent["e"].string_param == "0.5"
    for wrong in (None, ["a"], 2**63):
        with pytest.raises(ConfigurationError, match='parameter "a"'):
            CODEC.encode(infer(tensor, a=wrong))


def test_v1_does_not_exist() -> None:
    with pytest.raises(Unsupported, match="use a client with an http"):
        CODEC.encode(Predict("m", ([1],)))


@pytest.mark.parametrize("datatype", ["BYTES", "FP16", "INT64"])
def test_answers_that_cannot_be_read(datatype: str) -> None:
    answer = MESSAGES.ModelInferResponse()
    answer.outputs.add(name="y", datatype=datatype, shape=[1]).contents.bytes_contents.append(b"\xff")
    with pytest.raises(BadAnswer, match="cannot be read"):
        CODEC.decode(infer(Tensor("BOOL", (0,), ())), answer, {})


OURS = {"x-request-id": "a"}


@pytest.mark.parametrize(
    ("code", "trailers", "kind"),
    [
        (CODES.INVALID_ARGUMENT, OURS, errors.InvalidInput),
        (CODES.NOT_FOUND, OURS, errors.NotFound),
        (CODES.UNAUTHENTICATED, OURS, errors.Unauthorized),
        (CODES.PERMISSION_DENIED, OURS, errors.Forbidden),
        (CODES.RESOURCE_EXHAUSTED, {**OURS, "retry-after": "3"}, errors.Overloaded),
        (CODES.RESOURCE_EXHAUSTED, OURS, errors.InvalidInput),
        (CODES.UNAVAILABLE, OURS, errors.NotReady),
        (CODES.UNAVAILABLE, {}, errors.Unreachable),
        (CODES.DEADLINE_EXCEEDED, {}, errors.DeadlineExceeded),
        (CODES.CANCELLED, {}, errors.ConnectionLost),
        (CODES.INTERNAL, OURS, errors.ServerFailed),
        (CODES.DATA_LOSS, {}, errors.ServerFailed),
    ],
)
def test_statuses(code: grpc.StatusCode, trailers: dict[str, str], kind: type[ClientError]) -> None:
    found = failure(code, "so it is", trailers, 0.0)
    assert type(found) is kind
    assert (found.message, found.request_id) == ("so it is", trailers.get("x-request-id", ""))
    assert found.retry_after == (3 if "retry-after" in trailers else None)


def test_kserve_in_the_same_process_has_the_same_messages() -> None:
    code = (
        "from predictors.client.wire.v2_messages import load_messages\n"
        "ours = load_messages()\n"
        "from predictors.serving.model.kserve_api import pb\n"
        "assert ours is not pb and ours.ModelInferRequest is pb.ModelInferRequest\n"
        "assert load_messages() is pb\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
