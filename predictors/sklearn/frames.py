"""Batches as scikit-learn takes them: arrays, texts, and data frames whose values may be missing."""

from typing import Any, TypeAlias

import numpy as np

from predictors.serving.errors import PackageMissing
from predictors.serving.model.types import Column, ColumnBatch, FeatureBatch, TextBatch
from predictors.sklearn import nesting

Rows: TypeAlias = FeatureBatch | ColumnBatch | TextBatch


def rows_of(batch: Rows, nones: frozenset[str] = frozenset()) -> Any:
    """A batch as scikit-learn takes it: an array, a list of texts, or a data frame.

    Args:
        batch: the rows.
        nones: the columns whose missing strings stay None; elsewhere they become NaN, as in pandas' own frames.

    Raises:
        PackageMissing: named columns need pandas.
    """
    if isinstance(batch, FeatureBatch):
        return batch.features
    if isinstance(batch, TextBatch):
        return batch.texts
    columns = {name: _filled(column, name in nones) for name, column in batch.columns.items()}
    return pandas().DataFrame(columns)


def _filled(column: Column, keeps_none: bool) -> Any:
    if not isinstance(column, list):
        return column
    values = np.array(column, dtype=object)
    if not keeps_none:
        values[np.array([each is None for each in column], dtype=bool)] = np.nan
    return values


def pandas() -> Any:
    """The module of data frames, imported when a model first takes one.

    Raises:
        PackageMissing: it is not installed.
    """
    try:
        import pandas as module
    except ImportError:
        raise PackageMissing("named columns need pandas: install kserve-predictors[sklearn]") from None
    return module


def columns_of_none(model: Any, names: tuple[str, ...]) -> frozenset[str]:
    """The columns whose missing values are None to the step that takes them, by what it learnt; to others they are NaN.

    Args:
        model: the fitted estimator.
        names: its columns.
    """
    found: set[str] = set()
    for _, _, step, columns in nesting.steps_of_columns(model, names):
        for each in () if isinstance(step, str) else nesting.flat_steps(step):
            found.update(_nones(each, columns))
    return frozenset(found)


def _nones(step: Any, columns: list[str]) -> list[str]:
    if getattr(step, "missing_values", np.nan) is None:
        return columns
    categories = getattr(step, "categories_", None)
    if not isinstance(categories, list) or len(categories) != len(columns):
        return []
    return [name for name, known in zip(columns, categories, strict=True) if any(each is None for each in known)]
