"""The columns of a logged body, V1 or V2, which may lack anything: what is there is counted."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from predictors.serving.drift.columns import Columns, Values, output_columns
from predictors.serving.model.predictor import TEXT_LENGTH, Predictor
from predictors.serving.model.types import ColumnInput, Input, Outputs, TextInput

_Raw: TypeAlias = dict[str, list[Any]]

REDACTED = "values that are redacted, or of another type than the model's"
LEFT_OUT = "tensors whose values were not logged"
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
    if "inputs" in data:
        raw = _from_tensors(data["inputs"], kind, skipped)
    else:
        raw = _from_instances(data.get("instances"), kind)
    if isinstance(kind, TextInput):
        return _text_columns(predictor, raw, kind.name, skipped)
    strings = {each.name for each in kind.columns if each.datatype in _STRINGS} if isinstance(kind, ColumnInput) else ()
    columns: Columns = {}
    for name in kind.names:
        usable = [value for value in raw.get(name, []) if _fits(value, name in strings)]
        skipped[REDACTED] += len(raw.get(name, [])) - len(usable)
        if usable:
            columns["input", name] = _texts(usable) if name in strings else _numbers(usable)
    return columns


def _text_columns(predictor: Predictor[Any], raw: _Raw, name: str, skipped: Counter[str]) -> Columns:
    """What can be told of texts; of those that were not logged, the lengths that were logged instead."""
    lengths = [length for length in raw.pop(f"{name}_length", []) if type(length) is int]
    values = raw.get(name) or next(iter(raw.values()), [])  # V2's only tensor may have any name
    texts = [text for text in values if isinstance(text, str)]
    skipped[REDACTED] += len(values) - len(texts)
    if texts:
        return {("input", key): values for key, values in predictor.measure_texts(texts).items()}
    return {("input", TEXT_LENGTH): _numbers(lengths)} if lengths else {}


def response_columns(predictor: Predictor[Any], data: dict[str, Any], skipped: Counter[str]) -> Columns:
    """The columns of an answer; none if it holds none of the outputs that are counted.

    Args:
        predictor: that answered.
        data: the body.
        skipped: answers that cannot be counted are counted here.
    """
    try:
        outputs = _outputs(data["outputs"], skipped) if "outputs" in data else _fields(data, predictor)
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


def _from_tensors(tensors: object, kind: Input, skipped: Counter[str]) -> _Raw:
    """V2's tensors by column: one for each, or one with all features of a row beside each other."""
    given = [each for each in tensors if isinstance(each, dict)] if isinstance(tensors, list) else []
    skipped[LEFT_OUT] += sum("data" not in each for each in given)
    raw = {str(each.get("name")): _flat(each.get("data")) for each in given}
    if isinstance(kind, TextInput) or len(raw) != 1 or set(raw) & set(kind.names):
        return raw
    (data,), width = raw.values(), len(kind.names)
    if not width or len(data) % width:
        return raw
    hidden = _redacted(given[0])  # which are null, as those are that are missing
    skipped[REDACTED] += len(data) // width * len(hidden & set(kind.names))
    return {name: data[place::width] for place, name in enumerate(kind.names) if name not in hidden}


def _redacted(tensor: dict[str, Any]) -> set[str]:
    """The features that a tensor's parameters list as redacted."""
    parameters = tensor.get("parameters")
    names = parameters.get("redacted") if isinstance(parameters, dict) else None
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def _flat(data: object) -> list[Any]:
    """A tensor's data in row-major order; it may be nested."""
    if not isinstance(data, list):
        return []
    while data and all(isinstance(each, list) for each in data):
        data = list(chain.from_iterable(data))
    return data


def _outputs(tensors: list[dict[str, Any]], skipped: Counter[str]) -> Outputs:
    """V2's outputs, as far as their data is there."""
    outputs: Outputs = {}
    skipped[LEFT_OUT] += sum("data" not in each for each in tensors)
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
