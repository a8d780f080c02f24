import io

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier

from predictors.iris.conversion import from_sklearn
from predictors.iris.forest import Forest
from predictors.iris.scorer import Leaves, LevelScorer, MaskScorer, Scorer, new_scorer
from predictors.serving.errors import ArtifactError
from tests.live import ARTIFACTS


@pytest.fixture(scope="module")
def iris() -> tuple[RandomForestClassifier, Forest]:
    raw = (ARTIFACTS / "iris/model.joblib").read_bytes()
    return joblib.load(io.BytesIO(raw)), Forest.from_bytes((ARTIFACTS / "iris/model.npz").read_bytes())


def assert_equal(model: RandomForestClassifier, forest: Forest, rows: np.ndarray) -> None:
    expected, actual = model.predict_proba(rows), new_scorer(forest).predict_proba(rows)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(forest.classes[actual.argmax(axis=1)], model.predict(rows))


def test_equals_scikit_learn_on_10_000_random_inputs(iris: tuple[RandomForestClassifier, Forest]) -> None:
    rows = np.random.default_rng(0).uniform(-1, 9, size=(10_000, 4))
    assert_equal(*iris, rows)


def test_equals_scikit_learn_on_and_around_every_threshold(iris: tuple[RandomForestClassifier, Forest]) -> None:
    model, forest = iris
    thresholds = np.unique(forest.threshold[np.isfinite(forest.threshold)])
    edges = np.concatenate([thresholds, np.nextafter(thresholds, np.inf), np.nextafter(thresholds, -np.inf)])
    rows = np.random.default_rng(1).choice(edges, size=(5_000, 4))
    assert_equal(model, forest, np.concatenate([rows, load_iris().data]))


def test_equals_scikit_learn_for_deep_uneven_trees() -> None:
    x, y = make_classification(2_000, 10, n_informative=6, n_classes=5, flip_y=0.3, random_state=3)
    model = RandomForestClassifier(20, random_state=3).fit(x, y)
    forest = Forest.from_bytes(from_sklearn(model).to_bytes())
    assert_equal(model, forest, np.random.default_rng(2).normal(size=(3_000, 10)) * 3)


@pytest.mark.parametrize("leaves", [2, 63, 64, 65, 128, 129, 400])
def test_equals_scikit_learn_for_any_number_of_leaves(leaves: int) -> None:
    x, y = make_classification(3_000, 4, n_informative=4, n_redundant=0, n_classes=3, flip_y=0.5, random_state=leaves)
    model = RandomForestClassifier(5, max_leaf_nodes=leaves, random_state=1).fit(x, y)
    assert_equal(model, from_sklearn(model), np.random.default_rng(leaves).normal(size=(2_000, 4)) * 2)


def test_a_single_leaf_is_a_forest_too() -> None:
    model = RandomForestClassifier(3, max_depth=1, random_state=0).fit(np.zeros((9, 4)), [0, 1, 2] * 3)
    assert_equal(model, from_sklearn(model), np.zeros((2, 4)))


def test_a_large_forest_equals_scikit_learn_too() -> None:
    x, y = make_classification(4_000, 4, n_informative=4, n_redundant=0, n_classes=3, flip_y=0.5, random_state=5)
    model = RandomForestClassifier(60, random_state=1).fit(x, y)
    forest = from_sklearn(model)
    assert isinstance(new_scorer(forest)._forest, LevelScorer)
    assert_equal(model, forest, np.random.default_rng(5).normal(size=(2_000, 4)) * 2)


def test_both_ways_of_scoring_agree(iris: tuple[RandomForestClassifier, Forest]) -> None:
    rows = np.random.default_rng(6).uniform(-1, 9, size=(2_000, 4))
    ways = (MaskScorer(iris[1], Leaves.of(iris[1])), LevelScorer(iris[1]))
    masks, levels = (Scorer(way, 100).predict_proba(rows) for way in ways)
    np.testing.assert_array_equal(masks, levels)


def test_one_row_equals_the_same_row_in_a_batch(iris: tuple[RandomForestClassifier, Forest]) -> None:
    rows = load_iris().data
    scorer = new_scorer(iris[1])
    batch = scorer.predict_proba(rows)
    for i in range(0, len(rows), 10):
        np.testing.assert_array_equal(scorer.predict_proba(rows[i : i + 1])[0], batch[i])


@pytest.mark.parametrize(
    ("array", "change"),
    [
        ("left", lambda a: a + 10_000),
        ("left", lambda a: a - 10_000),
        ("roots", lambda a: a - 1),
        ("feature", lambda a: a + 4),
        ("left", lambda a: np.where(a == 1, 3, a)),
        ("left", lambda a: np.zeros_like(a)),
        ("roots", lambda a: np.zeros_like(a)),
        ("threshold", lambda a: a + np.nan),
        ("leaf", lambda a: a * 2),
        ("leaf", lambda a: a[:-1]),
        ("leaf", lambda a: a.ravel()),
        ("left", lambda a: a.astype(np.int32)),
    ],
)
def test_a_table_that_leads_astray_is_refused(
    iris: tuple[RandomForestClassifier, Forest], array: str, change: object
) -> None:
    names = Forest.__dataclass_fields__
    arrays = {name: getattr(iris[1], name) for name in names}
    arrays[array] = change(arrays[array])  # type: ignore[operator]
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with pytest.raises(ArtifactError):
        Forest.from_bytes(buffer.getvalue())


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"\x93NUMPY", b"not an archive", b"\x80\x04."])
def test_what_is_no_archive_is_refused(raw: bytes) -> None:
    with pytest.raises(ArtifactError, match="not a forest's npz archive"):
        Forest.from_bytes(raw)


def test_an_archive_with_pickled_objects_is_refused() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, roots=np.array([object()], dtype=object))
    with pytest.raises(ArtifactError):
        Forest.from_bytes(buffer.getvalue())
