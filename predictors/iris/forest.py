"""A random forest classifier as plain arrays: no pickle to load, no scikit-learn to import.

All trees' nodes form one table. A node's children are adjacent and come after it; a leaf is its own child. As in
scikit-learn, a row goes left if ``x <= threshold``, compared as FP32, and its probabilities are the mean over the
trees' leaves. `scorer.py` does the scoring.
"""

import io
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.serving.artifacts.npz import read_npz
from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import FloatArray


@dataclass(frozen=True, slots=True)
class Forest:
    """A forest of ``T`` trees with ``M`` nodes in all, ``F`` features and ``C`` classes.

    Args:
        roots: int64 ``[T]``, the trees' root nodes.
        left: int64 ``[M]``, the left child; the right one follows it. A leaf's is the leaf itself.
        feature: int64 ``[M]``, the feature that a node tests.
        threshold: float64 ``[M]``, the greatest value that goes left; unused at leaves.
        leaf: float64 ``[M, C]``, class probabilities at leaves.
        classes: int64 ``[C]``, the class ids.
        n_features: int64 scalar array, ``F``.
    """

    roots: NDArray[np.int64]
    left: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: FloatArray
    leaf: FloatArray
    classes: NDArray[np.int64]
    n_features: NDArray[np.int64]

    @property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Which nodes are leaves, bool ``[M]``."""
        leaf: NDArray[np.bool_] = self.left == np.arange(len(self.left))
        return leaf

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
        """Check types, shapes and indices.

        Raises:
            ArtifactError: naming the array at fault.
        """
        nodes, (_, classes) = len(self.left), self.leaf.shape if self.leaf.ndim == 2 else (0, 0)
        integer, real = np.dtype(np.int64), np.dtype(np.float64)
        expected = {
            "roots": (integer, (len(self.roots),)),
            "left": (integer, (nodes,)),
            "feature": (integer, (nodes,)),
            "threshold": (real, (nodes,)),
            "leaf": (real, (nodes, classes)),
            "classes": (integer, (classes,)),
            "n_features": (integer, ()),
        }
        for name, (dtype, shape) in expected.items():
            array = getattr(self, name)
            if array.dtype != dtype or array.shape != shape:
                raise ArtifactError(f'the forest\'s array "{name}" has the wrong type or shape')
        inner = np.flatnonzero(~self.is_leaf)
        children = self.left[inner]
        if (children <= inner).any() or sorted([*self.roots, *children, *(children + 1)]) != list(range(nodes)):
            raise ArtifactError("the forest's nodes do not form trees")
        if not nodes or ((self.feature < 0) | (self.feature >= self.n_features)).any():
            raise ArtifactError("the forest tests features that do not exist")
        if not np.isfinite(self.threshold[inner]).all():
            raise ArtifactError("the forest has a threshold that is not a finite number")


def from_sklearn(model: Any) -> Forest:
    """Convert a fitted scikit-learn `RandomForestClassifier` with integer classes.

    Raises:
        ArtifactError: it is another kind of model, is not fitted, or has other classes.
    """
    if type(model).__name__ not in ("RandomForestClassifier", "ExtraTreesClassifier"):
        raise ArtifactError(f"a RandomForestClassifier is expected, not {type(model).__name__}")
    if not hasattr(model, "estimators_"):
        raise ArtifactError("the RandomForestClassifier is not fitted")
    if model.n_outputs_ != 1 or np.asarray(model.classes_).dtype.kind not in "iu":
        raise ArtifactError("the RandomForestClassifier's classes are not integers, such as 0, 1 and 2")
    roots, left, feature, threshold, leaf = [], [], [], [], []
    start = 0
    for estimator in model.estimators_:
        tree = estimator.tree_
        order, child = _children_side_by_side(tree.children_left, tree.children_right)
        is_leaf = tree.children_left[order] < 0
        roots.append(start)
        left.append(start + child)
        feature.append(np.where(is_leaf, 0, tree.feature[order]))
        threshold.append(np.where(is_leaf, 0.0, tree.threshold[order]))
        leaf.append(tree.value[order, 0, :])
        start += tree.node_count
    return Forest(
        roots=np.array(roots, dtype=np.int64),
        left=np.concatenate(left).astype(np.int64),
        feature=np.concatenate(feature).astype(np.int64),
        threshold=np.concatenate(threshold).astype(np.float64),
        leaf=np.concatenate(leaf).astype(np.float64),
        classes=np.asarray(model.classes_).astype(np.int64),
        n_features=np.array(model.n_features_in_, dtype=np.int64),
    )


def _children_side_by_side(
    children_left: NDArray[np.int64], children_right: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Renumber a tree breadth first.

    Returns:
        The old node at each new place, and each new place's left child (a leaf's is itself).
    """
    order, child = [0], []
    for place, node in enumerate(order):  # which grows as it is walked
        if children_left[node] < 0:
            child.append(place)
        else:
            child.append(len(order))
            order += [children_left[node], children_right[node]]
    return np.array(order, dtype=np.int64), np.array(child, dtype=np.int64)
