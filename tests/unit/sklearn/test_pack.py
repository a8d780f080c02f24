"""Packing: what a model takes is found out or asked for, and what cannot be served is refused with the reason."""

import io
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from predictors.serving.artifacts.joblib_file import load_joblib
from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import ColumnInput, FeatureInput
from predictors.sklearn.describe import Hints
from predictors.sklearn.pack import Options, package
from tests.unit.sklearn.conftest import load, pack, write
from tests.unit.sklearn.test_users import predict

X, Y = load_wine(return_X_y=True)
FRAME = pd.DataFrame({"city": ["Bonn", "Jena", "Bonn", "Ulm"], "rooms": [1, 2, 3, 4], "new": [True, False, True, True]})


class Threshold(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of a user's own."""

    def fit(self, x: Any, y: Any) -> "Threshold":
        self.classes_ = np.unique(y)
        self.n_features_in_ = np.shape(x)[1]
        return self

    def predict(self, x: Any) -> Any:
        return self.classes_[(np.asarray(x)[:, 0] > 13).astype(int)]


def test_features_get_the_names_of_the_data_frame() -> None:
    names = [f"column {i}" for i in range(X.shape[1])]
    packed = pack(LogisticRegression(max_iter=5000).fit(pd.DataFrame(X, columns=names), Y))
    assert packed.signature.input == FeatureInput(tuple(names))


def test_features_without_names_are_numbered_or_named_by_the_packer() -> None:
    model = StandardScaler().fit(X)
    model = make_pipeline(model, RandomForestClassifier(3, random_state=0)).fit(X[:, :2], Y)
    assert pack(model).signature.input == FeatureInput(("x0", "x1"))
    assert pack(model, Options(Hints(features=("a", "b")))).signature.input == FeatureInput(("a", "b"))
    with pytest.raises(ArtifactError, match="the model takes 2 features, but 3 are named"):
        pack(model, Options(Hints(features=("a", "b", "c"))))


def test_what_a_model_does_not_say_is_asked_for() -> None:
    quiet = Threshold().fit(X[:, :2], Y > 0)
    del quiet.n_features_in_
    with pytest.raises(
        ArtifactError, match="Threshold does not say what it takes; name its features, as in --features"
    ):
        pack(quiet)
    assert pack(quiet, Options(Hints(features=("a", "b")))).signature.input == FeatureInput(("a", "b"))


def test_datatypes_of_columns_are_what_their_steps_learnt() -> None:
    prepare = ColumnTransformer(
        [("city", OneHotEncoder(), ["city"]), ("rooms", OneHotEncoder(), ["rooms"]), ("new", OneHotEncoder(), ["new"])]
    )
    packed = pack(make_pipeline(prepare, LogisticRegression()).fit(FRAME, [0, 1, 0, 1]))
    assert isinstance(packed.signature.input, ColumnInput)
    assert [(spec.name, spec.datatype) for spec in packed.signature.input.columns] == [
        ("city", "BYTES"),
        ("rooms", "INT64"),
        ("new", "BOOL"),
    ]


def test_strings_and_numbers_that_one_step_fills_in_keep_their_datatypes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"sex": ["m", "f", None, "f"] * 4, "deck": [1, 2, 3, 1] * 4})
    fill = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    model = make_pipeline(ColumnTransformer([("all", fill, ["sex", "deck"])]), LogisticRegression())
    model.fit(frame, [0, 1, 1, 0] * 4)
    write(pack(model), tmp_path)
    predictor = load(tmp_path)
    assert [(spec.name, spec.datatype) for spec in predictor.input.specs()] == [("sex", "BYTES"), ("deck", "FP64")]
    instances = frame.astype(object).where(frame.notna(), None).to_dict("records")
    np.testing.assert_allclose(predict(predictor, instances)["predict_proba"], model.predict_proba(frame))


def test_whole_numbers_in_a_column_of_objects_are_never_taken_for_strings() -> None:
    """As strings, each would be a category that the model does not know; as numbers, scikit-learn refuses them."""
    frame = pd.DataFrame({"rooms": np.array([1, 2, 3, 1], dtype=object)})
    model = make_pipeline(ColumnTransformer([("rooms", OneHotEncoder(), ["rooms"])]), LogisticRegression())
    with pytest.raises(ArtifactError, match="the Pipeline cannot predict"):
        pack(model.fit(frame, [0, 1, 1, 0]))


