"""Rows to ask a model: like those that it was fitted on, as far as it tells, and at the edges of its trees."""

from collections.abc import Sequence
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
from predictors.sklearn.estimator import Rows

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
        known = _known_categories(model, kind.names)
        columns = {spec.name: _column(spec, known.get(spec.name), count, random) for spec in kind.columns}
        return ColumnBatch(columns | {name: _with_gaps(columns[name], random) for name in sorted(kind.missing)})
    return TextBatch([*_TEXTS, *_vocabulary_texts(model, random)])


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
    edges = _thresholds(last)
    if edges is not None and before is None:
        return np.stack([_at_edges(each, count, random) for each in edges], axis=1)
    if edges is not None and (mapped := _mapped_back(before, edges, count, random)) is not None:
        return mapped
    low, high = _ranges(model, features)
    return random.uniform(low - 0.2 * (high - low), high + 0.2 * (high - low), size=(count, features))


def _split(model: Any) -> tuple[Any, Any]:
    """What comes before the last step, None if nothing does, and the last step."""
    steps = [step for _, step in getattr(model, "steps", []) if step not in ("passthrough", None)]
    return (model[:-1] if len(steps) > 1 else None, steps[-1] if steps else model)


def _thresholds(model: Any) -> list[FloatArray] | None:
    """Each feature's thresholds in the trees of a model; None if it has no trees."""
    found: list[tuple[int, float]] = []
    for each in nesting.every(model):
        if (tree := getattr(each, "tree_", None)) is not None:
            inner = tree.children_left >= 0
            found += zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True)
        for predictor in _histogram_trees(each):
            nodes = predictor.nodes[(predictor.nodes["is_leaf"] == 0) & (predictor.nodes["is_categorical"] == 0)]
            found += zip(nodes["feature_idx"].tolist(), nodes["num_threshold"].tolist(), strict=True)
    if not found:
        return None
    by_feature: list[list[float]] = [[] for _ in range(model.n_features_in_)]
    for feature, threshold in found:
        by_feature[feature].append(threshold)
    finite = [np.array(each)[np.isfinite(each)] for each in by_feature]
    return [np.unique(each) if each.size else np.zeros(1) for each in finite]


def _histogram_trees(estimator: Any) -> Sequence[Any]:
    trees = getattr(estimator, "_predictors", None)
    return [tree for iteration in trees for tree in iteration] if isinstance(trees, list) else []


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
        mapped: FloatArray = np.asarray(before.inverse_transform(rows), dtype=np.float64)
    except Exception:  # noqa: BLE001  # any step of anyone's
        return None
    return mapped


def _ranges(model: Any, features: int) -> tuple[FloatArray, FloatArray]:
    """Where each feature's values lie, by what the first step learnt of them."""
    step = next(nesting.first_steps(model))
    for attribute in ("_fit_X", "support_vectors_", "cluster_centers_"):
        rows = getattr(step, attribute, None)
        if isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.shape[1] == features:
            return rows.min(axis=0), rows.max(axis=0)
    for center, spread in (("mean_", "scale_"), ("center_", "scale_")):
        middle, width = np.asarray(getattr(step, center, None)), np.asarray(getattr(step, spread, None))
        if middle.shape == width.shape == (features,):
            return middle - 3 * width, middle + 3 * width
    low, high = np.asarray(getattr(step, "data_min_", None)), np.asarray(getattr(step, "data_max_", None))
    if low.shape == high.shape == (features,):
        return low, high
    return _around_the_boundary(step, features)


def _around_the_boundary(step: Any, features: int) -> tuple[FloatArray, FloatArray]:
    """Where a linear model is undecided: elsewhere all of its answers are alike. For others, ±3."""
    weights = getattr(step, "coef_", None)
    if not isinstance(weights, np.ndarray) or weights.shape[-1] != features or not weights.any():
        return np.full(features, -3.0), np.full(features, 3.0)
    rows = np.atleast_2d(weights)
    offsets = np.broadcast_to(np.ravel(step.intercept_), len(rows))
    center = np.linalg.lstsq(rows, -offsets, rcond=None)[0]
    width = 3 / np.maximum(np.abs(rows).max(axis=0) * np.sqrt(features), 1e-3)
    return center - width, center + width


def _known_categories(model: Any, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """The categories that a model knows of its columns."""
    known: dict[str, list[Any]] = {}
    for transformer in nesting.column_transformers(model):
        own = [str(each) for each in getattr(transformer, "feature_names_in_", names)]
        for _, step, chosen in transformer.transformers_:
            first = next(nesting.first_steps(step), None) if not isinstance(step, str) else None
            categories = getattr(first, "categories_", None)
            chosen = np.asarray(own, dtype=object)[chosen] if not _are_names(chosen) else np.ravel(chosen)
            if isinstance(categories, list) and len(categories) == len(chosen):
                known |= {str(name): _present(each) for name, each in zip(chosen, categories, strict=True)}
    return known


def _present(categories: Any) -> list[Any]:
    """The categories without the one of values that are missing: None, or NaN, which equals nothing."""
    return [each for each in categories if each is not None and each == each]


def _are_names(chosen: Any) -> bool:
    return isinstance(chosen, str) or (not isinstance(chosen, slice) and np.asarray(chosen).dtype.kind in "OU")


def _column(spec: TensorSpec, known: list[Any] | None, count: int, random: np.random.Generator) -> Column:
    if known:
        chosen = [known[i] for i in random.integers(len(known), size=count)]
        if spec.datatype == "BYTES":
            return [str(each) for each in chosen]
        return np.array(chosen, dtype={"INT64": np.int64, "BOOL": np.bool_}.get(spec.datatype, np.float64))
    if spec.datatype == "BYTES":
        return [_TEXTS[i % len(_TEXTS)] for i in range(count)]
    if spec.datatype == "BOOL":
        return np.asarray(random.integers(2, size=count) == 1)
    values: NDArray[np.float64] = random.normal(scale=10, size=count)
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
