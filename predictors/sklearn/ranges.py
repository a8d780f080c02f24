"""Where a model's input lies, by what its steps learnt of it: ranges, thresholds, categories."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from predictors.serving.model.types import FloatArray
from predictors.sklearn import nesting

Range: TypeAlias = tuple[FloatArray, FloatArray]
"""The lowest and the highest of each feature's values."""
_ROWS = ("quantiles_", "_fit_X", "support_vectors_", "cluster_centers_")
_MEANS = ("means_", "theta_")


def ranges(model: Any, features: int) -> Range:
    """Where each feature's values lie: by the first step that says so, or where the model is undecided, or ±3."""
    steps = [inner for step in nesting.flat_steps(model) for inner in nesting.first_steps(step)]
    for step in steps:
        if (learnt := _learnt(step, features)) is not None:
            return learnt
    for step in steps:
        if (boundary := _around_the_boundary(step, features)) is not None:
            return boundary
    return np.full(features, -3.0), np.full(features, 3.0)


def _learnt(step: Any, features: int) -> Range | None:
    for attribute in _ROWS:
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
    edges = getattr(step, "bin_edges_", ())
    if len(edges) == features:
        return np.array([each[0] for each in edges]), np.array([each[-1] for each in edges])
    return _around_the_means(step, features)


def _around_the_means(step: Any, features: int) -> Range | None:
    """Twice as far from the classes' means as they are from each other."""
    for attribute in _MEANS:
        means = getattr(step, attribute, None)
        if isinstance(means, np.ndarray) and means.ndim == 2 and means.shape[1] == features:
            apart = np.ptp(means, axis=0) + 1e-9
            return means.min(axis=0) - 2 * apart, means.max(axis=0) + 2 * apart
    return None


def _around_the_boundary(step: Any, features: int) -> Range | None:
    """Where a linear model is undecided: elsewhere all of its answers are alike."""
    weights = getattr(step, "coef_", None)
    if not isinstance(weights, np.ndarray) or weights.shape[-1] != features or not weights.any():
        return None
    rows = np.atleast_2d(weights)
    offsets = np.broadcast_to(np.ravel(step.intercept_), len(rows))
    center = np.linalg.lstsq(rows, -offsets, rcond=None)[0]
    width = 3 / np.maximum(np.abs(rows).max(axis=0) * np.sqrt(features), 1e-3)
    return center - width, center + width


def thresholds(model: Any) -> list[FloatArray] | None:
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


def column_ranges(model: Any, names: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Where the numbers of named columns lie, as far as the steps say.

    Args:
        model: the fitted estimator.
        names: its columns.
    """
    found: dict[str, tuple[float, float]] = {}
    passed = _ranges_of(nesting.flat_steps(model)[-1])
    for transformer, label, step, columns in nesting.steps_of_columns(model, names):
        learnt = _first_learnt(step, len(columns))
        if _passes(step):
            place = transformer.output_indices_[label]
            learnt = None if passed is None else (passed[0][place], passed[1][place])
        if learnt is not None and len(learnt[0]) == len(columns):
            found |= dict(zip(columns, zip(*learnt, strict=True), strict=True))
    return found


def _first_learnt(step: Any, columns: int) -> Range | None:
    inner = () if isinstance(step, str) else nesting.flat_steps(step)
    return next((learnt for each in inner if (learnt := _learnt(each, columns)) is not None), None)


def _ranges_of(last: Any) -> Range | None:
    """Where the features of a last step lie, None if it does not say."""
    edges = thresholds(last)
    if edges is None:
        return _learnt(last, getattr(last, "n_features_in_", 0))
    return np.array([each.min() - 1 for each in edges]), np.array([each.max() + 1 for each in edges])


def _passes(step: Any) -> bool:
    """Whether a step leaves its columns as they are."""
    return step == "passthrough" or (type(step).__name__ == "FunctionTransformer" and step.func is None)


def known_categories(model: Any, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """The categories that a model knows of its columns, without the one of values that are missing.

    Args:
        model: the fitted estimator.
        names: its columns.
    """
    known: dict[str, list[Any]] = {}
    for _, _, step, columns in nesting.steps_of_columns(model, names):
        first = next(nesting.first_steps(step), None) if not isinstance(step, str) else None
        categories = getattr(first, "categories_", None)
        if isinstance(categories, list) and len(categories) == len(columns):
            known |= {name: _present(each) for name, each in zip(columns, categories, strict=True)}
    return known


def _present(categories: Any) -> list[Any]:
    """Those that are neither None nor NaN, which equals nothing."""
    return [each for each in categories if each is not None and each == each]
