"""Named columns of different datatypes, from V1's rows or V2's tensors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.model.names import brief, json_type
from predictors.serving.model.types import Column, ColumnInput, Limits, TensorSpec

_FP32_MAX = float(np.finfo(np.float32).max)
_INT64 = np.iinfo(np.int64)
# The JSON values that a column takes, by its datatype, and what they are called in errors.
_TAKES: dict[str, tuple[tuple[type, ...], str]] = {
    "FP64": ((int, float), "a number"),
    "INT64": ((int,), "an integer"),
    "BOOL": ((bool,), "true or false"),
    "BYTES": ((str,), "a string"),
}
NUMPY_KINDS: Mapping[str, str] = {"FP64": "fiu", "INT64": "iu", "BOOL": "b"}
"""The kinds of arrays that a column takes as a tensor, by its datatype."""


def columns_from_rows(rows: Sequence[Any], kind: ColumnInput, field: str, limits: Limits) -> dict[str, Column]:
    """Turn objects keyed by column, or lists in the columns' order, into columns.

    Raises:
        InvalidInput: naming the row, and the column, at fault.
        TooLarge: a string of more than ``limits.max_text_chars`` characters.
    """
    names = kind.names
    ordered = [_values(row, names, f"{field}[{i}]") for i, row in enumerate(rows)]
    by_column = zip(*ordered, strict=True)
    return {
        spec.name: _from_json(spec, values, spec.name in kind.missing, field, limits)
        for spec, values in zip(kind.columns, by_column, strict=True)
    }


def _values(row: Any, names: tuple[str, ...], where: str) -> Sequence[Any]:
    if type(row) is dict:
        for name in names:
            if name not in row:
                raise InvalidInput(f'{where} lacks the field "{name}"')
        if len(row) > len(names):
            extra = next(name for name in row if name not in names)
            raise InvalidInput(f'{where} has an unknown field "{extra[:64]}"; allowed are {brief(names)}')
        return [row[name] for name in names]
    if type(row) is not list:
        raise InvalidInput(f"{where} is {json_type(row)}; an object with the fields {brief(names)} is expected")
    if len(row) != len(names):
        raise InvalidInput(f"{where} has {len(row)} elements; {len(names)} are expected: {brief(names)}")
    return row


def _from_json(spec: TensorSpec, values: Sequence[Any], missing: bool, field: str, limits: Limits) -> Column:
    types, expected = _TAKES[spec.datatype]
    for i, value in enumerate(values):
        if type(value) not in types and not (value is None and missing):
            found = json_type(value)
            raise InvalidInput(f"{field}[{i}].{spec.name} is {found}; {expected}{' or null' * missing} is expected")
    if spec.datatype == "BYTES":
        return _strings(values, f"{field}[{{}}].{spec.name}", limits)
    return _checked(spec, _array(spec, values, field), missing, f"{field}[{{}}].{spec.name}")


def _array(spec: TensorSpec, values: Sequence[Any], field: str) -> NDArray[Any]:
    if spec.datatype == "INT64":
        for i, value in enumerate(values):
            if not _INT64.min <= value <= _INT64.max:
                raise InvalidInput(f"{field}[{i}].{spec.name} is outside the range of INT64")
        return np.array(values, dtype=np.int64)
    try:
        return np.array(values, dtype=np.bool_ if spec.datatype == "BOOL" else np.float64)
    except OverflowError:  # an integer of more than 1,024 bits
        raise InvalidInput(f'"{field}" holds an integer in "{spec.name}" that is too large') from None


def column_from_tensor(spec: TensorSpec, data: Column, missing: bool, limits: Limits) -> Column:
    """Turn the data of an input tensor into a column.

    Args:
        spec: of the column.
        data: an array, or strings.
        missing: whether a value may be missing.
        limits: of a string's length.

    Raises:
        InvalidInput: it has another type, or an element is not allowed.
        TooLarge: a string of more than ``limits.max_text_chars`` characters.
    """
    where = f'input "{spec.name}" element {{}}'
    if isinstance(data, list) != (spec.datatype == "BYTES") or (
        not isinstance(data, list) and data.dtype.kind not in NUMPY_KINDS[spec.datatype]
    ):
        raise InvalidInput(f'input "{spec.name}" has another datatype; this column takes {spec.datatype}')
    if isinstance(data, list):
        if None in data and not missing:
            raise InvalidInput(f"{where.format(data.index(None))} is null; a string is expected")
        return _strings(data, where, limits)
    dtype = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_}[spec.datatype]
    with np.errstate(invalid="ignore"):
        return _checked(spec, data.reshape(-1).astype(dtype), missing, where)


def _strings(values: Sequence[Any], where: str, limits: Limits) -> list[Any]:
    for i, value in enumerate(values):
        if value is not None and len(value) > limits.max_text_chars:
            raise TooLarge(
                f"{where.format(i)} has {len(value)} characters; at most {limits.max_text_chars} are allowed"
            )
    return list(values)


def _checked(spec: TensorSpec, array: NDArray[Any], missing: bool, where: str) -> NDArray[Any]:
    """Refuse infinities, what FP32 cannot hold, and NaN where no value may be missing."""
    if spec.datatype != "FP64":
        return array
    good = np.abs(array) <= _FP32_MAX
    if missing:
        good |= np.isnan(array)
    if not good.all():
        at = int(np.argmin(good))
        raise InvalidInput(f"{where.format(at)} is not a finite number within the range of FP32")
    return array
