"""Answers as bytes, and the keys that they are kept under.

An answer is kept as bytes. So its size is known, it goes to a shared server as it is, and every caller gets a copy of
its own.
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
from predictors.serving.model.types import NUMPY_TYPES, Batch, Column, FeatureBatch, Outputs, TextBatch

# Part of every key, so that a release with another encoding never reads what this one wrote to a shared server.
_FORMAT = b"1"
# A checksum of all that follows, then the length of the JSON that the arrays' numbers stand behind.
_HEAD = struct.Struct("<II")
_DATATYPES = {dtype: name for name, dtype in NUMPY_TYPES.items()}


class UnreadableResult(ValueError):
    """Bytes that are not what `encode_outputs` wrote under this key."""


def result_key(model: str, digest: str, batch: Batch) -> str:
    """Name the answer of a model to a batch: SHA-256, 64 hexadecimal digits.

    Args:
        model: its kind.
        digest: of the artifact, with whatever else decides the answer.
        batch: what to answer.

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
        whole.update(len(part).to_bytes(8, "little"))  # so that no two lists of parts run together to the same bytes
        whole.update(part)
    return whole.hexdigest()


def _content(batch: Batch) -> list[bytes]:
    if isinstance(batch, FeatureBatch):
        features = batch.features.astype("<f8", copy=False)
        return [repr(features.shape).encode(), features.tobytes()]
    if isinstance(batch, TextBatch):
        return [text.encode() for text in batch.texts]
    return [text.encode() for text in (batch.text, *chain.from_iterable(batch.messages))]


def encode_outputs(key: str, outputs: Outputs) -> bytes:
    """Write outputs as bytes: arrays exactly, lists as JSON has them (a NaN within a list becomes null).

    Args:
        key: goes into the checksum, so that a reply that belongs to another key is found out.
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
    """Read what `encode_outputs` wrote; nothing in it is shared with any other reading.

    Raises:
        UnreadableResult: it is something else, or not whole.
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
