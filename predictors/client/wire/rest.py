"""Calls and answers over REST, V1 and V2."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from predictors.client.errors import BadAnswer, ClientError, ConfigurationError
from predictors.client.operations import (
    AskReady,
    GetMetadata,
    Infer,
    Inference,
    Metadata,
    Operation,
    Predict,
    Prediction,
    TensorSpec,
)
from predictors.client.policy.retry_after import parse_retry_after
from predictors.client.tensors import Tensor
from predictors.client.wire.failures import Refusal, of_status
from predictors.client.wire.messages import HttpAnswer, HttpRequest

_OK, _REDIRECT, _CLIENT_ERROR, _UNAVAILABLE = 200, 300, 400, 503
_SHOWN_CHARS = 200
# What a body of the wrong form raises when it is read as the right one; deep nesting is a RecursionError.
MISREAD = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)


def encode(operation: Operation) -> HttpRequest:
    """The request that asks for this.

    Raises:
        ConfigurationError: the names cannot be sent, or the inputs or parameters not be written as JSON.
    """
    match operation:
        case Infer():
            version = f"/versions/{_segment(operation.version)}" if operation.version else ""
            return HttpRequest("POST", f"{_model(operation.model)}{version}/infer", to_json(_infer(operation)))
        case Predict():
            return HttpRequest("POST", predict_path(operation.model), to_json(_predict(operation)))
        case GetMetadata():
            return HttpRequest("GET", _model(operation.model))
        case AskReady():
            return HttpRequest("GET", f"{_model(operation.model)}/ready" if operation.model else "/v2/health/ready")


def predict_path(model: str) -> str:
    """Where V1's predictions are.

    Raises:
        ConfigurationError: the name cannot be sent.
    """
    return f"/v1/models/{_segment(model)}:predict"


def _model(name: str) -> str:
    return f"/v2/models/{_segment(name)}"


def _segment(name: str) -> str:
    """A name as a part of a path."""
    try:
        return quote(name, safe="")
    except UnicodeError:
        raise ConfigurationError(f"the name {name!a} cannot be sent: it holds half a surrogate pair") from None


def _infer(infer: Infer) -> dict[str, Any]:
    inputs = [
        {"name": name, "datatype": tensor.datatype, "shape": tensor.shape, "data": tensor.data}
        for name, tensor in infer.inputs.items()
    ]
    body: dict[str, Any] = {"inputs": inputs}
    if infer.parameters:
        body["parameters"] = dict(infer.parameters)
    if infer.outputs:
        body["outputs"] = [{"name": name} for name in infer.outputs]
    return body


def _predict(predict: Predict) -> dict[str, Any]:
    body: dict[str, Any] = {"instances": predict.instances}
    return body | ({"parameters": dict(predict.parameters)} if predict.parameters else {})


def to_json(body: Any) -> bytes:
    """Write a request's body.

    Raises:
        ConfigurationError: it holds what JSON has no form for, such as NaN, a set, or half a surrogate pair.
    """
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the input cannot be written as JSON: {error}") from None


def decode(operation: Operation, answer: HttpAnswer, wall_clock: float) -> Any:
    """Read the answer.

    Args:
        operation: what was asked for.
        answer: what came.
        wall_clock: seconds since 1970, for ``Retry-After``.

    Raises:
        ClientError: it is a refusal, or cannot be read.
    """
    request_id = answer.headers.get("x-request-id", "")
    if isinstance(operation, AskReady) and answer.status in (_OK, _UNAVAILABLE):
        return answer.status == _OK
    refused = refusal(answer, wall_clock)
    if refused is not None:
        raise refused
    try:
        body = json.loads(answer.body)
        match operation:
            case Infer():
                outputs = {each["name"]: _tensor(each) for each in body["outputs"]}
                return Inference(str(body["model_name"]), str(body.get("model_version", "")), outputs, request_id)
            case Predict():
                return Prediction({"predictions": body["predictions"], **body}, request_id)
            case GetMetadata():
                return _metadata(body)
            case AskReady():
                return bool(body["ready"])
    except MISREAD:
        raise bad_answer(answer) from None


def refusal(answer: HttpAnswer, wall_clock: float) -> ClientError | None:
    """The error that an answer is; None if it is a good one."""
    if _OK <= answer.status < _REDIRECT:
        return None
    if answer.status < _CLIENT_ERROR:
        where = answer.headers.get("location", "elsewhere")[:_SHOWN_CHARS]
        moved = f"the server answered with status {answer.status}, which leads to {where}"
        return BadAnswer(moved, status=answer.status)
    message, field = _sentence(answer.body)
    retry_after = parse_retry_after(answer.headers.get("retry-after"), wall_clock)
    said = Refusal(
        message or f"the server answered with status {answer.status}",
        retry_after,
        answer.headers.get("x-request-id", ""),
        field,
    )
    return of_status(answer.status, said)


def _sentence(body: bytes) -> tuple[str, str]:
    """What an error's body says, and the field that it names: ours, OpenAI's, or the beginning of a proxy's."""
    try:
        error = json.loads(body)["error"]
        if isinstance(error, Mapping):
            return str(error["message"]), str(error.get("param") or "")
        return str(error), ""
    except MISREAD:
        return " ".join(body[:_SHOWN_CHARS].decode("utf-8", "replace").split()), ""


def bad_answer(answer: HttpAnswer) -> BadAnswer:
    """The error for a body that is not what was asked for."""
    kind = answer.headers.get("content-type", "no content type")[:_SHOWN_CHARS]
    message = f"status {answer.status} came with a body that is not the answer ({len(answer.body)} bytes, {kind})"
    return BadAnswer(message, status=answer.status, request_id=answer.headers.get("x-request-id", ""))


def _tensor(entry: Mapping[str, Any]) -> Tensor:
    return Tensor(str(entry["datatype"]), tuple(entry["shape"]), tuple(entry["data"]))


def _metadata(body: Mapping[str, Any]) -> Metadata:
    def specs(entries: list[dict[str, Any]]) -> tuple[TensorSpec, ...]:
        return tuple(
            TensorSpec(str(each["name"]), str(each["datatype"]), tuple(map(int, each["shape"]))) for each in entries
        )

    return Metadata(
        str(body["name"]), tuple(map(str, body.get("versions") or ())), specs(body["inputs"]), specs(body["outputs"])
    )
