"""V2 tensors, as REST and gRPC share them: datatypes, checks, and the conversion to a batch."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.serving.errors import InvalidInput
from predictors.serving.model.types import (
    NUMPY_TYPES,
    Batch,
    Column,
    FeatureBatch,
    FeatureInput,
    FloatArray,
    Input,
    Limits,
    Parameters,
    TensorSpec,
    TextBatch,
)
from predictors.serving.model.validation import check_row_count, check_text, finite_features

FEATURE_TYPES = ("FP32", "FP64", "INT8", "INT16", "INT32", "INT64")
# Models here take two dimensions at most; a few more are let through to the error that names the expected shape.
_MAX_RANK = 8
_MAX_NAME = 128


@dataclass(slots=True)
class Tensor:
    """An input tensor whose shape matches its data: an array of that shape, or its strings in row-major order."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Column


def allowed_types(kind: Input) -> tuple[str, ...]:
    """The datatypes that a model with this input takes."""
    return FEATURE_TYPES if isinstance(kind, FeatureInput) else ("BYTES",)


def check_header(name: str, datatype: str, shape: Sequence[Any], allowed: tuple[str, ...]) -> tuple[int, ...]:
    """Check a tensor's name, datatype and shape, before its data is read.

    Returns:
        The shape.

    Raises:
        InvalidInput: an unknown or unsuitable datatype, or a dimension that is not a positive integer.
    """
    if len(name) > _MAX_NAME:
        raise InvalidInput(f"an input has a name of {len(name)} characters; at most {_MAX_NAME} are allowed")
    if datatype not in allowed:
        known = datatype in NUMPY_TYPES or datatype == "BYTES"
        what = "this model does not take" if known else "the protocol does not know"
        raise InvalidInput(
            f'input "{name}" has the datatype "{datatype[:32]}", which {what}; allowed are {", ".join(allowed)}'
        )
    if not 1 <= len(shape) <= _MAX_RANK:
        raise InvalidInput(f'input "{name}" has a shape of {len(shape)} dimensions; 1 or 2 are expected')
    for dimension in shape:
        if type(dimension) is not int or dimension < 1:
            raise InvalidInput(f'input "{name}" has a shape with a dimension that is not a positive integer')
    return tuple(shape)


def check_size(name: str, shape: tuple[int, ...], count: int) -> None:
    """Check that the shape and the data agree.

    Raises:
        InvalidInput: they do not.
    """
    if prod(shape) != count:
        raise InvalidInput(
            f'input "{name}" has {count} elements, but its shape {list(shape)} asks for {_brief(prod(shape))}'
        )


def _brief(number: int) -> str:
    return str(number) if number < 10**18 else "far more"


def from_bytes(name: str, datatype: str, shape: tuple[int, ...], raw: bytes | memoryview) -> Tensor:
    """Read a tensor in the binary form: little-endian numbers, or strings that each follow a 4-byte length.

    Raises:
        InvalidInput: the number of bytes does not match, or a string is not UTF-8.
    """
    if datatype == "BYTES":
        texts = _split_strings(name, raw)
        check_size(name, shape, len(texts))
        return Tensor(name, datatype, shape, texts)
    dtype = NUMPY_TYPES[datatype]
    if len(raw) != prod(shape) * dtype.itemsize:
        raise InvalidInput(
            f'input "{name}" has {len(raw)} bytes of data, but its shape {list(shape)} of {datatype} '
            f"asks for {_brief(prod(shape) * dtype.itemsize)}"
        )
    return Tensor(name, datatype, shape, np.frombuffer(raw, dtype=dtype).reshape(shape))


def _split_strings(name: str, raw: bytes | memoryview) -> list[str]:
    texts: list[str] = []
    at, end = 0, len(raw)
    while at < end:
        if at + 4 > end:
            raise InvalidInput(f'input "{name}" ends within the 4-byte length of element {len(texts)}')
        (length,) = struct.unpack_from("<I", raw, at)
        at += 4
        if at + length > end:
            raise InvalidInput(f'input "{name}" ends within element {len(texts)}, which claims {length} bytes')
        texts.append(text_from_utf8(name, len(texts), bytes(raw[at : at + length])))
        at += length
    return texts


