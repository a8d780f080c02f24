"""Calls and answers over gRPC, V2."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import grpc

from predictors.client.errors import (
    BadAnswer,
    ClientError,
    ConfigurationError,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    NotFound,
    NotReady,
    Overloaded,
    ServerFailed,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from predictors.client.operations import (
    AskReady,
    GetMetadata,
    Infer,
    Inference,
    Metadata,
    Operation,
    Predict,
    TensorSpec,
)
from predictors.client.policy.retry_after import parse_retry_after
from predictors.client.tensors import Tensor
from predictors.client.wire.failures import Refusal, of_kind
from predictors.client.wire.v2_messages import load_messages

_METHODS = ("ModelInfer", "ModelMetadata", "ModelReady", "ServerReady")
_BY_CODE: dict[Any, type[ClientError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNIMPLEMENTED: NotFound,
    grpc.StatusCode.UNAUTHENTICATED: Unauthorized,
    grpc.StatusCode.PERMISSION_DENIED: Forbidden,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.CANCELLED: ConnectionLost,
}
_CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


class GrpcRequest(NamedTuple):
    """What is sent.

    Args:
        method: its name.
        message: the request.
    """

    method: str
    message: Any


class GrpcCodec:
    """Writes requests, reads answers.

    Raises:
        ConfigurationError: the messages' package is not installed.
    """

    def __init__(self) -> None:
        self._messages = load_messages()

    def methods(self, channel: Any) -> Mapping[str, Any]:
        """What calls each method of the service over a channel."""
        return {method: self._method(channel, method) for method in _METHODS}

    def _method(self, channel: Any, method: str) -> Any:
        request, response = (getattr(self._messages, f"{method}{each}") for each in ("Request", "Response"))
        return channel.unary_unary(
            f"/inference.GRPCInferenceService/{method}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )

    def encode(self, operation: Operation) -> GrpcRequest:
        """The request that asks for this.

        Raises:
            ConfigurationError: the names, inputs or parameters have no form in gRPC.
            Unsupported: gRPC has no such call.
        """
        try:
            return self._encode(operation)
        except UnicodeError:
            raise ConfigurationError("a name or text cannot be sent: it holds half a surrogate pair") from None

    def _encode(self, operation: Operation) -> GrpcRequest:
        messages = self._messages
        match operation:
            case Infer():
                return GrpcRequest("ModelInfer", self._infer(operation))
            case Predict():
                raise Unsupported("V1 does not exist over gRPC")
            case GetMetadata():
                return GrpcRequest("ModelMetadata", messages.ModelMetadataRequest(name=operation.model))
            case AskReady() if operation.model:
                return GrpcRequest("ModelReady", messages.ModelReadyRequest(name=operation.model))
            case AskReady():
                return GrpcRequest("ServerReady", messages.ServerReadyRequest())

    def _infer(self, infer: Infer) -> Any:
        message = self._messages.ModelInferRequest(model_name=infer.model, model_version=infer.version)
        for name, tensor in infer.inputs.items():
            entry = message.inputs.add(name=name, datatype=tensor.datatype, shape=tensor.shape)
            field = _CONTENTS.get(tensor.datatype)
            if field is None:
                raise ConfigurationError(f'input "{name}" has the datatype {tensor.datatype}, which gRPC lacks')
            try:
                getattr(entry.contents, field).extend(map(_written, tensor.data))
            except (TypeError, ValueError) as error:
                raise ConfigurationError(f'input "{name}" is not {tensor.datatype}: {error}') from None
        for name, value in infer.parameters.items():
            _set_parameter(message.parameters[name], name, value)
        for name in infer.outputs:
            message.outputs.add(name=name)
        return message

    def decode(self, operation: Operation, response: Any, trailers: Mapping[str, str]) -> Any:
        """Read the answer.

        Raises:
            BadAnswer: it cannot be read.
        """
        request_id = trailers.get("x-request-id", "")
        match operation:
            case GetMetadata():
                return Metadata(
                    response.name, tuple(response.versions), _specs(response.inputs), _specs(response.outputs)
                )
            case AskReady():
                return bool(response.ready)
        try:
            outputs = {each.name: _tensor(each) for each in response.outputs}
        except (KeyError, ValueError):
            raise BadAnswer("the answer's tensors cannot be read", request_id=request_id) from None
        return Inference(response.model_name, response.model_version, outputs, request_id)


def failure(code: Any, details: str, trailers: Mapping[str, str], wall_clock: float) -> ClientError:
    """The error that a call's status means.

    Args:
        code, details: the status.
        trailers: the metadata that came with it.
        wall_clock: seconds since 1970, for ``Retry-After``.
    """
    request_id = trailers.get("x-request-id", "")  # none if no server of ours answered
    retry_after = parse_retry_after(trailers.get("retry-after"), wall_clock)
    kind = _BY_CODE.get(code, ServerFailed)
    if code is grpc.StatusCode.UNAVAILABLE:
        kind = NotReady if request_id else Unreachable
    elif code is grpc.StatusCode.RESOURCE_EXHAUSTED:  # 429 and 413
        too_large = BadAnswer if "larger than max" in details and not request_id else InvalidInput
        kind = Overloaded if retry_after is not None else too_large
    message = details or f"the call ended with the status {getattr(code, 'name', code)}"
    return of_kind(kind, 0, Refusal(message, retry_after, request_id))


def _written(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def _set_parameter(parameter: Any, name: str, value: Any) -> None:
    if isinstance(value, bool):
        parameter.bool_param = value
    elif isinstance(value, int) and -(2**63) <= value < 2**63:
        parameter.int64_param = value
    elif isinstance(value, (str, float)):
        parameter.string_param = str(value)  # the protocol has no fractions; servers of ours read them from texts
    else:
        raise ConfigurationError(f'the parameter "{name}" is neither a text, a number nor a boolean, as gRPC needs')


def _tensor(entry: Any) -> Tensor:
    values = tuple(getattr(entry.contents, _CONTENTS[entry.datatype]))
    if entry.datatype == "BYTES":
        values = tuple(value.decode() for value in values)
    return Tensor(entry.datatype, tuple(entry.shape), values)


def _specs(entries: Any) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(each.name, each.datatype, tuple(each.shape)) for each in entries)
