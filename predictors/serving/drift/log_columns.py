"""The columns of a logged body, V1 or V2, which may lack anything: what is there is counted."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from predictors.serving.drift.columns import Columns, Values, output_columns
from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import ColumnInput, Input, Outputs, TextInput

_Raw: TypeAlias = dict[str, list[Any]]

REDACTED = "values that are redacted, or of another type than the model's"
# Columns of these datatypes are counted as strings.
_STRINGS = ("BYTES", "BOOL")


def request_columns(predictor: Predictor[Any], data: dict[str, Any], skipped: Counter[str]) -> Columns:
    """The columns of a request; none if it holds none of the model's inputs.

    Args:
        predictor: that was asked.
        data: the body.
        skipped: values that cannot be counted are counted here.
    """
    kind = predictor.input
    raw = _from_tensors(data["inputs"], kind) if "inputs" in data else _from_instances(data.get("instances"), kind)
    if isinstance(kind, TextInput):
        texts = [text for text in raw.get(kind.name, []) if isinstance(text, str)]
        skipped[REDACTED] += len(raw.get(kind.name, [])) - len(texts)
        return {("input", name): values for name, values in predictor.measure_texts(texts).items()} if texts else {}
    strings = {each.name for each in kind.columns if each.datatype in _STRINGS} if isinstance(kind, ColumnInput) else ()
    columns: Columns = {}
    for name in kind.names:
        usable = [value for value in raw.get(name, []) if _fits(value, name in strings)]
        skipped[REDACTED] += len(raw.get(name, [])) - len(usable)
        if usable:
            columns["input", name] = _texts(usable) if name in strings else _numbers(usable)
    return columns


def response_columns(predictor: Predictor[Any], data: dict[str, Any], skipped: Counter[str]) -> Columns:
    """The columns of an answer; none if it holds none of the outputs that are counted.

    Args:
        predictor: that answered.
        data: the body.
        skipped: answers that cannot be counted are counted here.
    """
    try:
        outputs = _outputs(data["outputs"]) if "outputs" in data else _fields(data, predictor)
        columns = output_columns(predictor, outputs)
        if any(isinstance(values, np.ndarray) and values.ndim != 1 for values in columns.values()):
            raise ValueError("an output has more dimensions than the model's")
        return columns
    except (AttributeError, KeyError, TypeError, ValueError):
        skipped[REDACTED] += 1
        return {}


def _fits(value: object, string: bool) -> bool:
    if value is None:
        return True
    return isinstance(value, str | bool) if string else type(value) in (int, float)


def _texts(values: Iterable[Any]) -> Values:
    return [None if value is None else str(value) for value in values]


def _numbers(values: Iterable[Any]) -> Values:
    return np.array([np.nan if value is None else float(value) for value in values])


def _from_instances(instances: object, kind: Input) -> _Raw:
    """V1's rows by column: objects, lists in the order of the features, or plain texts."""
    raw: _Raw = {}
    for row in instances if isinstance(instances, list) else ():
        if isinstance(kind, TextInput) and not isinstance(row, dict):
            named = {kind.name: row}
        elif isinstance(row, list) and not isinstance(kind, TextInput):
            named = dict(zip(kind.names, row, strict=False))
        else:
            named = row if isinstance(row, dict) else {}
        for name, value in named.items():
            raw.setdefault(name, []).append(value)
    return raw


def _from_tensors(tensors: object, kind: Input) -> _Raw:
    """V2's tensors by column: one for each, or one with all features of a row beside each other."""
    given = [each for each in tensors if isinstance(each, dict)] if isinstance(tensors, list) else []
    raw = {str(each.get("name")): _flat(each.get("data")) for each in given}
    if len(given) != 1:
        return raw
    (data,) = raw.values()
    if isinstance(kind, TextInput):
        return {kind.name: data}
    width = len(kind.names)
    if set(raw) & set(kind.names) or not width or len(data) % width:
        return raw
    return {name: data[place::width] for place, name in enumerate(kind.names)}


def _flat(data: object) -> list[Any]:
    """A tensor's data in row-major order; it may be nested."""
    if not isinstance(data, list):
        return []
    while data and all(isinstance(each, list) for each in data):
        data = list(chain.from_iterable(data))
    return data


def _outputs(tensors: list[dict[str, Any]]) -> Outputs:
    """V2's outputs, as far as their data is there."""
    outputs: Outputs = {}
    for each in tensors:
        data = _flat(each.get("data"))
        if data:
            width = each["shape"][1:]
            outputs[each["name"]] = np.array(data).reshape(-1, *width) if width else np.array(data)
    return outputs


def _fields(data: dict[str, Any], predictor: Predictor[Any]) -> Outputs:
    """V1's fields as outputs."""
    outputs: Outputs = {}
    for field, source in predictor.v1_fields.items():
        rows = data.get(field)
        if not isinstance(rows, list) or not rows:
            continue
        if isinstance(source, str):
            outputs[source] = np.array(rows)
        else:
            outputs |= {name: np.array([row[name] for row in rows]) for name in source}
    return outputs