def test_rows_that_the_model_does_not_take_are_asked_for() -> None:
    def picky(x: Any) -> Any:
        if np.asarray(x).max() < 1_000:
            raise ValueError("too small")
        return x

    model = make_pipeline(FunctionTransformer(picky), Threshold()).fit(X + 1_000, Y)
    with pytest.raises(
        ArtifactError, match="cannot predict: too small; if your rows are not like those that were tried"
    ):
        package(model, b"")
    assert package(model, b"", Options(examples=[(X[0] + 1_000).tolist()])).golden


def test_columns_that_are_dropped_are_not_asked_for() -> None:
    prepare = ColumnTransformer([("rooms", StandardScaler(), ["rooms"])])
    packed = pack(make_pipeline(prepare, LogisticRegression()).fit(FRAME, [0, 1, 0, 1]))
    assert [spec.name for spec in packed.signature.input.specs()] == ["rooms"]


def test_an_unknown_category_is_refused_by_both_forms_or_there_is_one_form(tmp_path: Path) -> None:
    prepare = ColumnTransformer([("city", OneHotEncoder(), ["city"]), ("rooms", StandardScaler(), ["rooms"])])
    packed = pack(make_pipeline(prepare, LogisticRegression()).fit(FRAME, [0, 1, 0, 1]))
    for form in {each.entry.format for each in packed.forms}:
        write(packed, tmp_path / form, form)
        predictor = load(tmp_path / form)
        assert predict(predictor, [{"city": "Bonn", "rooms": 2}])["predict"] == [0]
        with pytest.raises(Exception, match=r"the model refuses the input|the model does not know a category"):
            predict(predictor, [{"city": "Oz", "rooms": 2}])


def test_examples_become_the_golden_examples() -> None:
    packed = pack(LogisticRegression(max_iter=5000).fit(X, Y), Options(examples=X[:2].tolist()))
    assert [golden.input for golden in packed.golden] == X[:2].tolist()
    with pytest.raises(ArtifactError, match=r"the examples do not fit the model: instances\[0\] has 1 elements"):
        pack(LogisticRegression(max_iter=5000).fit(X, Y), Options(examples=[[1.0]]))


def test_class_names_are_an_output_of_their_own(tmp_path: Path) -> None:
    names = ("barolo", "grignolino", "barbera")
    model = RandomForestClassifier(3, random_state=0).fit(X, Y)
    write(pack(model, Options(Hints(labels=names))), tmp_path)
    predictor = load(tmp_path)
    outputs = predict(predictor, X[::30].tolist())
    assert outputs["label"] == [names[i] for i in model.predict(X[::30])]
    assert predictor.v1_fields == {"predictions": "predict", "labels": "label", "probabilities": "predict_proba"}
    with pytest.raises(ArtifactError, match="2 class names are given; the model has 3 classes"):
        pack(model, Options(Hints(labels=names[:2])))


def test_of_a_search_the_model_it_found_is_packed() -> None:
    found = GridSearchCV(LogisticRegression(max_iter=5000), {"C": [0.1, 1]}, cv=2).fit(X, Y)
    assert "GridSearchCV" not in str(pack(found).approved_types)


def test_missing_values_are_taken_where_the_model_fills_them_in_or_the_packer_says_so(tmp_path: Path) -> None:
    assert pack(make_pipeline(SimpleImputer(), LogisticRegression(max_iter=5000)).fit(X, Y)).signature.input.missing  # type: ignore[union-attr]
    gaps = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(gaps, Y)
    assert not pack(model).signature.input.missing  # type: ignore[union-attr]
    write(pack(model, Options(Hints(missing=True))), tmp_path)
    predictor = load(tmp_path)
    assert predictor.format == "onnx"
    rows = [[None if np.isnan(value) else value for value in row] for row in gaps.tolist()]
    assert list(predict(predictor, rows)["predict"]) == model.predict(gaps).tolist()


