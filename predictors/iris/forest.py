"""A forest of decision trees as plain arrays: no pickle to load, no scikit-learn to import.

All trees' nodes form one table. A node's children are adjacent and come after it; a leaf is its own child. As in
scikit-learn, a row goes left if ``x <= threshold``, compared as FP32, and its probabilities are the mean over the
trees' leaves. `scorer.py` does the scoring.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.serving.artifacts.npz import read_npz
from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import FloatArray

# How far a leaf's probabilities may be from a sum of 1.
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Forest:
    """A forest of ``T`` trees with ``M`` nodes in all, ``F`` features and ``C`` classes.

    Args:
        roots: int64 ``[T]``, the trees' root nodes.
        left: int64 ``[M]``, the left child; the right one follows it. A leaf's is the leaf itself.
        feature: int64 ``[M]``, the feature that a node tests.
        threshold: float64 ``[M]``, the greatest value that goes left; infinite where a tree asks only whether a value
            is missing; unused at leaves.
        leaf: float64 ``[M, C]``, class probabilities at leaves.
        classes: int64, bool or text ``[C]``, the class labels that the forest was trained with.
        n_features: int64 scalar array, ``F``.
    """

    roots: NDArray[np.int64]
    left: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: FloatArray
    leaf: FloatArray
    classes: NDArray[Any]
    n_features: NDArray[np.int64]

    @property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Which nodes are leaves, bool ``[M]``."""
        leaf: NDArray[np.bool_] = self.left == np.arange(len(self.left))
        return leaf

    @property
    def depth(self) -> int:
        """The levels below the roots."""
        nodes, depth = self.roots, -1
        while len(nodes):
            inner = nodes[self.left[nodes] != nodes]
            nodes, depth = np.concatenate([self.left[inner], self.left[inner] + 1]), depth + 1
        return depth

    def trees(self) -> Iterator["Forest"]:
        """Each tree as a forest of its own; the tables must hold them one after the other."""
        for start, end in pairwise([*self.roots.tolist(), len(self.left)]):
            nodes = slice(start, end)
            yield replace(
                self,
                roots=np.zeros(1, dtype=np.int64),
                left=self.left[nodes] - start,
                feature=self.feature[nodes],
                threshold=self.threshold[nodes],
                leaf=self.leaf[nodes],
            )

    def to_bytes(self) -> bytes:
        """Serialize as an uncompressed ``npz`` archive."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **{field.name: getattr(self, field.name) for field in fields(self)})
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Forest":
        """Read what `to_bytes` wrote, and check that no walk can leave the table.

        Raises:
            ArtifactError: it is something else.
        """
        arrays = read_npz(raw, "a forest")
        names = {field.name for field in fields(cls)}
        if set(arrays) != names:
            raise ArtifactError(f"a forest's npz archive holds {', '.join(sorted(names))}")
        forest = cls(**arrays)
        forest.validate()
        return forest

    def validate(self) -> None:
        """Check types, shapes, indices and probabilities.

        Raises:
            ArtifactError: naming the array at fault.
        """
        self._check_arrays()
        nodes, is_leaf = len(self.left), self.is_leaf
        inner = np.flatnonzero(~is_leaf)
        children = self.left[inner]
        found = np.sort(np.concatenate([self.roots, children, children + 1]))
        if (children <= inner).any() or not np.array_equal(found, np.arange(nodes)):
            raise ArtifactError("the forest's nodes do not form trees")
        if not nodes or ((self.feature < 0) | (self.feature >= self.n_features)).any():
            raise ArtifactError("the forest tests features that do not exist")
        if np.isnan(self.threshold[inner]).any():
            raise ArtifactError("the forest has a threshold that is not a number")
        if not (np.abs(self.leaf[is_leaf].sum(axis=1) - 1) <= _SUM_TOLERANCE).all():
            raise ArtifactError(
                "the forest's leaves hold no probabilities; if it was trained with a scikit-learn older than 1.3, "
                "train it again"
            )

    def _check_arrays(self) -> None:
        nodes, (_, classes) = len(self.left), self.leaf.shape if self.leaf.ndim == 2 else (0, 0)
        expected = {
            "roots": ("i8", (len(self.roots),)),
            "left": ("i8", (nodes,)),
            "feature": ("i8", (nodes,)),
            "threshold": ("f8", (nodes,)),
            "leaf": ("f8", (nodes, classes)),
            "n_features": ("i8", ()),
        }
        fit = {
            name: (array := getattr(self, name)).dtype == np.dtype(kind) and array.shape == shape
            for name, (kind, shape) in expected.items()
        }
        labels = self.classes
        fit["classes"] = (labels.dtype in (np.int64, np.bool_) or labels.dtype.kind == "U") and (
            labels.shape == (classes,)
        )
        for name, fits in fit.items():
            if not fits:
                raise ArtifactError(f'the forest\'s array "{name}" has the wrong type or shape')
