"""Forests and trees of any shape: what becomes of them, and that their answers are scikit-learn's."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification
from sklearn.ensemble import ExtraTreesClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import RandomizedSearchCV
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from predictors.iris import conversion
from predictors.iris.conversion import convert, from_sklearn
from predictors.iris.edges import edge_rows
from predictors.iris.forest import Forest
from predictors.iris.scorer import Leaves, LevelScorer, MaskScorer, Scorer, new_scorer
from predictors.serving.errors import ArtifactError


def assert_equal(model: Any, forest: Forest, rows: np.ndarray) -> None:
    """Both ways of scoring, and the one that is chosen, in one batch and row by row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about the columns' names
        expected, predicted = model.predict_proba(rows), model.predict(rows)
    ways = (MaskScorer(forest, Leaves.of(forest)), LevelScorer(forest))
    for scorer in (new_scorer(forest), *(Scorer(way, 64) for way in ways)):
        np.testing.assert_allclose(scorer.predict_proba(rows), expected, rtol=0, atol=1e-9)
        np.testing.assert_allclose(scorer.predict_proba(rows[-1:]), expected[-1:], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(forest.classes[new_scorer(forest).predict_proba(rows).argmax(axis=1)], predicted)


def with_missing(x: np.ndarray, share: float, seed: int) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random(x.shape) < share, np.nan, x)


@pytest.mark.parametrize("data", [load_wine, load_breast_cancer, load_digits])
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_known_data_sets(data: Any, kind: Any, missing: float) -> None:
    x, y = data(return_X_y=True)
    model = kind(20, random_state=1).fit(with_missing(x, missing, 2), y)
    forest, _ = convert(model)
    assert_equal(model, Forest.from_bytes(forest.to_bytes()), np.concatenate([x, edge_rows(forest, 500, 500)]))


LABELS = {
    "integers with gaps": [-7, 3, 40, 41],
    "texts": ["cat", "dog", "Ähre", "ibis"],
    "whole floats": [0.0, 1.0, 2.0, 5.0],
}


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from([RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier, ExtraTreeClassifier]),
    features=st.integers(1, 9),
    labels=st.sampled_from(sorted(LABELS)),
    missing=st.sampled_from([0.0, 0.1, 0.6]),
    leaves=st.sampled_from([2, 60, 70, 300]),
    seed=st.integers(0, 10_000),
)
def test_any_forest(kind: Any, features: int, labels: str, missing: float, leaves: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(400, features)) * 10 ** random.uniform(-6, 6, size=features)
    y = np.array(LABELS[labels])[random.integers(0, 4, 400)]
    options = {} if kind in (DecisionTreeClassifier, ExtraTreeClassifier) else {"n_estimators": 5}
    model = kind(**options, max_leaf_nodes=leaves, random_state=seed).fit(with_missing(x, missing, seed), y)
    forest, _ = convert(model)
    assert_equal(model, forest, np.concatenate([x, edge_rows(forest, 100, 400)]))


def test_a_split_on_whether_a_value_is_missing() -> None:
    """What is missing tells the classes apart, so trees split at infinity; a finite number always goes left there."""
    x = np.random.default_rng(3).normal(size=(300, 2))
    y = np.random.default_rng(4).integers(0, 2, 300)
    x[y == 1, 0] = np.nan
    model = RandomForestClassifier(10, random_state=0).fit(x, y)
    forest, _ = convert(model)
    assert np.isinf(forest.threshold).any()
    rows = np.concatenate([np.nan_to_num(x), np.full((1, 2), np.finfo(np.float32).max), edge_rows(forest, 50, 500)])
    assert_equal(model, forest, rows)


@pytest.mark.parametrize("way", [np.inf, -np.inf])
def test_a_threshold_at_either_infinity_sends_every_number_one_way(way: float) -> None:
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit([[0.0], [1.0], [2.0]], [0, 1, 2])
    forest = from_sklearn(model)
    forest.threshold[0] = way
    rows = np.array([[-3e38], [0.5], [3e38]])
    ways = [
        Scorer(each, 9).predict_proba(rows) for each in (MaskScorer(forest, Leaves.of(forest)), LevelScorer(forest))
    ]
    np.testing.assert_array_equal(ways[0], ways[1])
    np.testing.assert_array_equal(ways[0].sum(axis=1), [1, 1, 1])


