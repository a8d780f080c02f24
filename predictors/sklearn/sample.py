"""Rows to ask a model: like those that it was fitted on, as far as it tells, and at the edges of its trees."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.serving.model.types import (
    Batch,
    Column,
    ColumnBatch,
    ColumnInput,
    FeatureBatch,
    FeatureInput,
    FloatArray,
    Input,
    TensorSpec,
    TextBatch,
)
from predictors.sklearn import nesting
from predictors.sklearn.frames import Rows
from predictors.sklearn.ranges import column_ranges, known_categories, ranges, thresholds

_SEED = 7
# Texts that are tokenized differently by whoever does not follow scikit-learn exactly.
_TEXTS = (
    "a short example of a text",
    "The quick brown fox jumps over the lazy dog.",
    "UPPER lower MiXeD 123 4.5 x",
    "it's don't won't e-mail co-operate",
    "naïve café Straße İstanbul ﬁne",
    "tabs\tand\nline\r\nbreaks and\u00a0spaces",
    "🙂 👍🏽 日本語 العربية",
    'under_scores and-dashes (brackets) [1] {2} "quoted" «quoted»',
)


def sample(model: Any, kind: Input, count: int) -> Rows:
    """Make rows of the model's input; where values may be missing, some are in the second half of the rows.

    Args:
        model: the fitted estimator.
        kind: what it takes.
        count: how many rows, if they are not texts.
    """
    random = np.random.default_rng(_SEED)
    if isinstance(kind, FeatureInput):
        rows = _features(model, len(kind.names), count, random)
        if kind.missing:
            rows[_gaps(rows.shape, random)] = np.nan
        return FeatureBatch(rows)
    if isinstance(kind, ColumnInput):
        known, limits = known_categories(model, kind.names), column_ranges(model, kind.names)
        columns = {
            spec.name: _of_known(spec, known[spec.name], count, random)
            if known.get(spec.name)
            else _column(spec, limits.get(spec.name), count, random)
            for spec in kind.columns
        }
        return ColumnBatch(columns | {name: _with_gaps(columns[name], random) for name in sorted(kind.missing)})
    return TextBatch([*_TEXTS, *_vocabulary_texts(model, random)])


def sample_taken(model: Any, kind: Input, count: int) -> Rows:
    """Make rows that the model takes, if there are any: some models take no number below 0.

    Args:
        model: the fitted estimator.
        kind: what it takes.
        count: how many rows, if they are not texts.
    """
    batch = sample(model, kind, count)
    if not isinstance(batch, FeatureBatch):
        return batch
    try:
        model.predict(batch.features)
    except Exception:  # noqa: BLE001  # any model of anyone's; what is wrong with it is said when it is described
        return FeatureBatch(np.abs(batch.features))
    return batch


def _gaps(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.bool_]:
    """Which values are missing: a tenth of those in the second half of the rows."""
    gaps = np.asarray(random.random(shape) < 0.1)
    gaps[: shape[0] // 2] = False
    return gaps


def _with_gaps(column: Column, random: np.random.Generator) -> Column:
    gaps = _gaps((len(column),), random)
    if isinstance(column, list):
        return [None if gap else value for value, gap in zip(column, gaps.tolist(), strict=True)]
    return np.where(gaps, np.nan, column)


def _features(model: Any, features: int, count: int, random: np.random.Generator) -> FloatArray:
    before, last = _split(model)
    edges = thresholds(last)
    if edges is not None and before is None:
        return np.stack([_at_edges(each, count, random) for each in edges], axis=1)
    if edges is not None and (mapped := _mapped_back(before, edges, count, random)) is not None:
        return mapped
    low, high = ranges(model, features)
    return random.uniform(*_wider(low, high), size=(count, features))


def _wider(low: Any, high: Any) -> tuple[Any, Any]:
    return low - 0.2 * (high - low), high + 0.2 * (high - low)


def _split(model: Any) -> tuple[Any, Any]:
    """What comes before the last step, None if nothing does, and the last step."""
    steps = [step for _, step in getattr(model, "steps", []) if step not in ("passthrough", None)]
    return (model[:-1] if len(steps) > 1 else None, steps[-1] if steps else model)


def _at_edges(thresholds: FloatArray, count: int, random: np.random.Generator) -> FloatArray:
    """Values at thresholds, just beside them (by the next FP32 and FP64 number), and anywhere between."""
    single = thresholds.astype(np.float32)
    beside = [np.nextafter(single, np.float32(way)).astype(np.float64) for way in (-np.inf, np.inf)]
    near = [np.nextafter(thresholds, way) for way in (-np.inf, np.inf)]
    spread = random.uniform(thresholds.min() - 1, thresholds.max() + 1, size=count - count // 2)
    edges = random.choice(np.concatenate([thresholds, single.astype(np.float64), *beside, *near]), size=count // 2)
    return random.permutation(np.concatenate([spread, edges]))


def _mapped_back(before: Any, edges: list[FloatArray], count: int, random: np.random.Generator) -> FloatArray | None:
    """Rows that the first steps turn into ones at the edges; None if they cannot be undone."""
    rows = np.stack([_at_edges(each, count, random) for each in edges], axis=1)
    try:
        for step in reversed(nesting.flat_steps(before)):
            if not nesting.fills_gaps(step):  # which leaves values that are there as they are
                rows = np.asarray(step.inverse_transform(rows), dtype=np.float64)
    except Exception:  # noqa: BLE001  # any step of anyone's
        return None
    return rows if rows.shape[1] == getattr(before, "n_features_in_", rows.shape[1]) else None


def _of_known(spec: TensorSpec, known: list[Any], count: int, random: np.random.Generator) -> Column:
    chosen = [known[i] for i in random.integers(len(known), size=count)]
    if spec.datatype == "BYTES":
        return [str(each) for each in chosen]
    return np.array(chosen, dtype={"INT64": np.int64, "BOOL": np.bool_}.get(spec.datatype, np.float64))


def _column(spec: TensorSpec, limits: tuple[float, float] | None, count: int, random: np.random.Generator) -> Column:
    if spec.datatype == "BYTES":
        return [_TEXTS[i % len(_TEXTS)] for i in range(count)]
    if spec.datatype == "BOOL":
        return np.asarray(random.integers(2, size=count) == 1)
    values: NDArray[np.float64] = (
        random.normal(scale=10, size=count) if limits is None else random.uniform(*_wider(*limits), size=count)
    )
    return values.astype(np.int64) if spec.datatype == "INT64" else values


def _vocabulary_texts(model: Any, random: np.random.Generator) -> list[str]:
    """Texts of the words that a model knows."""
    known = [word for each in nesting.every(model) for word in getattr(each, "vocabulary_", {})]
    if not known:
        return []
    words = sorted(set(map(str, known)))
    return [" ".join(random.choice(words, size=size)).strip() or "x" for size in (1, 3, 8, 20, 40) for _ in range(8)]


def first_rows(batch: Batch, count: int) -> list[Any]:
    """The first rows of a batch as V1 has them."""
    if isinstance(batch, FeatureBatch):
        return [[None if value != value else value for value in row] for row in batch.features[:count].tolist()]
    if isinstance(batch, ColumnBatch):
        columns = {
            name: column[:count] if isinstance(column, list) else column[:count].tolist()
            for name, column in batch.columns.items()
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    assert isinstance(batch, TextBatch)  # noqa: S101  # models here take no prompts
    return batch.texts[:count]
