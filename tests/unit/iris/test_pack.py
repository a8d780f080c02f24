import io
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine, make_classification
from sklearn.ensemble import RandomForestClassifier

from predictors.iris.conversion import from_sklearn
from predictors.iris.edges import edge_rows
from predictors.iris.model import FLOWER_CLASSES, FLOWER_FEATURES
from predictors.iris.pack import package
from predictors.iris.train import EXAMPLES
from predictors.serving.errors import ArtifactError
from predictors.serving.model.training import Names
from predictors.serving.model.types import TensorSpec
from tests.live import ARTIFACTS


def fitted(features: int = 4, classes: int = 3, names: tuple[Any, ...] = (0, 1, 2, 3, 4)) -> RandomForestClassifier:
    x, y = make_classification(
        300, features, n_informative=features, n_redundant=0, n_classes=classes, n_clusters_per_class=1, random_state=4
    )
    return RandomForestClassifier(5, random_state=4).fit(x, np.array(names)[y])


def test_the_pickle_free_form_is_the_models_own() -> None:
    raw = (ARTIFACTS / "iris/model.joblib").read_bytes()
    packed = package(
        joblib.load(io.BytesIO(raw)), raw, {"accuracy": 0.9}, Names(FLOWER_FEATURES, FLOWER_CLASSES), EXAMPLES
    )
    assert packed.npz == (ARTIFACTS / "iris/model.npz").read_bytes()
    assert (packed.pickled, packed.evaluation) == (raw, {"accuracy": 0.9})
    assert [golden.output["label"] for golden in packed.golden] == ["setosa", "versicolor", "virginica"]


def test_the_names_are_those_that_the_model_was_trained_with() -> None:
    data = load_wine(as_frame=True)
    model = RandomForestClassifier(5, random_state=0).fit(data.data, np.array(["a", "b", "c"])[data.target])
    packed = package(model, b"")
    assert packed.names == Names(tuple(data.data.columns), ("a", "b", "c"))
    assert packed.inputs == (TensorSpec("features", "FP64", (-1, 13)),)
    assert packed.outputs[0] == TensorSpec("predict", "BYTES", (-1,))
    assert {golden.output["predict"] for golden in packed.golden} == {"a", "b", "c"}


def test_names_can_be_given() -> None:
    packed = package(fitted(2, 2, (5, 9)), b"", names=Names(("left", "right"), ("no", "yes")))
    assert packed.names == Names(("left", "right"), ("no", "yes"))
    assert {(golden.output["predict"], golden.output["label"]) for golden in packed.golden} == {(5, "no"), (9, "yes")}


def test_without_names_there_are_numbers() -> None:
    assert package(fitted(2, 2, (5, 9)), b"").names == Names(("f0", "f1"), ("5", "9"))


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (Names(features=("a", "b", "c")), "the forest has 4 features, but 3 names of features are given"),
        (Names(features=("a", "b", "c", "a")), "the names of the features must differ"),
        (Names(features=("a", "b", "c", " ")), "the names of the features must differ and not be empty"),
        (Names(classes=("a",)), "the forest has 3 classes, but 1 names of classes are given"),
        (Names(classes=("a", "b", "b")), "the names of the classes must differ"),
    ],
)
def test_names_that_do_not_fit_are_refused(names: Names, says: str) -> None:
    with pytest.raises(ArtifactError, match=says):
        package(fitted(), b"", names=names)


def test_rows_lie_at_and_on_either_side_of_each_threshold() -> None:
    forest = from_sklearn(fitted())
    rows = edge_rows(forest, 0, 10_000)
    for node in np.flatnonzero(~forest.is_leaf):
        single = np.float32(forest.threshold[node])
        values = set(rows[:, forest.feature[node]])
        for edge in (forest.threshold[node], *(np.nextafter(single, np.float32(way)) for way in (-np.inf, np.inf))):
            assert edge in values
    assert len(rows) == 3 * (~forest.is_leaf).sum()


def test_a_column_that_no_tree_tests_is_tried_too() -> None:
    single = RandomForestClassifier(3, random_state=0).fit(np.zeros((9, 4)), [0, 1, 2] * 3)
    assert np.isfinite(edge_rows(from_sklearn(single), 100, 100)).all()
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


def test_golden_examples_are_chosen_for_each_class_that_is_ever_likely() -> None:
    data = load_iris()
    packed = package(RandomForestClassifier(20, random_state=0).fit(data.data, data.target), b"")
    assert {golden.output["predict"] for golden in packed.golden} == {0, 1, 2}
