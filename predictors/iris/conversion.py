"""From scikit-learn's forests to a `Forest`, and the proof that it scores as the original does."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from predictors.iris.edges import edge_rows
from predictors.iris.forest import Forest
from predictors.iris.scorer import LevelScorer, new_scorer
from predictors.serving.errors import ArtifactError
from predictors.serving.model.training import called, check_agreement, found_by_search, other_kind
from predictors.serving.model.types import FloatArray

_RANDOM_ROWS = 2_000
# The most nodes whose thresholds are tried: with the whole forest at once, and with each of its trees alone.
_FOREST_NODES = 4_000
_TREE_NODES = 20_000
_FORESTS = (RandomForestClassifier, ExtraTreesClassifier)
_TREES = (DecisionTreeClassifier, ExtraTreeClassifier)
_SERVED = "iris serves a RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier or ExtraTreeClassifier"


def convert(model: Any) -> tuple[Forest, FloatArray]:
    """Convert a fitted forest or tree, and compare the two on rows at and beside the thresholds of its nodes.

    A forest with many nodes is compared tree by tree too, so that the thresholds of each are tried.

    Returns:
        The forest, and the random rows that it was tried on, float64 ``[N, F]``.

    Raises:
        ArtifactError: it is another kind of model, or the two do not give the same probabilities.
    """
    forest = from_sklearn(model)
    forest.validate()
    rows = edge_rows(forest, _RANDOM_ROWS, _FOREST_NODES)
    check_agreement(new_scorer(forest).predict_proba(rows), probabilities(model, rows))
    if int((~forest.is_leaf).sum()) > _FOREST_NODES:
        for tree, estimator in zip(forest.trees(), _trees(found_by_search(model)), strict=True):
            _compare_tree(tree, estimator)
    return forest, rows[:_RANDOM_ROWS]


def _compare_tree(tree: Forest, estimator: Any) -> None:
    rows = edge_rows(tree, 1, _TREE_NODES)
    check_agreement(LevelScorer(tree).score(rows.astype(np.float32)), probabilities(estimator, rows))


def probabilities(model: Any, rows: FloatArray) -> FloatArray:
    """What scikit-learn itself answers, float64 ``[N, C]``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a model that was fitted on a table misses the columns' names
        answer: FloatArray = model.predict_proba(rows)
    return answer


def feature_names(model: Any) -> tuple[str, ...]:
    """The columns' names that a model was fitted with; empty if it was fitted without."""
    return tuple(map(str, getattr(model, "feature_names_in_", ())))


def from_sklearn(model: Any) -> Forest:
    """Convert a fitted forest or tree.

    Raises:
        ArtifactError: it is another kind of model, is not fitted, or has several outputs or labels of mixed types.
    """
    model = found_by_search(model)
    trees = _trees(model)
    roots, left, feature, threshold, leaf = [], [], [], [], []
    start = 0
    for estimator in trees:
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
        classes=_labels(model.classes_),
        n_features=np.array(model.n_features_in_, dtype=np.int64),
    )


def _trees(model: Any) -> list[Any]:
    """The fitted trees of a model that can be converted."""
    kind = type(model).__name__
    if type(model) not in (*_FORESTS, *_TREES):
        raise ArtifactError(f"{_SERVED}, not {called(model)}{other_kind(model)}")
    if not hasattr(model, "classes_"):
        raise ArtifactError(f"the {kind} is not fitted")
    if model.n_outputs_ != 1:
        raise ArtifactError(
            f"the {kind} predicts {model.n_outputs_} outputs at once, and iris serves one{other_kind(model)}"
        )
    trees = [model] if type(model) in _TREES else list(model.estimators_)
    strange = [tree for tree in trees if type(tree) not in _TREES]
    if strange:
        raise ArtifactError(
            f"the {kind} holds {called(strange[0])}, and iris serves forests of scikit-learn's own trees"
            f"{other_kind(model)}"
        )
    return trees


def _labels(classes: Any) -> NDArray[Any]:
    """Class labels as int64, bool or text; whole numbers may have been floats."""
    labels = np.asarray(classes)
    if labels.dtype.kind in "iu" and labels.max() <= np.iinfo(np.int64).max:
        return labels.astype(np.int64)
    if labels.dtype.kind == "f" and (np.abs(labels) < 2**53).all() and (labels == np.rint(labels)).all():
        return labels.astype(np.int64)
    if labels.dtype.kind == "b":
        return labels.astype(np.bool_)
    texts = labels.tolist()
    if set(map(type, texts)) == {str} and all(map(_is_plain, texts)):
        return np.array(texts, dtype=np.str_)
    kinds = ", ".join(sorted({type(label).__name__ for label in texts}))
    raise ArtifactError(f"the class labels must all be integers, all texts or all booleans; these are: {kinds}")


def _is_plain(label: str) -> bool:
    """Whether an array of text holds the label as it is, and an answer can."""
    return "\0" not in label and label.encode(errors="ignore").decode() == label and bool(label.strip())


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
