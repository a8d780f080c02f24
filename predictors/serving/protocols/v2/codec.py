"""The V2 (Open Inference) wire format over REST, with the binary tensor extension in both directions."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson

from predictors.serving.errors import InvalidInput
from predictors.serving.model.arrays import to_array
from predictors.serving.model.names import json_type
from predictors.serving.model.types import NUMPY_TYPES, Batch, Input, Limits, Outputs, Parameters, TensorSpec
from predictors.serving.model.validation import expect
from predictors.serving.protocols import outputs as output_tensors
from predictors.serving.protocols import tensors
from predictors.serving.protocols.json_body import parameters_of, parse_object
from predictors.serving.protocols.tensors import Tensor


@dataclass(slots=True)
class WantedOutputs:
    """What the answer must hold, and in which form.

    Args:
        id: the request's own id, if it gave one.
        parameters: the request's parameters to echo, without those that control the encoding.
        outputs: the requested outputs, in order.
        binary: the names of those in binary form.
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
        body: the JSON, followed by binary tensors if ``json_length`` is shorter.
        json_length: the value of the header ``Inference-Header-Content-Length``, if given.
        kind: the model's input.
        specs: its outputs.
        limits: of the batch's size.

    Raises:
        InvalidInput, TooLarge: naming the offending field.
    """
    payload, binary = _split(body, json_length)
    if "inputs" not in payload:
        raise InvalidInput('the field "inputs" is missing; it holds the list of input tensors')
    entries = expect(payload["inputs"], list, '"inputs"')
    tensors.check_tensor_count(len(entries), kind)
    request_id = payload.get("id")
    if request_id is not None:
        expect(request_id, str, '"id"')
    parameters = parameters_of(payload)
    if parameters:
        _drop_mlserver_fields(parameters)
        _check_values(parameters)
    binary_default = expect(parameters.pop("binary_data_output", False), bool, '"parameters.binary_data_output"')
    inputs = []
    for i, entry in enumerate(entries):
        tensor, binary = _tensor(entry, f"inputs[{i}]", kind, limits, binary)
        inputs.append(tensor)
    if len(binary):
        raise InvalidInput(f"the body has {len(binary)} bytes of binary data that no input's binary_data_size claims")
    batch = tensors.to_batch(inputs, kind, limits, parameters)
    outputs, binary_names = _requested_outputs(payload, specs, binary_default)
    return batch, WantedOutputs(request_id, parameters, outputs, binary_names)


def _split(body: bytes, json_length: int | None) -> tuple[dict[str, Any], memoryview]:
    """Parse the JSON of a body; returns it and the binary data after it."""
    view = memoryview(body)
    if json_length is None:
        return parse_object(body, "inputs"), view[len(body) :]
    if not 0 < json_length <= len(body):
        raise InvalidInput(f"inference-header-content-length is {json_length}, but the body has {len(body)} bytes")
    return parse_object(view[:json_length], "inputs"), view[json_length:]


def encode(outputs: Outputs, wanted: WantedOutputs, model: str, version: str) -> tuple[bytes, int | None]:
    """Encode an answer.

    Returns:
        The body, and the length of its JSON part if binary tensors follow it.
    """
    entries, blobs = [], []
    for spec in wanted.outputs:
        column = outputs[spec.name]
        entry: dict[str, Any] = {
            "name": spec.name,
            "datatype": spec.datatype,
            "shape": output_tensors.output_shape(column),
        }
        if spec.name in wanted.binary:
            blob = output_tensors.to_bytes(column)
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


def _tensor(entry: Any, where: str, kind: Input, limits: Limits, binary: memoryview) -> tuple[Tensor, memoryview]:
    """Read a tensor; returns it, and the binary data that is left."""
    expect(entry, dict, where)
    name = _string(entry, "name", where)
    datatype = _string(entry, "datatype", where)
    shape = tensors.check_header(name, datatype, expect(entry.get("shape"), list, f'"{where}.shape"'), kind, limits)
    parameters = _parameters(entry, where)
    size = parameters.get("binary_data_size")
    if size is None:
        if "data" not in entry:
            raise InvalidInput(f'{where} lacks the field "data"')
        elements = tensors.element_types(kind, datatype)
        data = expect(entry["data"], list, f'"{where}.data"')
        return _tensor_from_json(TensorSpec(name, datatype, shape), data, elements), binary
    if "data" in entry:
        raise InvalidInput(f'{where} has both "data" and "binary_data_size"; only one is allowed')
    if type(size) is not int or size < 0:
        raise InvalidInput(f"{where}.parameters.binary_data_size must be a number of bytes, 0 or more")
    if size > len(binary):
        raise InvalidInput(f"{where} claims {size} bytes of binary data, but only {len(binary)} are left in the body")
    return tensors.from_bytes(name, datatype, shape, binary[:size]), binary[size:]


def _tensor_from_json(spec: TensorSpec, data: list[Any], elements: tensors.Elements) -> Tensor:
    name, datatype, shape = spec.name, spec.datatype, spec.shape
    if data and type(data[0]) is list:
        data = _flatten(name, shape, data)
    tensors.check_size(name, shape, len(data))
    if not set(map(type, data)) <= elements.types:
        raise _wrong_element(name, data, elements.types, elements.expected)
    if datatype == "BYTES":
        return Tensor(name, datatype, shape, data)
    dtype = NUMPY_TYPES[datatype]
    try:
        with np.errstate(over="ignore"):  # what FP32 cannot hold becomes infinite here and is refused as such
            array = to_array(data, dtype)
    except OverflowError:
        raise InvalidInput(f'input "{name}" holds a number outside the range of {datatype}') from None
    return Tensor(name, datatype, shape, array.reshape(shape))


def _flatten(name: str, shape: tuple[int, ...], data: list[Any]) -> list[Any]:
    """Flatten lists that are nested as the shape says."""
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
    return InvalidInput(f'input "{name}" has data whose nesting does not match its shape {list(shape)}')


def _wrong_element(name: str, data: list[Any], wanted: frozenset[type], expected: str) -> InvalidInput:
    index, value = next((i, value) for i, value in enumerate(data) if type(value) not in wanted)
    return InvalidInput(f'input "{name}" element {index} is {json_type(value)}; {expected} is expected')


def _requested_outputs(
    payload: Mapping[str, Any], specs: tuple[TensorSpec, ...], binary_default: bool
) -> tuple[list[TensorSpec], frozenset[str]]:
    entries = [] if payload.get("outputs") is None else expect(payload["outputs"], list, '"outputs"')
    if entries:
        output_tensors.check_output_count(len(entries), specs)
    names, binary = [], set()
    for i, entry in enumerate(entries):
        where = f"outputs[{i}]"
        name = _string(expect(entry, dict, where), "name", where)
        names.append(name)
        wants_binary = _parameters(entry, where).get("binary_data", binary_default)
        if expect(wants_binary, bool, f'"{where}.parameters.binary_data"'):
            binary.add(name)
    outputs = output_tensors.select_outputs(names, specs)
    if not entries and binary_default:
        binary = {spec.name for spec in specs}
    return outputs, frozenset(binary)


def _check_values(parameters: Parameters) -> None:
    """The protocol's parameters are scalars; a list of strings is allowed too (the summarizer's ``stop``)."""
    for name, value in parameters.items():
        if value is None or type(value) is dict or (type(value) is list and not set(map(type, value)) <= {str}):
            raise InvalidInput(
                f'"parameters.{name[:64]}" is {json_type(value)}; '
                "a string, number, boolean or list of strings is expected"
            )


def _drop_mlserver_fields(parameters: Parameters) -> None:
    """MLServer's clients write fields that they do not use as null; ``headers`` is an object, which it ignores too."""
    if "headers" in parameters:
        headers = parameters.pop("headers")
        expect({} if headers is None else headers, dict, '"parameters.headers"')
    if "content_type" in parameters and parameters["content_type"] is None:
        del parameters["content_type"]


def _parameters(entry: Mapping[str, Any], where: str) -> Parameters:
    """The parameters of one tensor."""
    parameters = parameters_of(entry, f'"{where}.parameters"')
    for extension in tensors.UNSUPPORTED_EXTENSIONS:
        if extension in parameters:
            raise InvalidInput(f"{where} asks for the {extension} extension, which is not supported")
    return parameters


def _string(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if type(value) is not str or not value:
        raise InvalidInput(f'{where} needs the field "{key}", a string')
    return value