def test_one_class_one_feature_and_one_tree() -> None:
    model = RandomForestClassifier(1).fit([[1.0], [2.0]], ["only", "only"])
    forest, _ = convert(model)
    assert_equal(model, forest, np.array([[0.0], [5.0]]))
    assert forest.classes.tolist() == ["only"]


def test_booleans_stay_booleans() -> None:
    model = RandomForestClassifier(3, random_state=0).fit([[1.0], [2.0], [3.0], [4.0]], [True, False, True, False])
    forest, _ = convert(model)
    assert Forest.from_bytes(forest.to_bytes()).classes.tolist() == [False, True]


def test_texts_in_an_array_of_objects() -> None:
    model = RandomForestClassifier(3, random_state=0).fit([[1.0], [2.0]], np.array(["a", "bcd"], dtype=object))
    assert convert(model)[0].classes.tolist() == ["a", "bcd"]


def test_a_forest_that_was_trained_on_a_sparse_matrix() -> None:
    x, y = load_digits(return_X_y=True)
    model = RandomForestClassifier(5, random_state=0).fit(csr_matrix(x), y)
    assert_equal(model, convert(model)[0], x[:200])


def test_class_weights_are_in_the_leaves() -> None:
    x, y = load_wine(return_X_y=True)
    model = RandomForestClassifier(9, class_weight="balanced_subsample", max_samples=0.3, random_state=0).fit(x, y)
    assert_equal(model, convert(model)[0], x)


def test_what_a_search_found() -> None:
    x, y = load_wine(return_X_y=True)
    search = RandomizedSearchCV(RandomForestClassifier(random_state=0), {"n_estimators": [3, 5]}, n_iter=2, cv=2)
    assert_equal(search.fit(x, y), convert(search)[0], x)


def many_nodes() -> RandomForestClassifier:
    x, y = make_classification(4_000, 8, n_informative=6, n_classes=4, flip_y=0.4, random_state=5)
    return RandomForestClassifier(12, random_state=1).fit(x, y)


@pytest.mark.parametrize(
    "model", [many_nodes(), DecisionTreeClassifier(random_state=0).fit(*load_wine(return_X_y=True))]
)
def test_every_threshold_is_tried(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversion that moves a threshold by the least that FP32 can tell is found, whichever threshold it is.

    Further up in a tree, both sides of a threshold may lead to the same answer; so splits into two leaves are moved.
    """
    forest = from_sklearn(model)
    inner = np.flatnonzero(~forest.is_leaf)
    last = inner[forest.is_leaf[forest.left[inner]] & forest.is_leaf[forest.left[inner] + 1]]
    for node in np.random.default_rng(0).choice(last, 12):
        moved = from_sklearn(model)
        single = np.float32(moved.threshold[node])
        moved.threshold[node] = np.nextafter(np.nextafter(single, np.float32(np.inf)), np.float32(np.inf))
        monkeypatch.setattr(conversion, "from_sklearn", lambda _, moved=moved: moved)
        with pytest.raises(ArtifactError, match="gives other probabilities than scikit-learn"):
            convert(model)


class Mine(RandomForestClassifier):  # type: ignore[misc]
    """A forest with a method of its own."""

    def predict_proba(self, rows: Any) -> Any:
        return super().predict_proba(rows)[:, ::-1]


X, Y = load_wine(return_X_y=True)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({}, "ExtraTreeClassifier, not a dict$"),
        (GradientBoostingClassifier(n_estimators=2).fit(X, Y), "not a GradientBoostingClassifier; the kind sklearn"),
        (Mine(2).fit(X, Y), "not a Mine; the kind sklearn"),
        (RandomForestClassifier(), "the RandomForestClassifier is not fitted"),
        (RandomForestClassifier(2).fit(X, np.eye(3)[Y]), "predicts 3 outputs at once, and iris serves one"),
        (RandomForestClassifier(2).fit(X, np.where(Y, "a\0b", "c").astype(object)), "must all be integers, all texts"),
    ],
    ids=["dict", "boosting", "subclass", "unfitted", "outputs", "labels"],
)
def test_what_is_refused(model: Any, says: str) -> None:
    with pytest.raises(ArtifactError, match=says):
        convert(model)


def test_leaves_that_hold_counts_are_refused() -> None:
    """As scikit-learn before 1.3 wrote them."""
    forest = from_sklearn(RandomForestClassifier(2).fit(X, Y))
    forest.leaf[forest.is_leaf] *= 17
    with pytest.raises(ArtifactError, match="the forest's leaves hold no probabilities"):
        forest.validate()
