"""Scoring a forest by bit masks: a handful of array operations per batch, however many trees there are.

A leaf is a box: an interval of each feature. The thresholds of a feature divide its values into ranges, and each range
has a mask of the leaves whose interval contains it. A row falls into exactly one leaf of each tree: the one whose bit
remains when the masks of its ranges, one per feature, are combined by AND.

Masks instead of branches are from Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive
ensembles of regression trees", SIGIR 2015; tables for whole ranges trade memory for time. They grow with the square of
the forest, so a forest whose tables would be large, or that has many features and few levels, is descended level by
level, all trees and rows at once.

No library replaces it: scikit-learn takes 6.8 ms per row where this takes 12 µs, ONNX Runtime rounds the probabilities
to FP32, and compiled forests are native code to trust (docs/benchmarks/backends.md).
"""

from bisect import bisect_left
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from predictors.iris.forest import Forest
from predictors.serving.model.types import FloatArray

WORD_BITS = 64
MAX_TABLE_BYTES = 32 * 2**20
# Rows that are scored together, and the probabilities of all trees for them; limits the working memory of a large
# batch to a few MB.
_CHUNK_ROWS = 512
_CHUNK_NUMBERS = 2**21
# Array operations for a feature's word of masks, and for a level of the trees.
_MASK_STEPS = 1
_LEVEL_STEPS = 5
_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True)
class Leaves:
    """The ``L`` leaves of a forest, tree by tree.

    Args:
        node: int64 ``[L]``, their nodes.
        tree: int64 ``[L]``, their trees.
        number: int64 ``[L]``, their positions within the tree.
        low, high: float64 ``[L, F]``: a leaf holds values above ``low`` and up to ``high``.
    """

    node: NDArray[np.int64]
    tree: NDArray[np.int64]
    number: NDArray[np.int64]
    low: FloatArray
    high: FloatArray

    @property
    def most(self) -> int:
        """The number of leaves of the largest tree."""
        return int(self.number.max()) + 1

    @property
    def words(self) -> int:
        """The words in a mask that has a bit for each leaf of a tree."""
        return -(-self.most // WORD_BITS)

    @classmethod
    def of(cls, forest: Forest) -> "Leaves":
        """Find a forest's leaves and their boxes."""
        nodes = len(forest.left)
        tree = np.zeros(nodes, dtype=np.int64)
        tree[forest.roots] = np.arange(len(forest.roots))
        low = np.full((nodes, int(forest.n_features)), -np.inf)
        high = -low
        for node in np.flatnonzero(~forest.is_leaf).tolist():  # parents come before their children
            left, feature, threshold = forest.left[node], forest.feature[node], forest.threshold[node]
            children = slice(left, left + 2)
            tree[children], low[children], high[children] = tree[node], low[node], high[node]
            # A split at infinity is wider than the box that it splits.
            high[left, feature] = min(high[node, feature], threshold)
            low[left + 1, feature] = max(low[node, feature], threshold)
        leaves = np.flatnonzero(forest.is_leaf)
        leaves = leaves[np.argsort(tree[leaves], kind="stable")]
        number = np.arange(len(leaves)) - np.searchsorted(tree[leaves], tree[leaves])
        return cls(leaves, tree[leaves], number, low[leaves], high[leaves])


class MaskScorer:
    """A forest, ready to score.

    Args:
        forest: validated.
        leaves: its leaves.
    """

    def __init__(self, forest: Forest, leaves: Leaves) -> None:
        trees, most = len(forest.roots), leaves.most
        self._words = leaves.words
        word, bit = np.divmod(leaves.number, WORD_BITS)
        self._thresholds, self._masks = [], []
        for feature in range(int(forest.n_features)):
            low, high = leaves.low[:, feature], leaves.high[:, feature]
            thresholds = np.unique(high[np.isfinite(high)])
            # A split at infinity leaves one side that no finite number reaches: its first range is beyond its last.
            first = np.where(low == -np.inf, 0, thresholds.searchsorted(low) + 1)
            last = np.where(high == -np.inf, -1, thresholds.searchsorted(high))
            masks = np.zeros((self._words, len(thresholds) + 1, trees), dtype=np.uint64)
            for place in range(len(thresholds) + 1):
                inside = (first <= place) & (place <= last)
                bits = _ONE << bit[inside].astype(np.uint64)
                np.bitwise_or.at(masks[:, place], (word[inside], leaves.tree[inside]), bits)
            self._thresholds.append(thresholds)
            self._masks.append(masks)
        self._leaf = np.zeros((trees * most, len(forest.classes)))
        self._leaf[leaves.tree * most + leaves.number] = forest.leaf[leaves.node]
        self._offsets = np.arange(trees) * most
        # The same for one row: a single lookup in Python lists is several times faster than in arrays.
        self._lists = [(t.tolist(), list(masks[0])) for t, masks in zip(self._thresholds, self._masks, strict=True)]
        self._ones = np.full(trees, _ONE)

    def score(self, rows: NDArray[np.float32]) -> FloatArray:
        """Class probabilities, float64 ``[N, C]``, of rows float32 ``[N, F]``."""
        if len(rows) == 1 and self._words == 1:
            return self._score_row(*rows.tolist())
        places = [thresholds.searchsorted(rows[:, i]) for i, thresholds in enumerate(self._thresholds)]
        leaf = self._offsets + self._number(places, 0)
        for word in range(1, self._words):
            leaf += self._number(places, word)
        # Summed in the order of the trees, then divided, as scikit-learn does, so that ties are broken alike.
        probabilities: FloatArray = self._leaf.take(leaf, axis=0).sum(axis=1)
        probabilities /= len(self._offsets)
        return probabilities

    def _score_row(self, row: list[float]) -> FloatArray:
        ranges = [
            masks[bisect_left(thresholds, value)] for value, (thresholds, masks) in zip(row, self._lists, strict=True)
        ]
        alive = reduce(np.bitwise_and, ranges)
        leaves = self._leaf.take(np.bitwise_count(alive - self._ones) + self._offsets, axis=0)
        probabilities: FloatArray = np.add.reduce(leaves, axis=0, keepdims=True)
        probabilities /= len(self._offsets)
        return probabilities

    def _number(self, places: list[NDArray[np.int64]], word: int) -> NDArray[np.int64]:
        """The positions of the leaves whose bits are in one word of the masks, int64 ``[N, T]``; 0 elsewhere."""
        alive = self._masks[0][word].take(places[0], axis=0)
        for masks, place in zip(self._masks[1:], places[1:], strict=True):
            alive &= masks[word].take(place, axis=0)
        number = np.bitwise_count(alive - _ONE).astype(np.int64)
        number += word * WORD_BITS
        return number if self._words == 1 else np.where(alive, number, 0)


class LevelScorer:
    """A large forest, ready to score.

    Args:
        forest: validated.
    """

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        # No value exceeds a leaf's threshold, so a row stays at its leaf.
        self._threshold = np.where(forest.is_leaf, np.inf, forest.threshold)
        self._depth = forest.depth

    def score(self, rows: NDArray[np.float32]) -> FloatArray:
        """Class probabilities, float64 ``[N, C]``, of rows float32 ``[N, F]``."""
        forest, (count, width) = self._forest, rows.shape
        values, offsets = rows.ravel(), np.arange(0, count * width, width)[:, None]
        node = np.broadcast_to(forest.roots, (count, len(forest.roots)))
        for _ in range(self._depth):
            right = values.take(forest.feature.take(node) + offsets) > self._threshold.take(node)
            node = forest.left.take(node) + right
        probabilities: FloatArray = forest.leaf.take(node, axis=0).sum(axis=1)
        probabilities /= len(forest.roots)
        return probabilities


class Scorer:
    """Scores rows as scikit-learn does, compared as FP32, a limited number at a time.

    Args:
        forest: the forest, ready to score.
        chunk_rows: the most rows that are scored together.
    """

    def __init__(self, forest: MaskScorer | LevelScorer, chunk_rows: int) -> None:
        self._forest = forest
        self._chunk_rows = chunk_rows

    def predict_proba(self, features: FloatArray) -> FloatArray:
        """Class probabilities, float64 ``[N, C]``, of rows ``[N, F]``."""
        rows = features.astype(np.float32)
        size = self._chunk_rows
        if len(rows) <= size:
            return self._forest.score(rows)
        return np.concatenate([self._forest.score(rows[i : i + size]) for i in range(0, len(rows), size)])


def new_scorer(forest: Forest) -> Scorer:
    """Choose a scorer by the size of the tables, and how many rows it takes together by the memory a row needs."""
    trees, classes = len(forest.roots), len(forest.classes)
    chunk_rows = max(1, min(_CHUNK_ROWS, _CHUNK_NUMBERS // (trees * classes)))
    return Scorer(_by_masks(forest) or LevelScorer(forest), chunk_rows)


def _by_masks(forest: Forest) -> MaskScorer | None:
    """Masks for a forest, if their tables are small and they take less time."""
    nodes, trees, features = len(forest.left), len(forest.roots), int(forest.n_features)
    boxes_bytes = 2 * nodes * features * 8
    if max(boxes_bytes, nodes * trees * 8, features * trees * 8) > MAX_TABLE_BYTES:
        return None
    leaves = Leaves.of(forest)
    small = (nodes + features) * trees * leaves.words * 8 <= MAX_TABLE_BYTES
    fast = _MASK_STEPS * leaves.words * features <= _LEVEL_STEPS * forest.depth
    return MaskScorer(forest, leaves) if small and fast else None
