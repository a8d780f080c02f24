import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.client import answers, errors
from predictors.client.errors import BadAnswer, ClientError, ConfigurationError, InvalidInput
from predictors.client.operations import AskReady, GetMetadata, Infer, Inference, Operation, Predict
from predictors.client.tensors import Tensor
from predictors.client.wire import rest
from predictors.client.wire.messages import HttpAnswer

IRIS = answers.iris([[1, 2, 3, 4]], "iris")
OPERATIONS: list[Operation] = [IRIS.infer, Predict("m", ([1],)), GetMetadata("m"), AskReady("m")]


def answer(status: int, body: Any = b"", **headers: str) -> HttpAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpAnswer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def failure(answer: HttpAnswer) -> ClientError:
    with pytest.raises(ClientError) as caught:
        rest.decode(IRIS.infer, answer, 0.0)
    return caught.value


def test_requests() -> None:
    infer = Infer("a/b", {"x": Tensor("FP64", (1,), (1.5,))}, {"seed": 1}, ("predict",), "2")
    request = rest.encode(infer)
    assert (request.method, request.path) == ("POST", "/v2/models/a%2Fb/versions/2/infer")
    assert json.loads(request.body) == {
        "inputs": [{"name": "x", "datatype": "FP64", "shape": [1], "data": [1.5]}],
        "parameters": {"seed": 1},
        "outputs": [{"name": "predict"}],
    }
    assert rest.encode(AskReady("")).path == "/v2/health/ready"
    assert rest.encode(GetMetadata("ü\r\n")).path == "/v2/models/%C3%BC%0D%0A"


@pytest.mark.parametrize(
    "operation", [Infer("\ud800", {}), Infer("m", {}, version="\ud800"), Predict("\ud800", ()), GetMetadata("\ud800")]
)
def test_names_that_cannot_be_sent(operation: Operation) -> None:
    with pytest.raises(ConfigurationError, match=r"the name '\\ud800' cannot be sent"):
        rest.encode(operation)


@pytest.mark.parametrize("value", [math.nan, math.inf, {1}, "\ud800", b"", object()])
def test_what_json_cannot_hold(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written as JSON"):
        rest.encode(Predict("m", (value,)))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidInput),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (405, errors.InvalidInput),
        (408, errors.DeadlineExceeded),
        (413, errors.InvalidInput),
        (429, errors.Overloaded),
        (500, errors.ServerFailed),
        (502, errors.GatewayFailed),
        (503, errors.NotReady),
        (504, errors.DeadlineExceeded),
        (599, errors.ServerFailed),
        (302, errors.BadAnswer),
        (101, errors.BadAnswer),
    ],
)
def test_statuses(status: int, kind: type[ClientError]) -> None:
    found = failure(answer(status, {"error": "so it is"}, retry_after="7", x_request_id="a"))
    assert type(found) is kind
    assert found.status == status
    if status >= 400:
        assert (found.message, found.retry_after, found.request_id) == ("so it is", 7, "a")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "no", "param": "n"}}, "no"),
        (b"<h1>upstream\n is away</h1>", "<h1>upstream is away</h1>"),
        (b"", "the server answered with status 400"),
        (b"\xff" * 1000, "�" * 200),
        ([], "[]"),
        (b"[" * 100_000, "[" * 200),
        (b'{"error": ' + b"9" * 5000 + b"}", '{"error": ' + "9" * 190),
    ],
)
def test_bodies_of_errors(body: Any, message: str) -> None:
    assert failure(answer(400, body)).message == message


@pytest.mark.parametrize(
    ("sentence", "field"),
    [
        ("instances[0] has 3 elements; 4 are expected", "instances[0]"),
        ("inputs[0].data is missing", "inputs[0].data"),
        ('the parameter "max_tokens" is wrong', "max_tokens"),
        ('input "features" has the shape [1, 3]', "features"),
        ("the body is not JSON", ""),
    ],
)
def test_fields(sentence: str, field: str) -> None:
    found = failure(answer(400, {"error": sentence}))
    assert isinstance(found, InvalidInput)
    assert found.field == field


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["outputs", "model_name", "name", "datatype", "shape", "data", "inputs", "ready"]), inner
        )
    ),
)
TENSOR = {"name": "predict", "datatype": "INT64", "shape": [1], "data": [0]}


@given(st.sampled_from(OPERATIONS), json_values)
def test_any_json_is_an_answer_or_a_clear_error(operation: Operation, body: Any) -> None:
    with contextlib.suppress(BadAnswer):
        found = rest.decode(operation, answer(200, body), 0.0)
        if isinstance(found, Inference):
            answers.read(IRIS, found)


@given(st.sampled_from(["name", "datatype", "shape", "data"]), json_values)
def test_any_tensor_is_one_or_a_clear_error(field: str, value: Any) -> None:
    with contextlib.suppress(BadAnswer):
        rest.decode(IRIS.infer, answer(200, {"model_name": "m", "outputs": [{**TENSOR, field: value}]}), 0.0)


@pytest.mark.parametrize("body", [b"", b"\xff", b"NaN", b"[" * 100_000, b'{"outputs": 7}', b"<html>"])
@pytest.mark.parametrize("operation", OPERATIONS[:3])
def test_bodies_that_are_no_answers(operation: Operation, body: bytes) -> None:
    with pytest.raises(BadAnswer, match="status 200 came with a body that is not the answer"):
        rest.decode(operation, answer(200, body, content_type="text/html"), 0.0)


def test_readiness_is_no_error() -> None:
    assert rest.decode(AskReady("m"), answer(503, {"error": "loading"}), 0.0) is False
    assert rest.decode(AskReady("m"), answer(200, b"anything"), 0.0) is True
    with pytest.raises(errors.NotFound):
        rest.decode(AskReady("m"), answer(404), 0.0)
