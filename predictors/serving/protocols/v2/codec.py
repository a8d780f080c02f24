"""The V2 (Open Inference) protocol over REST, with the binary tensor extension both ways."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson

from predictors.serving.errors import InvalidInput
from predictors.serving.model.types import NUMPY_TYPES, Batch, Input, Limits, Outputs, Parameters, TensorSpec
from predictors.serving.model.validation import json_type
from predictors.serving.protocols.json_body import parse_object
from predictors.serving.protocols.tensors import (
    Tensor,
    allowed_types,
    batch_from_tensors,
    check_header,
    check_size,
    output_shape,
    select_outputs,
    tensor_from_bytes,
    tensor_to_bytes,
)


@dataclass(slots=True)
class WantedOutputs:
    """What the answer must hold, and in which form.

    Args:
        id: the request's own id, if it gave one.
        parameters: the request's parameters, given back, without those that steer the encoding.
        outputs: the outputs to give, in order.
        binary: the names of those to give in binary form.
    """

    id: str | None
    parameters: Parameters
    outputs: list[TensorSpec]
    binary: frozenset[str] = frozenset()


def decode(
    body: bytes, json_length: int | None, kind: Input, specs: tuple[TensorSpec, ...], limits: Limits
) -> tuple[Batch, WantedOutputs]:
    """Decode a request body.

    Args:
        body: the JSON, with binary tensors behind it where ``json_length`` says so.
        json_length: the value of the header ``Inference-Header-Content-Length``.
        kind: what the model takes.
        specs: what it gives.
        limits: how much.

    Raises:
        InvalidInput, TooLarge: naming the offending field.
    """
    view = memoryview(body)
    if json_length is None:
        return decode_payload(parse_object(body, "inputs"), memoryview(b""), kind, specs, limits)
    if not 0 < json_length <= len(body):
        raise InvalidInput(f"inference-header-content-length is {json_length}, but the body has {len(body)} bytes")
    payload = parse_object(view[:json_length], "inputs")
    return decode_payload(payload, view[json_length:], kind, specs, limits)


def decode_payload(
    payload: Mapping[str, Any], binary: memoryview, kind: Input, specs: tuple[TensorSpec, ...], limits: Limits
) -> tuple[Batch, WantedOutputs]:
    """Decode a body whose JSON part is parsed already.

    Raises:
        InvalidInput, TooLarge: naming the offending field.
    """
    if "inputs" not in payload:
        raise InvalidInput('the field "inputs" is missing; it holds the list of input tensors')
    inputs = _list(payload["inputs"], "inputs")
    if not inputs:
        raise InvalidInput('"inputs" is empty; at least 1 tensor is needed')
    request_id = payload.get("id")
    if request_id is not None and type(request_id) is not str:
        raise InvalidInput(f'"id" is {json_type(request_id)}; a string is expected')
    parameters = _parameters(payload, "parameters")
    _check_values(parameters)
    binary_default = _boolean(parameters.pop("binary_data_output", False), "parameters.binary_data_output")

    allowed = allowed_types(kind)
    tensors, at = [], 0
    for i, entry in enumerate(inputs):
        tensor, at = _tensor(entry, f"inputs[{i}]", allowed, binary, at)
        tensors.append(tensor)
    if at != len(binary):
        raise InvalidInput(
            f"the body has {len(binary) - at} bytes of binary data that no input's binary_data_size claims"
        )
    batch = batch_from_tensors(tensors, kind, limits, parameters)
    outputs, binary_names = _requested_outputs(payload, specs, binary_default)
    return batch, WantedOutputs(request_id, parameters, outputs, binary_names)


def encode(outputs: Outputs, wanted: WantedOutputs, model: str, version: str) -> tuple[bytes, int | None]:
    """Encode an answer.

    Returns:
        The body, and the length of its JSON part where binary tensors stand behind it.
    """
    entries, blobs = [], []
    for spec in wanted.outputs:
        column = outputs[spec.name]
        entry: dict[str, Any] = {"name": spec.name, "datatype": spec.datatype, "shape": output_shape(column)}
        if spec.name in wanted.binary:
            blob = tensor_to_bytes(column)
            entry["parameters"] = {"binary_data_size": len(blob)}
            blobs.append(blob)
        else:
            entry["data"] = column if isinstance(column, list) else column.reshape(-1)
        entries.append(entry)
    answer: dict[str, Any] = {"model_name": model, "model_version": version, "outputs": entries}
    if wanted.id is not None:
        answer["id"] = wanted.id
    if wanted.parameters:
        answer["parameters"] = wanted.parameters
    header = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    if not blobs:
        return header, None
    return b"".join((header, *blobs)), len(header)


def _tensor(entry: Any, where: str, allowed: tuple[str, ...], binary: memoryview, at: int) -> tuple[Tensor, int]:
    if type(entry) is not dict:
        raise InvalidInput(f"{where} is {json_type(entry)}; an object is expected")
    name = _string(entry, "name", where)
    datatype = _string(entry, "datatype", where)
    shape = check_header(name, datatype, _list(entry.get("shape"), f"{where}.shape"), allowed)
    parameters = _parameters(entry, f"{where}.parameters")
    _refuse_extensions(parameters, where)
    size = parameters.get("binary_data_size")
    if size is None:
        if "data" not in entry:
            raise InvalidInput(f'{where} lacks the field "data"')
        return _tensor_from_json(name, datatype, shape, _list(entry["data"], f"{where}.data")), at
    if "data" in entry:
        raise InvalidInput(f'{where} has both "data" and "binary_data_size"; only one is allowed')
    if type(size) is not int or size < 0:
        raise InvalidInput(f"{where}.parameters.binary_data_size must be a number of bytes, 0 or more")
    if at + size > len(binary):
        raise InvalidInput(
            f"{where} claims {size} bytes of binary data, but only {len(binary) - at} are left in the body"
        )
    return tensor_from_bytes(name, datatype, shape, binary[at : at + size]), at + size


def _tensor_from_json(name: str, datatype: str, shape: tuple[int, ...], data: list[Any]) -> Tensor:
    if data and type(data[0]) is list:
        data = _flatten(name, shape, data)
    check_size(name, shape, len(data))
    types = set(map(type, data))
    if datatype == "BYTES":
        if types != {str}:
            raise _wrong_element(name, data, {str}, "a string")
        return Tensor(name, datatype, shape, data)
    dtype = NUMPY_TYPES[datatype]
    if dtype.kind == "f":
        if not types <= {int, float}:
            raise _wrong_element(name, data, {int, float}, "a number")
    elif types != {int}:
        raise _wrong_element(name, data, {int}, "an integer")
    try:
        with np.errstate(over="ignore"):  # what FP32 cannot hold becomes infinite here and is refused as such
            array = np.array(data, dtype=dtype)
    except OverflowError:
        raise InvalidInput(f'input "{name}" holds a number outside the range of {datatype}') from None
    return Tensor(name, datatype, shape, array.reshape(shape))


def _flatten(name: str, shape: tuple[int, ...], data: list[Any]) -> list[Any]:
    """Flatten nested lists, which must be nested just as the shape says."""
    if len(data) != shape[0]:
        raise _not_nested_like(name, shape)
    for length in shape[1:]:
        if set(map(type, data)) != {list} or set(map(len, data)) != {length}:
            raise _not_nested_like(name, shape)
        data = list(chain.from_iterable(data))
    if list in set(map(type, data)):
        raise _not_nested_like(name, shape)
    return data


def _not_nested_like(name: str, shape: tuple[int, ...]) -> InvalidInput:
    return InvalidInput(f'input "{name}" has data that is nested otherwise than its shape {list(shape)}')


def _wrong_element(name: str, data: list[Any], wanted: set[type], expected: str) -> InvalidInput:
    index, value = next((i, value) for i, value in enumerate(data) if type(value) not in wanted)
    return InvalidInput(f'input "{name}" element {index} is {json_type(value)}; {expected} is expected')


def _requested_outputs(
    payload: Mapping[str, Any], specs: tuple[TensorSpec, ...], binary_default: bool
) -> tuple[list[TensorSpec], frozenset[str]]:
    entries = [] if payload.get("outputs") is None else _list(payload["outputs"], "outputs")
    names, binary = [], set()
    for i, entry in enumerate(entries):
        where = f"outputs[{i}]"
        if type(entry) is not dict:
            raise InvalidInput(f"{where} is {json_type(entry)}; an object is expected")
        name = _string(entry, "name", where)
        names.append(name)
        parameters = _parameters(entry, f"{where}.parameters")
        _refuse_extensions(parameters, where)
        if _boolean(parameters.get("binary_data", binary_default), f"{where}.parameters.binary_data"):
            binary.add(name)
    outputs = select_outputs(names, specs)
    if not entries and binary_default:
        binary = {spec.name for spec in specs}
    return outputs, frozenset(binary)


def _check_values(parameters: Parameters) -> None:
    """The protocol's parameters are scalars; a list of strings is taken too (the summarizer's ``stop``)."""
    for name, value in parameters.items():
        if value is None or type(value) is dict or (type(value) is list and not set(map(type, value)) <= {str}):
            raise InvalidInput(
                f'"parameters.{name[:64]}" is {json_type(value)}; '
                "a string, number, boolean or list of strings is expected"
            )


def _refuse_extensions(parameters: Parameters, where: str) -> None:
    for extension in ("classification", "shared_memory_region"):
        if extension in parameters:
            raise InvalidInput(f"{where} asks for the {extension} extension, which is not offered")


def _string(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if type(value) is not str or not value:
        raise InvalidInput(f'{where} needs the field "{key}", a string')
    return value


def _list(value: Any, where: str) -> list[Any]:
    if type(value) is not list:
        raise InvalidInput(f'"{where}" is {json_type(value)}; a list is expected')
    return value


def _boolean(value: Any, where: str) -> bool:
    if type(value) is not bool:
        raise InvalidInput(f'"{where}" is {json_type(value)}; a boolean is expected')
    return value


def _parameters(entry: Mapping[str, Any], where: str) -> Parameters:
    value = entry.get("parameters")
    if value is None:
        return {}
    if type(value) is not dict:
        raise InvalidInput(f'"{where}" is {json_type(value)}; an object is expected')
    return dict(value)