def test_a_forest_that_splits_on_missing_values_has_no_onnx_form() -> None:
    """Its converter never ends on such a threshold, which is infinite."""
    gaps = np.where(np.random.default_rng(0).random(X.shape) < 0.3, np.nan, X)
    model = RandomForestClassifier(20, random_state=0).fit(gaps, Y)
    assert any(np.isinf(tree.tree_.threshold).any() for tree in model.estimators_)
    packed = pack(model, Options(Hints(missing=True)))
    assert packed.onnx == "no ONNX form: a tree separates missing values from all others, which ONNX cannot"


def test_a_model_that_takes_no_number_below_zero_is_asked_others() -> None:
    model = make_pipeline(FunctionTransformer(np.log1p), LogisticRegression(max_iter=5000)).fit(X, Y)
    packed = pack(model)
    assert min(value for golden in packed.golden for value in golden.input) >= 0


def test_steps_by_column_number_take_rows_of_numbers_or_columns_by_number(tmp_path: Path) -> None:
    numbers = np.c_[X[:, :2], Y % 2]
    prepare = ColumnTransformer([("scaled", StandardScaler(), [0, 1])], remainder="passthrough")
    model = make_pipeline(prepare, LogisticRegression()).fit(numbers, Y)
    write(pack(model), tmp_path / "numbers")
    predictor = load(tmp_path / "numbers")
    assert predictor.input == FeatureInput(("x0", "x1", "x2"))
    assert list(predict(predictor, numbers.tolist())["predict"]) == model.predict(numbers).tolist()
    objects = FRAME[["city", "rooms"]].to_numpy(dtype=object)
    prepare = ColumnTransformer([("city", OneHotEncoder(handle_unknown="ignore"), [0])], remainder="passthrough")
    model = make_pipeline(prepare, LogisticRegression()).fit(objects, [0, 1, 0, 1])
    write(pack(model), tmp_path / "objects")
    predictor = load(tmp_path / "objects")
    assert [(spec.name, spec.datatype) for spec in predictor.input.specs()] == [("x0", "BYTES"), ("x1", "FP64")]
    assert list(predict(predictor, objects.tolist())["predict"]) == model.predict(objects).tolist()


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({}, "a fitted scikit-learn estimator is expected, not dict"),
        (StandardScaler().fit(X), "a fitted scikit-learn estimator is expected, not StandardScaler"),
        (RandomForestClassifier(), "the RandomForestClassifier is not fitted"),
    ],
    ids=["dict", "transformer", "unfitted"],
)
def test_what_is_no_fitted_estimator_is_refused(model: Any, says: str) -> None:
    with pytest.raises(ArtifactError, match=says):
        pack(model)


def test_a_class_of_the_users_own_keeps_the_joblib_form_unless_it_is_approved(tmp_path: Path) -> None:
    model = Threshold().fit(X, Y > 0)
    packed = pack(model)
    assert [form.entry.format for form in packed.forms] == ["joblib"]
    name = f"{Threshold.__module__}.Threshold"
    assert packed.skops == f"no skops form: it would hold {name}; approve with --approve_type"
    approved = pack(model, Options(approved_types=[name]))
    assert [form.entry.format for form in approved.forms] == ["skops"]
    write(approved, tmp_path)
    with pytest.raises(ArtifactError, match=f"the skops file holds {name}: pin the artifact's manifest"):
        load(tmp_path)
    assert list(predict(load(tmp_path, trusted=True), X[:3].tolist())["predict"]) == [True, True, True]


def test_a_class_that_is_not_here_is_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("their_code")
    monkeypatch.setitem(sys.modules, "their_code", module)
    monkeypatch.setattr(Threshold, "__module__", "their_code")
    module.Threshold = Threshold  # type: ignore[attr-defined]
    buffer = io.BytesIO()
    joblib.dump(Threshold().fit(X, Y), buffer)
    monkeypatch.delitem(sys.modules, "their_code")
    with pytest.raises(
        ArtifactError, match="the joblib file needs code that is not here: No module named 'their_code'"
    ):
        load_joblib(buffer.getvalue())


def test_whatever_a_model_raises_when_it_is_asked_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise KeyError("no such column")

    monkeypatch.setattr("predictors.sklearn.pack.EstimatorRunner.run", fails)
    with pytest.raises(ArtifactError, match="the model cannot be served: KeyError: 'no such column'"):
        pack(LogisticRegression(max_iter=5000).fit(X, Y))
