"""From parsed values to typed rows: the checks that every protocol shares.

Valid batches pass whole-batch checks that run in C. Only a batch that fails one is searched for the offending field.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.model.arrays import to_array
from predictors.serving.model.columns import columns_from_rows
from predictors.serving.model.names import JSON_TYPES, brief, json_type
from predictors.serving.model.types import (
    Batch,
    ColumnBatch,
    ColumnInput,
    FeatureBatch,
    FeatureInput,
    FloatArray,
    Input,
    Limits,
    Parameters,
    TextBatch,
)

T = TypeVar("T")

FP32_MAX = float(np.finfo(np.float32).max)
_NUMBERS = {int, float}
# What JSON Schema's "\s" matches, so that the OpenAPI document says exactly what is refused (ECMA-262, 22.2.2.9).
_WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


def batch_from_instances(instances: list[Any], kind: Input, limits: Limits, parameters: Parameters) -> Batch:
    """Turn V1's instances into the batch that a model computes on.

    Raises:
        InvalidInput, TooLarge: naming the offending element.
    """
    check_row_count(len(instances), "instances", limits)
    if isinstance(kind, FeatureInput):
        read = sparse_feature_rows if kind.missing else feature_rows
        return FeatureBatch(read(instances, kind.names, "instances"), parameters)
    if isinstance(kind, ColumnInput):
        return ColumnBatch(columns_from_rows(instances, kind, "instances", limits), parameters)
    return TextBatch(text_rows(instances, kind.name, "instances", limits), parameters)


def check_row_count(count: int, field: str, limits: Limits) -> None:
    """Refuse an empty or too long batch.

    Raises:
        InvalidInput: no row.
        TooLarge: more than ``limits.max_rows``.
    """
    if count == 0:
        raise InvalidInput(f'"{field}" is empty; at least 1 row is needed')
    if count > limits.max_rows:
        raise TooLarge(f'"{field}" has {count} rows; at most {limits.max_rows} are allowed in one request')


def feature_rows(rows: Sequence[Any], names: tuple[str, ...], field: str) -> FloatArray:
    """Turn lists of numbers, or objects keyed by feature name, into float64 ``[N, F]``.

    Raises:
        InvalidInput: naming the first invalid element.
    """
    if any(type(row) is dict for row in rows):
        rows = [_row_from_object(row, names, f"{field}[{i}]") for i, row in enumerate(rows)]
    if set(map(type, rows)) != {list} or set(map(len, rows)) != {len(names)}:
        raise _bad_row(rows, names, field)
    if not set(map(type, chain.from_iterable(rows))) <= _NUMBERS:
        raise _bad_number(rows, names, field)
    try:
        array = to_array(rows, np.dtype(np.float64), len(names))
    except OverflowError:  # an integer of more than 1,024 bits
        raise InvalidInput(f'"{field}" holds an integer that is too large; numbers must fit FP32') from None
    if len(rows) == 1 and sum(map(abs, rows[0])) <= FP32_MAX:  # false for NaN too
        return array  # for so few numbers this is faster than NumPy
    return finite_features(array, names, field)


def sparse_feature_rows(rows: Sequence[Any], names: tuple[str, ...], field: str) -> FloatArray:
    """As `feature_rows`, but null is a value that is missing: NaN.

    Raises:
        InvalidInput: naming the first invalid element.
    """
    lists = [_row_from_object(row, names, f"{field}[{i}]") for i, row in enumerate(rows)]
    if set(map(type, lists)) != {list} or set(map(len, lists)) != {len(names)}:
        raise _bad_row(lists, names, field)
    missing = np.array([[value is None for value in row] for row in lists])
    array = feature_rows([[0.0 if value is None else value for value in row] for row in lists], names, field)
    array[missing] = np.nan
    return array


def finite_or_missing(array: FloatArray, names: tuple[str, ...], field: str) -> FloatArray:
    """As `finite_features`, but NaN passes.

    Raises:
        InvalidInput: naming the first infinity or number that FP32 cannot hold.
    """
    finite_features(np.where(np.isnan(array), 0.0, array), names, field)
    return array


def finite_features(array: FloatArray, names: tuple[str, ...], field: str) -> FloatArray:
    """Refuse NaN, infinities and what FP32 cannot hold, since trees are trained on FP32.

    Args:
        array: float64 ``[N, F]``.
        names: of its ``F`` columns.
        field: where it is in the request, for the error.

    Raises:
        InvalidInput: naming the first such element.
    """
    if not np.maximum.reduce(np.abs(array), axis=None) <= FP32_MAX:  # true for NaN too
        row, column = np.argwhere(~(np.abs(array) <= FP32_MAX))[0]
        raise InvalidInput(
            f"{field}[{row}][{column}] ({names[column]}) is not a finite number within the range of FP32"
        )
    return array


def text_rows(rows: Sequence[Any], key: str, field: str, limits: Limits) -> list[str]:
    """Turn strings, or objects ``{key: string}``, into a list of strings.

    Raises:
        InvalidInput: an element of another type, or a blank text.
        TooLarge: a text of more than ``limits.max_text_chars`` characters.
    """
    texts = []
    for i, row in enumerate(rows):
        where = f"{field}[{i}]"
        if type(row) is dict:
            if key not in row:
                raise InvalidInput(f'{where} lacks the field "{key}"')
            row, where = row[key], f"{where}.{key}"
        texts.append(check_text(expect(row, str, where), where, limits))
    return texts


def check_text(text: str, where: str, limits: Limits) -> str:
    """Refuse a blank or too long text.

    Raises:
        InvalidInput: nothing but white space.
        TooLarge: more than ``limits.max_text_chars`` characters.
    """
    if len(text) > limits.max_text_chars:
        raise TooLarge(f"{where} has {len(text)} characters; at most {limits.max_text_chars} are allowed")
    if not text.strip(_WHITE_SPACE):
        raise InvalidInput(f"{where} is blank; a text is expected")
    return text


def _row_from_object(row: Any, names: tuple[str, ...], where: str) -> Any:
    if type(row) is not dict:
        return row
    missing = [name for name in names if name not in row]
    if missing:
        raise InvalidInput(f'{where} lacks the field "{missing[0]}"')
    extra = [name for name in row if name not in names]
    if extra:
        raise InvalidInput(f'{where} has an unknown field "{extra[0][:64]}"; allowed are {brief(names)}')
    return [row[name] for name in names]


def _bad_row(rows: Sequence[Any], names: tuple[str, ...], field: str) -> InvalidInput:
    for i, row in enumerate(rows):
        if type(row) is not list:
            return InvalidInput(
                f"{field}[{i}] is {json_type(row)}; a list of {len(names)} numbers or an object is expected"
            )
        if len(row) != len(names):
            return InvalidInput(f"{field}[{i}] has {len(row)} elements; {len(names)} are expected: {brief(names)}")
    raise AssertionError("every row is a list of the right length")


def _bad_number(rows: Sequence[list[Any]], names: tuple[str, ...], field: str) -> InvalidInput:
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if type(value) not in _NUMBERS:
                return InvalidInput(f"{field}[{i}][{j}] ({names[j]}) is {json_type(value)}; a number is expected")
    raise AssertionError("every element is a number")


def expect(value: object, kind: type[T], where: str) -> T:
    """Return a parsed value that must be of one JSON type.

    Args:
        value: the value.
        kind: str, list, dict or bool.
        where: its place in the request, for the error.

    Raises:
        InvalidInput: it is of another type.
    """
    if isinstance(value, kind):
        return value
    raise InvalidInput(f"{where} is {json_type(value)}; {JSON_TYPES[kind]} is expected")
