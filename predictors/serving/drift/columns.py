"""What is counted of a batch and of its answer: columns of numbers and of strings, by name."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from predictors.serving.artifacts.reference import Side
from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import (
    Batch,
    Column,
    ColumnBatch,
    FeatureBatch,
    FeatureInput,
    FloatArray,
    Outputs,
    TextBatch,
)

PREDICTION, CONFIDENCE = "prediction", "confidence"

Values: TypeAlias = FloatArray | list[str | None]
"""``N`` rows: float64, NaN where a number is missing; or strings, None where one is missing."""
Columns: TypeAlias = dict[tuple[Side, str], Values]

ALL = slice(None)


def input_columns(predictor: Predictor[Any], batch: Batch, rows: slice = ALL) -> Columns:
    """The columns of what was asked: features, or what can be told of a text in numbers; none of a prompt.

    Args:
        predictor: that was asked.
        batch: the question.
        rows: those to look at.
    """
    if isinstance(batch, FeatureBatch) and isinstance(predictor.input, FeatureInput):
        names = predictor.input.names
        return {("input", name): column for name, column in zip(names, batch.features[rows].T, strict=False)}
    if isinstance(batch, ColumnBatch):
        return {("input", name): _values(column[rows]) for name, column in batch.columns.items()}
    if isinstance(batch, TextBatch):
        return {("input", name): values for name, values in predictor.measure_texts(batch.texts[rows]).items()}
    return {}


def output_columns(predictor: Predictor[Any], outputs: Outputs, rows: slice = ALL) -> Columns:
    """The columns of an answer: a classifier's labels and its confidence, or the number that is predicted.

    Args:
        predictor: that answered.
        outputs: the answer; it may lack some of the model's outputs.
        rows: those to look at.
    """
    columns: Columns = {}
    if predictor.label_output:
        if predictor.label_output in outputs:
            columns["output", PREDICTION] = _strings(outputs[predictor.label_output][rows])
    elif "predict" in outputs and np.ndim(outputs["predict"]) == 1:
        columns["output", PREDICTION] = _values(outputs["predict"][rows])
    if "predict_proba" in outputs:
        columns["output", CONFIDENCE] = np.max(np.asarray(outputs["predict_proba"][rows], dtype=np.float64), axis=1)
    return columns


def _values(column: Column) -> Values:
    if isinstance(column, list) or column.dtype.kind not in "fiu":
        return _strings(column)
    return column.astype(np.float64, copy=False)


def _strings(column: Column) -> list[str | None]:
    values: Sequence[Any] = column if isinstance(column, list) else column.tolist()
    return [None if value is None else str(value) for value in values]
