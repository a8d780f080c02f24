"""The V1 wire format: ``{"instances": […]}`` in, ``{"predictions": […]}`` out."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson

from predictors.serving.errors import InvalidInput
from predictors.serving.model.names import json_type
from predictors.serving.model.types import Batch, Column, Input, Limits, Outputs
from predictors.serving.model.validation import batch_from_instances, expect
from predictors.serving.protocols.json_body import parameters_of, parse_object

Fields: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""A field of the answer → an output column, or several that become one object per row."""


def decode(body: bytes, kind: Input, limits: Limits) -> Batch:
    """Decode a request body.

    Raises:
        InvalidInput, TooLarge: naming the offending field.
    """
    return decode_payload(parse_object(body, "instances"), kind, limits)


def decode_payload(payload: Mapping[str, Any], kind: Input, limits: Limits) -> Batch:
    """Decode a parsed body, as KServe passes it to `Model.predict`.

    Raises:
        InvalidInput, TooLarge: naming the offending field.
    """
    if "instances" not in payload:
        raise InvalidInput('the field "instances" is missing; it holds the list of rows')
    instances = expect(payload["instances"], list, '"instances"')
    return batch_from_instances(instances, kind, limits, parameters_of(payload))


def take_stream(batch: Batch) -> bool:
    """Remove the parameter ``stream`` from a batch; returns whether to stream the answer.

    Raises:
        InvalidInput: it is not a boolean.
    """
    stream = batch.parameters.pop("stream", False)
    if type(stream) is not bool:
        raise InvalidInput(f'the parameter "stream" is {json_type(stream)}; true or false is expected')
    return stream


def encode_payload(outputs: Outputs, fields: Fields, version: str) -> dict[str, Any]:
    """Arrange an answer; its columns stay NumPy arrays."""
    answer: dict[str, Any] = {}
    for name, source in fields.items():
        if isinstance(source, str):
            answer[name] = outputs[source]
        else:
            rows = zip(*(_items(outputs[column]) for column in source), strict=True)
            answer[name] = [dict(zip(source, row, strict=True)) for row in rows]
    answer["model_version"] = version
    return answer


def encode(outputs: Outputs, fields: Fields, version: str) -> bytes:
    """Encode an answer as JSON."""
    return orjson.dumps(encode_payload(outputs, fields, version), option=orjson.OPT_SERIALIZE_NUMPY)


def _items(column: Column) -> list[Any]:
    return column if isinstance(column, list) else column.tolist()