def text_from_utf8(name: str, index: int, raw: bytes) -> str:
    """Decode one BYTES element.

    Raises:
        InvalidInput: it is not UTF-8.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InvalidInput(f'input "{name}" element {index} is not valid UTF-8 text') from None


def to_bytes(column: Column) -> bytes:
    """Write a column in the binary form."""
    if isinstance(column, list):
        encoded = [text.encode() for text in column]
        return b"".join(part for raw in encoded for part in (struct.pack("<I", len(raw)), raw))
    return column.tobytes()


def to_batch(tensors: list[Tensor], kind: Input, limits: Limits, parameters: Parameters) -> Batch:
    """Assemble a model's batch.

    Raises:
        InvalidInput: wrong names, number or shapes of inputs.
        TooLarge: too many rows, or too long a text.
    """
    if isinstance(kind, FeatureInput):
        return FeatureBatch(_features(tensors, kind.names, limits), parameters)
    if len(tensors) != 1:
        raise InvalidInput(f'"inputs" has {len(tensors)} tensors; one of BYTES [N] or [N, 1] is expected')
    tensor = tensors[0]
    _check_column_shape(tensor)
    check_row_count(tensor.shape[0], tensor.name, limits)
    assert isinstance(tensor.data, list)  # noqa: S101  # narrowed by the datatype check
    texts = [check_text(text, f'input "{tensor.name}" element {i}', limits) for i, text in enumerate(tensor.data)]
    return TextBatch(texts, parameters)


def _features(tensors: list[Tensor], names: tuple[str, ...], limits: Limits) -> FloatArray:
    if len(tensors) == 1:
        tensor = tensors[0]
        if len(tensor.shape) != 2 or tensor.shape[1] != len(names):
            raise InvalidInput(
                f'input "{tensor.name}" has the shape {list(tensor.shape)}; [N, {len(names)}] is expected'
            )
        check_row_count(tensor.shape[0], tensor.name, limits)
        return finite_features(_float64(tensor), tensor.name)
    if len(tensors) != len(names):
        raise InvalidInput(
            f'"inputs" has {len(tensors)} tensors; one of [N, {len(names)}] or one for each of '
            f"{', '.join(names)} is expected"
        )
    by_name = {tensor.name: tensor for tensor in tensors}
    for name in names:
        if name not in by_name:
            raise InvalidInput(f'"inputs" lacks the tensor "{name}"; one tensor per feature must have its name')
    for tensor in tensors:
        _check_column_shape(tensor)
        if tensor.shape[0] != tensors[0].shape[0]:
            raise InvalidInput(f'input "{tensor.name}" has {tensor.shape[0]} rows, others have {tensors[0].shape[0]}')
        check_row_count(tensor.shape[0], tensor.name, limits)
    columns = [finite_features(_float64(by_name[name]).reshape(-1, 1), name) for name in names]
    return np.hstack(columns)


def _check_column_shape(tensor: Tensor) -> None:
    if tensor.shape[1:] not in ((), (1,)):
        raise InvalidInput(f'input "{tensor.name}" has the shape {list(tensor.shape)}; [N] or [N, 1] is expected')


def _float64(tensor: Tensor) -> FloatArray:
    assert not isinstance(tensor.data, list)  # noqa: S101  # narrowed by the datatype check
    if tensor.data.dtype == np.float64:
        return tensor.data
    with np.errstate(invalid="ignore"):  # a signalling NaN is refused later, with its place
        array: NDArray[np.float64] = tensor.data.astype(np.float64)
    return array


def output_shape(column: Column) -> list[int]:
    """The shape of an output tensor."""
    return [len(column)] if isinstance(column, list) else list(column.shape)


def select_outputs(requested: list[str], specs: tuple[TensorSpec, ...]) -> list[TensorSpec]:
    """Look up the outputs that a request names; all of them if it names none.

    Raises:
        InvalidInput: an unknown name, or one named twice.
    """
    if not requested:
        return list(specs)
    by_name = {spec.name: spec for spec in specs}
    for name in requested:
        if name not in by_name:
            raise InvalidInput(f'the requested output "{name[:64]}" does not exist; there are {", ".join(by_name)}')
    if len(set(requested)) != len(requested):
        raise InvalidInput('"outputs" names the same output twice')
    return [by_name[name] for name in requested]
