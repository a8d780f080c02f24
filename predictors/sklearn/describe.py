"""Finding out what a fitted estimator takes and gives, by its attributes and by asking it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import (
    ColumnInput,
    FeatureInput,
    Input,
    TensorSpec,
)
from predictors.sklearn import nesting
from predictors.sklearn.frames import Rows, columns_of_none, rows_of
from predictors.sklearn.signature import TEXT, Label, Signature, Task

_TASKS: Mapping[str, Task] = {
    "classifier": "classification",
    "regressor": "regression",
    "outlier_detector": "outliers",
}
_DATATYPES = {"i": "INT64", "u": "INT64", "f": "FP64", "b": "BOOL"}


class Hints(NamedTuple):
    """What the model itself may not say.

    Args:
        features: names of the features or columns, in order.
        example: a row; of columns, an object whose values show the datatypes.
        missing: whether values may be missing.
        labels: what the classes are called.
    """

    features: tuple[str, ...] = ()
    example: Any = None
    missing: bool = False
    labels: tuple[str, ...] = ()


def input_of(model: Any, hints: Hints) -> Input:
    """Find out what a model takes.

    Raises:
        ArtifactError: it does not say; with what would help.
    """
    if nesting.takes_text(model):
        return TEXT
    transformers = nesting.column_transformers(model)
    names = hints.features or tuple(map(str, getattr(model, "feature_names_in_", ())))
    count = getattr(model, "n_features_in_", None)
    if transformers or _shows_columns(hints.example):
        columns = _columns(transformers, names or _numbered(count), hints.example)
        if any(spec.datatype in ("BYTES", "BOOL") for spec in columns) or _are_named(transformers):
            return ColumnInput(columns, _missing(transformers, columns, hints))
    if not names and count is None:
        raise ArtifactError(
            f"the {type(model).__name__} does not say what it takes; name its features, as in --features a,b,c, or "
            "give an --example of a row"
        )
    names = names or _numbered(count)
    if count is not None and len(names) != count:
        raise ArtifactError(f"the model takes {count} features, but {len(names)} are named")
    return FeatureInput(names, hints.missing or nesting.fills_gaps(model))


def _numbered(count: int | None) -> tuple[str, ...]:
    """Names for features that have none."""
    return tuple(f"x{i}" for i in range(count or 0))


def _are_named(transformers: list[Any]) -> bool:
    """Whether a step was fitted on a table whose columns have names, and not on an array."""
    return any(hasattr(each, "feature_names_in_") for each in transformers)


def _shows_columns(example: Any) -> bool:
    return isinstance(example, dict) and any(isinstance(value, (str, bool)) for value in example.values())


def _columns(transformers: list[Any], names: tuple[str, ...], example: Any) -> tuple[TensorSpec, ...]:
    known: dict[str, str] = {}
    dropped: set[str] = set()
    for transformer in transformers:
        own = nesting.own_names(transformer, names)
        for _, step, chosen in transformer.transformers_:
            columns = nesting.chosen_names(chosen, own)
            if step == "drop":
                dropped.update(columns)
            else:
                known |= dict(zip(columns, _datatypes(step, columns), strict=True))
    if isinstance(example, dict):
        known |= {name: _DATATYPES.get(np.asarray(value).dtype.kind, "BYTES") for name, value in example.items()
                  if value is not None}  # fmt: skip
    names = names or tuple(example or known)
    if not names:
        raise ArtifactError(
            "the model does not name its columns: fit it on a data frame, or give an --example of a row"
        )
    kept = [name for name in names if name in known or name not in dropped]
    return tuple(TensorSpec(name, known.get(name, "FP64"), (-1,)) for name in kept)


def _missing(transformers: list[Any], columns: tuple[TensorSpec, ...], hints: Hints) -> frozenset[str]:
    """The columns whose values may be missing: all, if the packer says so, or those that a step fills in."""
    able = [spec.name for spec in columns if spec.datatype in ("FP64", "BYTES")]
    if hints.missing:
        return frozenset(able)
    filled = {
        name
        for transformer in transformers
        for _, step, chosen in transformer.transformers_
        if not isinstance(step, str) and nesting.fills_gaps(step)
        for name in nesting.chosen_names(chosen, nesting.own_names(transformer, [spec.name for spec in columns]))
    }
    return frozenset(filled.intersection(able))


def _datatypes(step: Any, columns: Sequence[str]) -> list[str]:
    """The datatypes of the columns that a step gets, by what it learnt."""
    first = next(nesting.first_steps(step), step) if not isinstance(step, str) else step
    if nesting.takes_text(first):
        return ["BYTES"] * len(columns)
    categories = getattr(first, "categories_", None)
    if isinstance(categories, list) and len(categories) == len(columns):
        return [_category_type(each) for each in categories]
    learnt = getattr(first, "statistics_", None)
    if learnt is not None and len(learnt) == len(columns):
        return [_value_type(each) for each in np.asarray(learnt).tolist()]
    return ["FP64"] * len(columns)


def _value_type(value: Any) -> str:
    """The datatype of a column that a step fills in with this value; whole numbers with gaps are FP64 in a frame."""
    return {str: "BYTES", bool: "BOOL"}.get(type(value), "FP64")


def _category_type(categories: Any) -> str:
    array = np.asarray(categories)
    if array.dtype.kind != "O":
        return _DATATYPES.get(array.dtype.kind, "BYTES")
    types = {type(each) for each in array.tolist() if each is not None and each == each}  # NaN equals nothing
    for datatype, allowed in (("BOOL", {bool}), ("INT64", {int}), ("FP64", {int, float})):
        if types and types <= allowed:
            return datatype
    return "BYTES"


def describe(model: Any, kind: Input, batch: Rows, hints: Hints) -> Signature:
    """Find out what a model gives, by asking it.

    Args:
        model: a fitted estimator.
        kind: what it takes.
        batch: at least two rows that it takes.
        hints: what the classes are called.

    Raises:
        ArtifactError: it cannot predict, or gives what no protocol can carry.
    """
    task = task_of(model)
    rows = rows_of(batch, columns_of_none(model, kind.names) if isinstance(kind, ColumnInput) else frozenset())
    try:
        predicted = np.asarray(model.predict(rows))
        specs = [TensorSpec("predict", _DATATYPES.get(predicted.dtype.kind, "BYTES"), (-1, *predicted.shape[1:]))]
        if score := _score_of(model, task, predicted):
            shape = np.asarray(getattr(model, score)(rows)).shape
            specs.append(TensorSpec(score, "FP64", (-1, *shape[1:])))
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        advice = "if your rows are not like those that were tried, give an --example of one"
        raise ArtifactError(f"the {type(model).__name__} cannot predict: {reason}; {advice}") from error
    if predicted.ndim > 2 or len(predicted) != len(batch):
        raise ArtifactError(f"the model predicts an array of the shape {list(predicted.shape)} for {len(batch)} rows")
    classes = _classes(model) if task == "classification" and predicted.ndim == 1 else ()
    if hints.labels and len(hints.labels) != len(classes):
        raise ArtifactError(f"{len(hints.labels)} class names are given; the model has {len(classes)} classes")
    labels = hints.labels or tuple(map(str, classes))
    if hints.labels:
        specs.insert(1, TensorSpec("label", "BYTES", (-1,)))
    return Signature(kind, tuple(specs), task, classes, labels)


def task_of(model: Any) -> Task:
    """What an estimator was made for."""
    from sklearn.base import is_classifier, is_outlier_detector, is_regressor

    for found, kind in ((is_classifier, "classifier"), (is_regressor, "regressor")):
        if found(model):
            return _TASKS[kind]
    return "outliers" if is_outlier_detector(model) else "other"


def _score_of(model: Any, task: Task, predicted: Any) -> str:
    """The method that says how sure the model is, if it has one."""
    if task not in ("classification", "outliers") or predicted.ndim > 1:
        return ""
    return next((name for name in ("predict_proba", "decision_function") if hasattr(model, name)), "")


def _classes(model: Any) -> tuple[Label, ...]:
    classes = getattr(model, "classes_", None)
    if classes is None:
        return ()
    values: list[Any] = np.asarray(classes).tolist()
    return tuple(each if isinstance(each, (bool, int, float, str)) else str(each) for each in values)
