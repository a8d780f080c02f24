"""V2 tensors, as REST and gRPC share them: datatypes, checks, and the conversion to a batch."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictors.serving.errors import InvalidInput
from predictors.serving.model.columns import column_from_tensor
from predictors.serving.model.names import brief
from predictors.serving.model.types import (
    NUMPY_TYPES,
    Batch,
    Column,
    ColumnBatch,
    ColumnInput,
    FeatureBatch,
    FeatureInput,
    FloatArray,
    Input,
    Limits,
    Parameters,
    TextBatch,
    TextInput,
)
from predictors.serving.model.validation import check_row_count, check_text, finite_features, finite_or_missing

FEATURE_TYPES = ("FP32", "FP64", "INT8", "INT16", "INT32", "INT64")
# Models here take two dimensions at most; a few more are let through to the error that names the expected shape.
_MAX_RANK = 8
_MAX_NAME = 128
UNSUPPORTED_EXTENSIONS = ("classification", "shared_memory_region")
"""Extensions of V2 that a tensor's parameters ask for, and that are refused."""


@dataclass(slots=True)
class Tensor:
    """An input tensor whose shape matches its data: an array of that shape, or its strings in row-major order."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Column


def allowed_types(kind: Input) -> tuple[str, ...]:
    """The datatypes that a model with this input takes."""
    if isinstance(kind, ColumnInput):
        return (*FEATURE_TYPES, "BOOL", "BYTES")
    return FEATURE_TYPES if isinstance(kind, FeatureInput) else ("BYTES",)


class Elements(NamedTuple):
    """The JSON values that a tensor may hold, and what they are called in errors."""

    types: frozenset[type]
    expected: str


def element_types(kind: Input, datatype: str) -> Elements:
    """The JSON values of a tensor of this datatype; where a value may be missing, null too."""
    types, expected = {"B": (str, "a string"), "F": (float, "a number")}.get(datatype[0], (int, "an integer"))
    if datatype == "BOOL":
        types, expected = bool, "true or false"
    allowed = {types, int} if types is float else {types}
    if not isinstance(kind, TextInput) and kind.missing and types in (float, str):
        allowed.add(NoneType)
    return Elements(frozenset(allowed), expected)


def check_tensor_count(count: int, kind: Input) -> None:
    """Check how many input tensors there are, before any of them is read.

    Raises:
        InvalidInput: none, or more than the model takes.
    """
    if count == 0:
        raise InvalidInput('"inputs" is empty; at least 1 tensor is needed')
    most = 1 if isinstance(kind, TextInput) else max(1, len(kind.names))
    if count > most:
        raise InvalidInput(f'"inputs" has {count} tensors; {_expected_tensors(kind)}')


def _expected_tensors(kind: Input) -> str:
    if isinstance(kind, TextInput):
        return "one of BYTES [N] or [N, 1] is expected"
    if isinstance(kind, ColumnInput):
        return f"one for each of {brief(kind.names)} is expected"
    return f"one of [N, {len(kind.names)}] or one for each of {brief(kind.names)} is expected"


def check_header(name: str, datatype: str, shape: Sequence[Any], kind: Input, limits: Limits) -> tuple[int, ...]:
    """Check a tensor's name, datatype and shape, before its data is read.

    Returns:
        The shape; it asks for no more elements than the model takes.

    Raises:
        InvalidInput: an unknown or unsuitable datatype, or a dimension that is not a positive integer, or too large.
        TooLarge: too many rows.
    """
    allowed = allowed_types(kind)
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
    width = len(kind.names) if isinstance(kind, FeatureInput) else 1
    if prod(shape[1:]) > width:
        expected = f"[N, {width}]" if isinstance(kind, FeatureInput) else "[N] or [N, 1]"
        raise InvalidInput(f'input "{name}" has the shape {list(shape)}; {expected} is expected')
    check_row_count(shape[0], name, limits)
    return tuple(shape)


def check_size(name: str, shape: tuple[int, ...], count: int) -> None:
    """Check that the shape and the data agree.

    Raises:
        InvalidInput: they do not.
    """
    if prod(shape) != count:
        raise InvalidInput(f'input "{name}" has {count} elements, but its shape {list(shape)} asks for {prod(shape)}')


def from_bytes(name: str, datatype: str, shape: tuple[int, ...], raw: bytes | memoryview) -> Tensor:
    """Read a tensor in the binary form: little-endian numbers, or strings that each follow a 4-byte length.

    Raises:
        InvalidInput: the number of bytes does not match, or a string is not UTF-8.
    """
    if datatype == "BYTES":
        texts = _split_strings(name, shape, raw)
        check_size(name, shape, len(texts))
        return Tensor(name, datatype, shape, texts)
    dtype = NUMPY_TYPES[datatype]
    if len(raw) != prod(shape) * dtype.itemsize:
        raise InvalidInput(
            f'input "{name}" has {len(raw)} bytes of data, but its shape {list(shape)} of {datatype} '
            f"asks for {prod(shape) * dtype.itemsize}"
        )
    return Tensor(name, datatype, shape, np.frombuffer(raw, dtype=dtype).reshape(shape))


def _split_strings(name: str, shape: tuple[int, ...], raw: bytes | memoryview) -> list[str]:
    texts: list[str] = []
    at, end, most = 0, len(raw), prod(shape)
    while at < end:
        if len(texts) == most:
            raise InvalidInput(f'input "{name}" has more elements than its shape {list(shape)} asks for')
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


def to_batch(tensors: list[Tensor], kind: Input, limits: Limits, parameters: Parameters) -> Batch:
    """Assemble a model's batch.

    Raises:
        InvalidInput: wrong names, number or shapes of inputs.
        TooLarge: too many rows, or too long a text.
    """
    if isinstance(kind, FeatureInput):
        return FeatureBatch(_features(tensors, kind, limits), parameters)
    if isinstance(kind, ColumnInput):
        return ColumnBatch(_columns(tensors, kind, limits), parameters)
    if len(tensors) != 1:
        raise InvalidInput(f'"inputs" has {len(tensors)} tensors; {_expected_tensors(kind)}')
    tensor = tensors[0]
    _check_column_shape(tensor)
    check_row_count(tensor.shape[0], tensor.name, limits)
    assert isinstance(tensor.data, list)  # noqa: S101  # narrowed by the datatype check
    texts = [check_text(text, f'input "{tensor.name}" element {i}', limits) for i, text in enumerate(tensor.data)]
    return TextBatch(texts, parameters)


def _columns(tensors: list[Tensor], kind: ColumnInput, limits: Limits) -> dict[str, Column]:
    if len(tensors) != len(kind.columns):
        raise InvalidInput(f'"inputs" has {len(tensors)} tensors; {_expected_tensors(kind)}')
    by_name = _one_for_each(tensors, kind.names, limits)
    return {
        spec.name: column_from_tensor(spec, by_name[spec.name].data, spec.name in kind.missing, limits)
        for spec in kind.columns
    }


def _features(tensors: list[Tensor], kind: FeatureInput, limits: Limits) -> FloatArray:
    names, checked = kind.names, finite_or_missing if kind.missing else finite_features
    if len(tensors) == 1 and (tensors[0].name,) != names:
        tensor = tensors[0]
        if len(tensor.shape) != 2 or tensor.shape[1] != len(names):
            raise InvalidInput(
                f'input "{tensor.name}" has the shape {list(tensor.shape)}; [N, {len(names)}] is expected'
            )
        check_row_count(tensor.shape[0], tensor.name, limits)
        return checked(_float64(tensor), names, tensor.name)
    if len(tensors) != len(names):
        raise InvalidInput(f'"inputs" has {len(tensors)} tensors; {_expected_tensors(kind)}')
    by_name = _one_for_each(tensors, names, limits)
    columns = [checked(_float64(by_name[name]).reshape(-1, 1), (name,), name) for name in names]
    return np.hstack(columns)


def _one_for_each(tensors: list[Tensor], names: tuple[str, ...], limits: Limits) -> dict[str, Tensor]:
    """The tensors by name: a column of the same number of rows for each name."""
    by_name = {tensor.name: tensor for tensor in tensors}
    for name in names:
        if name not in by_name:
            raise InvalidInput(f'"inputs" lacks the tensor "{name}"; one tensor per feature must have its name')
    for tensor in tensors:
        _check_column_shape(tensor)
        if tensor.shape[0] != tensors[0].shape[0]:
            raise InvalidInput(f'input "{tensor.name}" has {tensor.shape[0]} rows, others have {tensors[0].shape[0]}')
        check_row_count(tensor.shape[0], tensor.name, limits)
    return by_name


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
