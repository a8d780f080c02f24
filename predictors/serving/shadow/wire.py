"""A copy as a V2 request, and the canary's answer as outputs."""

from math import prod
from typing import Any, NamedTuple

import numpy as np
import orjson

from predictors.serving.model.types import (
    NUMPY_TYPES,
    Batch,
    ColumnBatch,
    FeatureBatch,
    Outputs,
    Parameters,
    PromptBatch,
    TensorSpec,
)
from predictors.serving.protocols.json_tensor import json_tensor

# It says how a V2 answer is written, not what it holds.
_BINARY = "binary_data_output"


class UnreadableAnswer(Exception):
    """What came is no V2 answer with the outputs of the model here."""


class Answer(NamedTuple):
    """A canary's answer.

    Args:
        version: of the canary; empty if it does not say.
        outputs: by the names that the model here gives them.
    """

    version: str
    outputs: Outputs


def encode_request(batch: Batch, name: str) -> bytes:
    """Write a batch as the body of a V2 request for all outputs.

    Args:
        batch: features, columns or texts.
        name: of the input tensor, where there is only one.
    """
    assert not isinstance(batch, PromptBatch)  # noqa: S101  # V2 has no form for it, so the sampler leaves it out
    if isinstance(batch, ColumnBatch):
        columns = batch.columns
    else:
        columns = {name: batch.features if isinstance(batch, FeatureBatch) else batch.texts}
    body: dict[str, Any] = {"inputs": [json_tensor(each, column) for each, column in columns.items()]}
    if parameters := _scalars(batch.parameters):
        body["parameters"] = parameters
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def _scalars(parameters: Parameters) -> Parameters:
    """Those parameters that V2 can carry; models ignore others where a protocol lets them pass."""
    return {name: value for name, value in parameters.items() if name != _BINARY and _is_scalar(value)}


def _is_scalar(value: object) -> bool:
    return type(value) in (str, int, float, bool) or (type(value) is list and set(map(type, value)) <= {str})


def decode_answer(body: bytes, specs: tuple[TensorSpec, ...], rows: int) -> Answer:
    """Read the body of a V2 answer, which may hold anything.

    Args:
        body: what came.
        specs: the outputs that are compared.
        rows: of the batch that was asked.

    Raises:
        UnreadableAnswer: it is not JSON, or lacks an output, or one has another type or another number of rows.
    """
    try:
        answer = orjson.loads(body)
        version = answer.get("model_version")
        entries = {entry["name"]: entry for entry in answer["outputs"]}
        outputs = {spec.name: _column(entries[spec.name], spec, rows) for spec in specs}
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnreadableAnswer(type(error).__name__) from None
    return Answer(version if isinstance(version, str) else "", outputs)


def _column(entry: dict[str, Any], spec: TensorSpec, rows: int) -> Any:
    shape, data = entry["shape"], entry["data"]
    if entry["datatype"] != spec.datatype or shape[:1] != [rows] or len(shape) != len(spec.shape):
        raise ValueError("another datatype, another rank, or another number of rows")
    if not isinstance(data, list) or prod(shape) != len(data):
        raise ValueError("the shape does not match the data")
    types = set(map(type, data))
    if spec.datatype == "BYTES":
        if types != {str}:
            raise ValueError("not only strings")
        return data
    dtype = NUMPY_TYPES[spec.datatype]
    allowed: dict[str, set[type]] = {"f": {int, float}, "b": {bool}}
    if not types <= allowed.get(dtype.kind, {int}):
        raise ValueError("not only numbers of this kind")
    return np.array(data, dtype=dtype).reshape(shape)
