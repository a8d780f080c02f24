"""Scoring a forest by bit masks: a handful of array operations a batch, however many trees there are.

A node that sends a row to the right rules out the leaves of its left subtree, whatever the nodes above it say. So each
tree's leaves are numbered from left to right, each node has a mask without the leaves that it rules out, and the
leftmost leaf that survives the masks of all nodes with ``x > threshold`` is the one the row falls into. The masks of a
feature's thresholds are accumulated in their order, so that one binary search a feature finds them all.

Source: Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees",
SIGIR 2015; the accumulated tables take memory for time. The tables grow with the square of the forest, so
a forest whose tables would be large is descended level by level, all trees and rows at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictors.iris.forest import Forest
from predictors.serving.batch import FloatArray

WORD_BITS = 64
MAX_TABLE_BYTES = 32 * 2**20
# Rows that are scored together; bounds the working memory of a large batch to a few MB.
_CHUNK_ROWS = 512
_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True)
class LeafNumbers:
    """The leaves of each tree, numbered from left to right.

    Args:
        tree: int64 ``[M]``, the tree of each node.
        first: int64 ``[M]``, the number of the first leaf below each node; a leaf's own.
        count: int64 ``[M]``, how many leaves are below each node; 1 for a leaf.
        most: leaves of the tree that has the most.
    """

    tree: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    most: int

    @property
    def words(self) -> int:
        """Words of a mask with a bit for each leaf."""
        return -(-self.most // WORD_BITS)


class MaskScorer:
    """A forest, ready to score.

    Args:
        forest: validated.
        numbers: of its leaves.
    """

    def __init__(self, forest: Forest, numbers: LeafNumbers) -> None:
        trees, most_leaves = len(forest.roots), numbers.most
        tree, first, count = numbers.tree, numbers.first, numbers.count
        inner, leaves = np.flatnonzero(~forest.is_leaf), np.flatnonzero(forest.is_leaf)
        self._words = numbers.words
        self._thresholds, self._masks = [], []
        for feature in range(int(forest.n_features)):
            nodes = inner[forest.feature[inner] == feature]
            thresholds, place = np.unique(forest.threshold[nodes], return_inverse=True)
            masks = np.full((self._words, len(thresholds) + 1, trees), np.iinfo(np.uint64).max, dtype=np.uint64)
            for node, row in zip(nodes.tolist(), place.tolist(), strict=True):
                ruled_out = ((1 << int(count[forest.left[node]])) - 1) << int(first[node])
                for word in range(self._words):
                    part = ~(ruled_out >> (word * WORD_BITS)) & (2**WORD_BITS - 1)
                    masks[word, row + 1, tree[node]] &= np.uint64(part)
            self._thresholds.append(thresholds)
            self._masks.append(np.bitwise_and.accumulate(masks, axis=1))
        self._leaf = np.zeros((trees * most_leaves, len(forest.classes)))
        self._leaf[tree[leaves] * most_leaves + first[leaves]] = forest.leaf[leaves]
        self._offsets = np.arange(trees) * most_leaves

    def score(self, rows: FloatArray) -> FloatArray:
        """Class probabilities, float64 ``[N, C]``, of rows ``[N, F]`` that hold FP32 values."""
        places = [thresholds.searchsorted(rows[:, i]) for i, thresholds in enumerate(self._thresholds)]
        leaf = self._first_leaf(places, 0)
        for word in range(1, self._words):
            leaf = np.where(leaf < word * WORD_BITS, leaf, word * WORD_BITS + self._first_leaf(places, word))
        # In the order of the trees, then divided: scikit-learn's own sequence, so that ties fall as they do there.
        probabilities: FloatArray = self._leaf.take(leaf + self._offsets, axis=0).sum(axis=1)
        probabilities /= len(self._offsets)
        return probabilities

    def _first_leaf(self, places: list[NDArray[np.int64]], word: int) -> NDArray[np.int64]:
        """The lowest bit that is set in one word of the masks, int64 ``[N, T]``; 64 if there is none."""
        alive = self._masks[0][word].take(places[0], axis=0)
        for masks, place in zip(self._masks[1:], places[1:], strict=True):
            alive &= masks[word].take(place, axis=0)
        lowest: NDArray[np.int64] = np.bitwise_count((alive & -alive) - _ONE).astype(np.int64)
        return lowest


class LevelScorer:
    """A large forest, ready to score.

    Args:
        forest: validated.
    """

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._threshold = np.where(
            forest.is_leaf, np.inf, forest.threshold
        )  # nothing exceeds it: a leaf leads to itself
        depth = np.zeros(len(forest.left), dtype=np.int64)
        for node in np.flatnonzero(~forest.is_leaf).tolist():  # parents come before their children
            depth[forest.left[node] : forest.left[node] + 2] = depth[node] + 1
        self._depth = int(depth.max())

    def score(self, rows: FloatArray) -> FloatArray:
        """Class probabilities, float64 ``[N, C]``, of rows ``[N, F]`` that hold FP32 values."""
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
    """Scores rows as scikit-learn does: compared as FP32, a bounded number of them at a time.

    Args:
        forest: the forest, ready to score.
    """

    def __init__(self, forest: MaskScorer | LevelScorer) -> None:
        self._forest = forest

    def predict_proba(self, features: FloatArray) -> FloatArray:
        """Class probabilities, float64 ``[N, C]``, of rows ``[N, F]``."""
        rows = features.astype(np.float32).astype(np.float64)
        if len(rows) <= _CHUNK_ROWS:
            return self._forest.score(rows)
        chunks = [self._forest.score(rows[i : i + _CHUNK_ROWS]) for i in range(0, len(rows), _CHUNK_ROWS)]
        return np.concatenate(chunks)


def new_scorer(forest: Forest) -> Scorer:
    """Choose by the size of the tables."""
    numbers = number_leaves(forest)
    small = len(forest.left) * len(forest.roots) * numbers.words * 8 <= MAX_TABLE_BYTES
    return Scorer(MaskScorer(forest, numbers) if small else LevelScorer(forest))


def number_leaves(forest: Forest) -> LeafNumbers:
    """Number each tree's leaves from left to right."""
    left = forest.left.tolist()
    nodes = len(left)
    tree, first, count = [0] * nodes, [0] * nodes, [1] * nodes
    for node in range(nodes - 1, -1, -1):  # children come after their parents
        if left[node] != node:
            count[node] = count[left[node]] + count[left[node] + 1]
    for i, root in enumerate(forest.roots.tolist()):
        tree[root] = i
    for node, child in enumerate(left):
        if child != node:
            tree[child] = tree[child + 1] = tree[node]
            first[child] = first[node]
            first[child + 1] = first[node] + count[child]
    most = max(count[root] for root in forest.roots.tolist())
    return LeafNumbers(np.array(tree), np.array(first), np.array(count), most)
