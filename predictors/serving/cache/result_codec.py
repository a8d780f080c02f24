"""Cached answers as bytes, and their keys.

As bytes, an answer has a known size, can be sent to a shared server as it is, and is decoded to a new copy for every
caller.
"""

import hashlib
import json
import struct
import zlib
from itertools import chain
from math import prod
from typing import Any

import numpy as np
import orjson

from predictors.serving.errors import InvalidInput
from predictors.serving.model.types import NUMPY_TYPES, Batch, Column, ColumnBatch, FeatureBatch, Outputs, TextBatch

# Part of every key, so that a release with another encoding never reads this one's values on a shared server.
_FORMAT = b"1"
# A checksum of all that follows, then the length of the JSON, which the arrays' numbers follow.
_HEAD = struct.Struct("<II")
_DATATYPES = {dtype: name for name, dtype in NUMPY_TYPES.items()}


class UnreadableResult(ValueError):
    """A value that `encode_outputs` did not write under this key."""


def result_key(model: str, digest: str, batch: Batch) -> str:
    """The key of a model's answer to a batch: SHA-256, 64 hexadecimal digits.

    Args:
        model: its kind.
        digest: identifies the artifact and whatever else determines the answer.
        batch: what is answered.

    Raises:
        InvalidInput: the parameters are nested too deep.
    """
    try:
        # Not orjson, which writes NaN as null.
        parameters = json.dumps(batch.parameters, sort_keys=True).encode()
    except RecursionError:
        raise InvalidInput('"parameters" is nested too deep') from None
    names = (type(batch).__name__.encode(), model.encode(), digest.encode())
    whole = hashlib.sha256()
    for part in (_FORMAT, *names, parameters, *_content(batch)):
        whole.update(len(part).to_bytes(8, "little"))  # so that no two lists of parts give the same bytes
        whole.update(part)
    return whole.hexdigest()


def _content(batch: Batch) -> list[bytes]:
    if isinstance(batch, FeatureBatch):
        features = batch.features.astype("<f8", copy=False)
        return [repr(features.shape).encode(), features.tobytes()]
    if isinstance(batch, ColumnBatch):
        return [part for name, column in batch.columns.items() for part in (name.encode(), _column_content(column))]
    if isinstance(batch, TextBatch):
        return [text.encode() for text in batch.texts]
    return [text.encode() for text in (batch.text, *chain.from_iterable(batch.messages))]


def _column_content(column: Column) -> bytes:
    return orjson.dumps(column) if isinstance(column, list) else column.tobytes()


def encode_outputs(key: str, outputs: Outputs) -> bytes:
    """Write outputs as bytes: arrays exactly, lists as JSON (a NaN in a list becomes null).

    Args:
        key: part of the checksum, which then detects a reply that belongs to another key.
        outputs: the columns.

    Raises:
        TypeError: a column is neither an array of one of V2's datatypes nor what JSON can hold.
    """
    columns: list[tuple[Any, ...]] = []
    numbers = []
    for name, column in outputs.items():
        if isinstance(column, list):
            columns.append((name, column))
        elif column.dtype in _DATATYPES:
            columns.append((name, _DATATYPES[column.dtype], column.shape))
            numbers.append(column.tobytes())
        else:
            raise TypeError(f'the column "{name}" has the type {column.dtype}, which no answer can hold')
    text = orjson.dumps(columns)
    checked = b"".join((len(text).to_bytes(4, "little"), text, *numbers))
    return _checksum(key, checked).to_bytes(4, "little") + checked


def decode_outputs(key: str, value: bytes) -> Outputs:
    """Read what `encode_outputs` wrote, as a new copy.

    Raises:
        UnreadableResult: it is something else, or incomplete.
    """
    if len(value) < _HEAD.size:
        raise UnreadableResult("the value is too short")
    checksum, length = _HEAD.unpack_from(value)
    if checksum != _checksum(key, memoryview(value)[4:]):
        raise UnreadableResult("the checksum does not match")
    at = _HEAD.size + length
    outputs: Outputs = {}
    for name, *column in orjson.loads(value[_HEAD.size : at]):
        outputs[name], at = _column(column, value, at)
    return outputs


def _column(column: list[Any], value: bytes, at: int) -> tuple[Column, int]:
    if len(column) == 1:
        return column[0], at
    dtype, shape = NUMPY_TYPES[column[0]], column[1]
    array = np.frombuffer(value, dtype, prod(shape), at) if prod(shape) else np.empty(0, dtype)
    return array.reshape(shape).copy(), at + array.nbytes


def _checksum(key: str, checked: bytes | memoryview) -> int:
    return zlib.crc32(checked, zlib.crc32(key.encode()))
