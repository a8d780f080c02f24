"""The V1 protocol: ``{"instances": […]}`` in, ``{"predictions": […]}`` out."""

from collections.abc import Mapping
from typing import Any

import orjson

from predictors.serving.model.types import Batch, FeatureBatch, FeatureInput, Input, Limits, Outputs, TextBatch, v1_columns
from predictors.serving.errors import InvalidInput
from predictors.serving.model.validation import json_type
from predictors.serving.protocols.json_body import parse_object
from predictors.serving.model.validation import check_row_count, feature_rows, text_rows


def decode(body: bytes, kind: Input, limits: Limits) -> Batch:
    """Decode a request body.

    Raises:
        InvalidInput, TooLarge: naming the offending field.
    """
    return decode_payload(parse_object(body, "instances"), kind, limits)


def decode_payload(payload: Mapping[str, Any], kind: Input, limits: Limits) -> Batch:
    """Decode a body that is parsed already, as KServe hands it to `Model.predict`.

    Raises:
        InvalidInput, TooLarge: naming the offending field.
    """
    if "instances" not in payload:
        raise InvalidInput('the field "instances" is missing; it holds the list of rows')
    instances = payload["instances"]
    if type(instances) is not list:
        raise InvalidInput(f'"instances" is {json_type(instances)}; a list is expected')
    check_row_count(len(instances), "instances", limits)
    parameters = payload.get("parameters")
    if parameters is None:
        parameters = {}
    elif type(parameters) is not dict:
        raise InvalidInput(f'"parameters" is {json_type(parameters)}; an object is expected')
    if isinstance(kind, FeatureInput):
        return FeatureBatch(feature_rows(instances, kind.names, "instances"), parameters)
    return TextBatch(text_rows(instances, kind.name, "instances", limits), parameters)


def take_stream(batch: Batch) -> bool:
    """Take the parameter ``stream`` out of a batch: whether the answer is to come in parts.

    Raises:
        InvalidInput: it is not a boolean.
    """
    stream = batch.parameters.pop("stream", False)
    if type(stream) is not bool:
        raise InvalidInput(f'the parameter "stream" is {json_type(stream)}; true or false is expected')
    return stream


def encode_payload(outputs: Outputs, fields: Mapping[str, str | tuple[str, ...]], version: str) -> dict[str, Any]:
    """Arrange an answer; its arrays are still NumPy's."""
    answer = v1_columns(outputs, fields)
    answer["model_version"] = version
    return answer


def encode(outputs: Outputs, fields: Mapping[str, str | tuple[str, ...]], version: str) -> bytes:
    """Encode an answer as JSON."""
    return orjson.dumps(encode_payload(outputs, fields, version), option=orjson.OPT_SERIALIZE_NUMPY)
