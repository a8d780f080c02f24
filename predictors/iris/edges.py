"""Rows that tell forests apart: at, just below and just above the thresholds of their nodes, and random ones."""

import numpy as np
from numpy.typing import NDArray

from predictors.iris.forest import Forest
from predictors.serving.model.types import FloatArray

# The most numbers in the rows for the nodes' thresholds; of a forest that needs more, as many nodes are drawn as fit.
_MAX_NUMBERS = 8_000_000
_SEED = 20
_LARGEST = np.finfo(np.float32).max


def edge_rows(forest: Forest, random_rows: int, max_nodes: int) -> FloatArray:
    """Rows within FP32's range, float64 ``[N, F]``: random ones, then three for each node that tests a feature.

    Those three reach the node, if numbers of FP32 can, and have as that feature the node's threshold, or the number
    of FP32 just below or above it.

    Args:
        forest: whose thresholds count.
        random_rows: how many random rows there are.
        max_nodes: of a forest with more nodes than this, so many are drawn.
    """
    random = np.random.default_rng(_SEED)
    inner = np.flatnonzero(~forest.is_leaf)
    most = min(max_nodes, max(100, _MAX_NUMBERS // (3 * int(forest.n_features))))
    nodes = inner if len(inner) <= most else np.sort(random.choice(inner, most, replace=False))
    spread = _uniform(random, *_ranges(forest, inner), random_rows)
    return np.concatenate([spread, _beside(random, forest, nodes)]) if len(nodes) else spread


def _ranges(forest: Forest, inner: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """For each feature, somewhat less and more than its thresholds; 0 and 1 where it is never tested."""
    low, high = np.full(int(forest.n_features), np.inf), np.full(int(forest.n_features), -np.inf)
    tested = inner[np.isfinite(forest.threshold[inner])]
    np.minimum.at(low, forest.feature[tested], forest.threshold[tested])
    np.maximum.at(high, forest.feature[tested], forest.threshold[tested])
    low, high = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 1.0)
    margin = 0.1 * (high - low) + 1e-3 * np.abs(high) + 1e-6
    return np.maximum(low - margin, -_LARGEST), np.minimum(high + margin, _LARGEST)


def _uniform(random: np.random.Generator, low: FloatArray, high: FloatArray, count: int) -> FloatArray:
    share = random.random((count, len(low)))
    return low * (1 - share) + high * share


def _beside(random: np.random.Generator, forest: Forest, nodes: NDArray[np.int64]) -> FloatArray:
    """Three rows for each node."""
    low, high = _boxes(forest, nodes)
    usual_low, usual_high = _ranges(forest, np.flatnonzero(~forest.is_leaf))
    low = np.where(np.isfinite(low), low, np.minimum(usual_low, np.where(np.isfinite(high), high, usual_low)))
    high = np.where(np.isfinite(high), high, np.maximum(usual_high, low))
    share = random.uniform(0.05, 1.0, low.shape)  # the lower end of a box is outside, the upper end inside
    rows = low * (1 - share) + high * share
    threshold = np.clip(forest.threshold[nodes], -_LARGEST, _LARGEST)
    single = threshold.astype(np.float32)
    with np.errstate(over="ignore"):  # what is beyond the range is clipped
        below, above = (np.nextafter(single, np.float32(way)).astype(np.float64) for way in (-np.inf, np.inf))
    tried = []
    for values in (threshold, below, above):
        tried.append(rows.copy())
        tried[-1][np.arange(len(nodes)), forest.feature[nodes]] = values
    return np.clip(np.concatenate(tried), -_LARGEST, _LARGEST)


def _boxes(forest: Forest, nodes: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """The values that reach each node: above ``low`` and up to ``high``, both float64 ``[N, F]``."""
    parent = np.full(len(forest.left), -1)
    inner = np.flatnonzero(~forest.is_leaf)
    parent[forest.left[inner]] = parent[forest.left[inner] + 1] = inner
    low = np.full((len(nodes), int(forest.n_features)), -np.inf)
    high = -low
    places, node = np.arange(len(nodes)), nodes
    while len(node):
        above = parent[node]
        places, node, above = places[above >= 0], node[above >= 0], above[above >= 0]
        feature, threshold = forest.feature[above], forest.threshold[above]
        went_left = node == forest.left[above]
        for bound, side, tighter in ((high, went_left, np.minimum), (low, ~went_left, np.maximum)):
            where = places[side], feature[side]
            bound[where] = tighter(bound[where], threshold[side])
        node = above
    return low, high
