import io
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

from predictors.iris.forest import Forest, from_sklearn
from predictors.iris.pack import package, sample
from predictors.serving.errors import ArtifactError
from tests.live import ARTIFACTS


def fitted(features: int = 4, classes: int = 3, names: tuple[Any, ...] = (0, 1, 2, 3, 4)) -> RandomForestClassifier:
    x, y = make_classification(
        300, features, n_informative=features, n_redundant=0, n_classes=classes, n_clusters_per_class=1, random_state=4
    )
    return RandomForestClassifier(5, random_state=4).fit(x, np.array(names)[y])


def test_the_pickle_free_form_is_the_models_own() -> None:
    raw = (ARTIFACTS / "iris/model.joblib").read_bytes()
    packed = package(joblib.load(io.BytesIO(raw)), raw, {"accuracy": 0.9})
    assert packed.npz == (ARTIFACTS / "iris/model.npz").read_bytes()
    assert (packed.pickled, packed.evaluation) == (raw, {"accuracy": 0.9})
    assert [golden.output["label"] for golden in packed.golden] == ["setosa", "versicolor", "virginica"]


def test_class_ids_are_the_models_own() -> None:
    packed = package(fitted(names=(1, 2, 3)), b"")
    assert {golden.output["predict"] for golden in packed.golden} <= {1, 2, 3}


def test_the_sample_lies_at_and_on_either_side_of_thresholds() -> None:
    forest = from_sklearn(fitted())
    rows = sample(forest)
    for feature in range(4):
        inner = ~forest.is_leaf & (forest.feature == feature)
        thresholds = np.unique(forest.threshold[inner])
        values = rows[:, feature]
        single = thresholds.astype(np.float32)
        beside = [np.nextafter(single, np.float32(way)) for way in (-np.inf, np.inf)]
        for edges in (thresholds, *beside):
            assert np.isin(values, edges).sum() > 1_000
        assert (~np.isin(values, np.concatenate([thresholds, *beside]))).sum() >= 1_900


def test_a_column_that_no_tree_tests_is_sampled_too() -> None:
    single = RandomForestClassifier(3, random_state=0).fit(np.zeros((9, 4)), [0, 1, 2] * 3)
    assert np.isfinite(sample(from_sklearn(single))).all()
    assert package(single, b"").golden


@pytest.mark.parametrize("difference", [2e-6, np.nan])
def test_other_probabilities_than_scikit_learns_are_refused(difference: float) -> None:
    model = fitted()
    own = model.predict_proba
    assert package(model, b"").golden

    def altered(rows: np.ndarray) -> np.ndarray:
        probabilities: np.ndarray = own(rows)
        probabilities[len(rows) // 2, 1] += difference
        return probabilities

    model.predict_proba = altered
    with pytest.raises(ArtifactError, match="as plain arrays, the model gives other probabilities than scikit-learn"):
        package(model, b"")


def test_a_threshold_that_is_off_by_a_little_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversion that moves one threshold by a millionth: no random row falls between the two."""
    model = fitted()

    def moved(model: RandomForestClassifier) -> Forest:
        forest = from_sklearn(model)
        forest.threshold[np.flatnonzero(~forest.is_leaf)[0]] += 1e-6
        return forest

    monkeypatch.setattr("predictors.iris.pack.from_sklearn", moved)
    with pytest.raises(ArtifactError, match="on 6003 inputs, they differ by up to 0"):
        package(model, b"")


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({}, "a RandomForestClassifier is expected, not dict"),
        (RandomForestClassifier(), "the RandomForestClassifier is not fitted"),
        (fitted(features=5), "the forest takes 5 features; 4 are expected"),
        (fitted(classes=2), "the forest has 2 classes and the manifest 3 class names; 3 are expected"),
        (fitted(names=("a", "b", "c")), "classes are not integers"),
        (RandomForestClassifier(2).fit(np.eye(4), np.eye(4, 2)), "classes are not integers"),
    ],
    ids=["dict", "unfitted", "five features", "two classes", "texts", "two outputs"],
)
def test_other_models_are_refused(model: Any, says: str) -> None:
    with pytest.raises(ArtifactError, match=says):
        package(model, b"")
