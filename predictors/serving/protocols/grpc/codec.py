"""The V2 protocol's gRPC messages: from a request to a batch, and from outputs to a response."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf import unknown_fields
from google.protobuf.message import DecodeError

from predictors.serving.errors import InvalidInput
from predictors.serving.model.arrays import to_array
from predictors.serving.model.kserve_api import pb
from predictors.serving.model.types import NUMPY_TYPES, Batch, Column, Input, Limits, Outputs, TensorSpec
from predictors.serving.protocols import outputs as output_tensors
from predictors.serving.protocols import tensors
from predictors.serving.protocols.bounds import MOST_PARAMETERS, check_count
from predictors.serving.protocols.tensors import Tensor

# Numbers of fields in Triton's version of the messages that KServe's lacks; Triton's clients send them.
_TRITON_DOUBLE = 4
_TRITON_UINT64 = 5
_TRITON_MODEL_NAME = 2
_TRITON_PARAMETERS = 3
_CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def decode(
    request: pb.ModelInferRequest, kind: Input, specs: tuple[TensorSpec, ...], limits: Limits
) -> tuple[Batch, list[TensorSpec]]:
    """Decode a request.

    Returns:
        The batch, and the requested outputs.

    Raises:
        InvalidInput, TooLarge: naming the offending field.
    """
    tensors.check_tensor_count(len(request.inputs), kind)
    output_tensors.check_output_count(len(request.outputs), specs)
    check_count(request.parameters, MOST_PARAMETERS, '"parameters"')
    _refuse_extensions(request)
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        raise InvalidInput(f'"raw_input_contents" has {len(raw)} entries for {len(request.inputs)} inputs')
    inputs = [_tensor(entry, kind, limits, raw[i] if raw else None) for i, entry in enumerate(request.inputs)]
    parameters = {key: _parameter(key, value) for key, value in request.parameters.items()}
    batch = tensors.to_batch(inputs, kind, limits, parameters)
    return batch, output_tensors.select_outputs([output.name for output in request.outputs], specs)


def encode(
    request: pb.ModelInferRequest, outputs: Outputs, wanted: Sequence[TensorSpec], model: str, version: str
) -> pb.ModelInferResponse:
    """Encode an answer: raw contents if the request's were raw, typed contents otherwise."""
    response = pb.ModelInferResponse(model_name=model, model_version=version, id=request.id)
    for key, value in request.parameters.items():
        response.parameters[key].CopyFrom(value)
    raw = len(request.raw_input_contents) > 0
    for spec in wanted:
        column = outputs[spec.name]
        tensor = response.outputs.add(name=spec.name, datatype=spec.datatype, shape=output_tensors.output_shape(column))
        if raw:
            response.raw_output_contents.append(output_tensors.to_bytes(column))
        else:
            getattr(tensor.contents, _CONTENTS[spec.datatype]).extend(_plain(column))
    return response


def _plain(column: Column) -> list[Any]:
    if isinstance(column, list):
        return [text.encode() for text in column]
    values: list[Any] = column.reshape(-1).tolist()
    return values


def _refuse_extensions(request: pb.ModelInferRequest) -> None:
    for entry in (*request.inputs, *request.outputs):
        for extension in tensors.UNSUPPORTED_EXTENSIONS if entry.parameters else ():
            if extension in entry.parameters:
                raise InvalidInput(f'"{entry.name}" asks for the {extension} extension, which is not supported')


def _tensor(entry: Any, kind: Input, limits: Limits, raw: bytes | None) -> Tensor:
    shape = tensors.check_header(entry.name, entry.datatype, entry.shape, kind, limits)
    field = _CONTENTS[entry.datatype]
    given = [descriptor.name for descriptor, _ in entry.contents.ListFields()]
    if raw is not None:
        if given:
            raise InvalidInput(f'input "{entry.name}" has both raw and typed contents; only one is allowed')
        return tensors.from_bytes(entry.name, entry.datatype, shape, raw)
    if given not in ([], [field]):
        raise InvalidInput(f'input "{entry.name}" has {given[0]}, but {entry.datatype} belongs in {field}')
    values = getattr(entry.contents, field)
    tensors.check_size(entry.name, shape, len(values))
    if entry.datatype == "BYTES":
        texts = [tensors.text_from_utf8(entry.name, i, value) for i, value in enumerate(values)]
        return Tensor(entry.name, entry.datatype, shape, texts)
    dtype = NUMPY_TYPES[entry.datatype]
    try:  # protobuf gives FP32 values as Python floats, already within FP32's range
        array = to_array(list(values), np.dtype(np.float64) if dtype.kind == "f" else dtype)
    except OverflowError:
        raise InvalidInput(f'input "{entry.name}" holds a number outside the range of {entry.datatype}') from None
    return Tensor(entry.name, entry.datatype, shape, array.reshape(shape))


def _parameter(key: str, value: Any) -> Any:
    choice = value.WhichOneof("parameter_choice")
    if choice is not None:
        return getattr(value, choice)
    for field in _unknown_fields(value):
        if field.field_number == _TRITON_DOUBLE:
            return struct.unpack("<d", struct.pack("<Q", field.data))[0]
        if field.field_number == _TRITON_UINT64:
            return field.data
    raise InvalidInput(f'the parameter "{key[:64]}" has no value; a bool, int64, double or string is expected')


def repository_model(request: Any) -> tuple[str, str]:
    """The model that a repository request names, and its version, which may be empty.

    Triton's message and KServe's hold the name in different fields. Only Triton's has parameters; ``version`` is ours.

    Raises:
        InvalidInput: the parameters cannot be read.
    """
    fields = [(field.field_number, field.data) for field in _unknown_fields(request) if isinstance(field.data, bytes)]
    names = [data.decode("utf-8", "replace") for number, data in fields if number == _TRITON_MODEL_NAME]
    parameters = dict(_repository_parameter(data) for number, data in fields if number == _TRITON_PARAMETERS)
    return request.model_name or next(iter(names), ""), parameters.get("version", "")


def _repository_parameter(raw: bytes) -> tuple[str, str]:
    """A parameter of Triton's, whose fields have the numbers of those of inference, and its value if that is a text."""
    try:
        entry = pb.ModelInferRequest.ParametersEntry.FromString(raw)
    except DecodeError:
        raise InvalidInput("the message has parameters that cannot be read") from None
    return entry.key, entry.value.string_param


def _unknown_fields(message: Any) -> list[Any]:
    found: Any = unknown_fields.UnknownFieldSet(message)
    return list(found)
