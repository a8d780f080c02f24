"""ONNX forms decide as scikit-learn does, at the very edges too; those that do not are left out with the reason."""

from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from predictors.serving.errors import InvalidInput
from predictors.serving.model.types import ColumnBatch, FeatureBatch, Outputs
from predictors.sklearn import conversion
from predictors.sklearn import pack as packing
from predictors.sklearn.conversion import convert
from predictors.sklearn.describe import Hints, describe, input_of
from predictors.sklearn.estimator import EstimatorRunner
from predictors.sklearn.onnx_file import OnnxRunner
from predictors.sklearn.sample import sample
from tests.unit.sklearn.conftest import pack

X, Y = load_wine(return_X_y=True)
MEASURED, PROGRESS = load_diabetes(return_X_y=True)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(random_state=0),
        RandomForestClassifier(10, random_state=0),
        ExtraTreesClassifier(10, random_state=0),
        GradientBoostingClassifier(n_estimators=10, random_state=0),
        HistGradientBoostingClassifier(max_iter=10, random_state=0),
        make_pipeline(StandardScaler(), RandomForestClassifier(10, random_state=0)),
        make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=10, random_state=0)),
        make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=10, random_state=0)),
        GradientBoostingRegressor(n_estimators=10, random_state=0),
        HistGradientBoostingRegressor(max_iter=10, random_state=0),
    ],
    ids=lambda model: "+".join(type(step).__name__ for step in getattr(model, "named_steps", {"": model}).values()),
)
def test_trees_decide_alike_at_just_below_and_just_above_their_thresholds(model: Any) -> None:
    """A graph that rounds thresholds or features differs here on hundreds of rows."""
    is_regressor = type(model).__name__.endswith("Regressor")
    model.fit(*((MEASURED, PROGRESS) if is_regressor else (X, Y)))
    kind = input_of(model, Hints())
    batch = sample(model, kind, 3_000)
    signature = describe(model, kind, batch, Hints())
    original = EstimatorRunner(model, signature)
    converted = convert(model, signature, original, batch)
    assert converted.says == "in FP64, equal to scikit-learn on 3000 rows within 1e-05"
    assert converted.onnx is not None
    found, wanted = OnnxRunner(converted.onnx, signature).run(batch), original.run(batch)
    for name, column in wanted.items():
        np.testing.assert_allclose(found[name], column, rtol=1e-5, atol=1e-6)


def test_rows_are_at_and_beside_thresholds() -> None:
    model = HistGradientBoostingClassifier(max_iter=2, random_state=0).fit(X, Y)
    rows = sample(model, input_of(model, Hints()), 4_000)
    assert isinstance(rows, FeatureBatch)
    trees = [tree.nodes for iteration in model._predictors for tree in iteration]
    thresholds = np.array([node["num_threshold"] for tree in trees for node in tree if not node["is_leaf"]])
    for edges in (thresholds, np.nextafter(thresholds, -np.inf), np.nextafter(thresholds, np.inf)):
        assert np.isin(rows.features, edges).sum() > 100


def test_a_graph_that_gives_other_answers_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LogisticRegression(max_iter=5000).fit(X, Y)

    def altered(model: Any, signature: Any) -> bytes:
        graph = onnx.load_from_string(conversion._in_single(model, signature))
        weights = next(each for node in graph.graph.node for each in node.attribute if each.name == "coefficients")
        weights.floats[0] += 0.01
        serialized: bytes = graph.SerializeToString()
        return serialized

    monkeypatch.setattr(conversion, "_PRECISIONS", {"FP64": altered})
    packed = pack(model)
    assert [form.entry.format for form in packed.forms] == ["skops"]
    assert packed.onnx.startswith('no ONNX form: FP64: the output "predict')
    assert "differs from scikit-learn's on" in packed.onnx


def test_a_converter_that_fails_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(model: Any, signature: Any) -> bytes:
        raise RuntimeError("no converter\nfor this")

    monkeypatch.setattr(conversion, "_PRECISIONS", {"FP64": fails})
    packed = pack(LogisticRegression(max_iter=5000).fit(X, Y))
    assert packed.onnx == "no ONNX form: FP64: RuntimeError: no converter for this"


def test_a_label_may_differ_only_where_scikit_learn_is_undecided() -> None:
    wanted: Outputs = {"predict": np.array([0, 1]), "predict_proba": np.array([[0.5, 0.5], [0.4, 0.6]])}
    assert not conversion._compare({**wanted, "predict": np.array([1, 1])}, wanted)
    assert "1 of 2 rows" in conversion._compare({**wanted, "predict": np.array([0, 0])}, wanted)


def columns_of(model: Any, rows: Any, target: Any) -> tuple[Any, Any]:
    """A fitted model of columns, and its signature."""
    model.fit(rows, target)
    kind = input_of(model, Hints())
    return model, describe(model, kind, sample(model, kind, 8), Hints())


def test_only_trees_have_a_graph_in_single_precision() -> None:
    assert "FP32" in conversion._precisions(RandomForestClassifier(2).fit(X, Y))
    assert conversion._precisions(make_pipeline(StandardScaler(), RandomForestClassifier(2)).fit(X, Y)) == ["FP64"]
    assert conversion._precisions(LogisticRegression(max_iter=5000).fit(X, Y)) == ["FP64"]
    assert conversion._precisions(HistGradientBoostingClassifier(max_iter=2).fit(X, Y)) == ["FP64"]


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
        make_pipeline(VarianceThreshold(), LinearDiscriminantAnalysis()),
        make_pipeline(SimpleImputer(), GaussianNB()),
        make_pipeline(SimpleImputer(), MinMaxScaler(), LogisticRegression()),
        make_pipeline(SimpleImputer(), StandardScaler(), RandomForestClassifier(10, random_state=0)),
    ],
    ids=["mean", "means", "theta", "data", "trees"],
)
def test_rows_lie_where_any_step_says_that_the_models_rows_did(model: Any) -> None:
    model.fit(X + 1_000, Y)
    rows = sample(model, input_of(model, Hints()), 500)
    assert isinstance(rows, FeatureBatch)
    middles = np.nanmedian(rows.features, axis=0)
    assert (np.abs(middles - (X + 1_000).mean(axis=0)) < 3 * np.ptp(X, axis=0)).all()


@pytest.mark.parametrize(
    "last", [LogisticRegression(), RandomForestClassifier(5, random_state=0)], ids=["mean", "trees"]
)
def test_numbers_of_columns_lie_where_the_steps_say(last: Any) -> None:
    years = 2000.0 + np.arange(40)
    frame = pd.DataFrame({"plan": ["a", "b"] * 20, "year": years})
    step = "passthrough" if isinstance(last, RandomForestClassifier) else StandardScaler()
    prepare = ColumnTransformer([("plan", OneHotEncoder(), ["plan"]), ("year", step, ["year"])])
    model, signature = columns_of(make_pipeline(prepare, last), frame, years > 2020)
    rows = sample(model, signature.input, 200)
    assert isinstance(rows, ColumnBatch)
    assert 1900 < np.min(np.asarray(rows.columns["year"])) < np.max(np.asarray(rows.columns["year"])) < 2140


def test_a_model_that_is_always_sure_has_no_onnx_form() -> None:
    model = LogisticRegression(max_iter=5000).fit(X, Y)
    model.intercept_ = np.array([1e6, 0.0, 0.0])
    model.coef_ = model.coef_ * 0
    assert pack(model).onnx == "no ONNX form: no rows found on which the model is undecided"


def test_a_graph_that_fails_the_golden_examples_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = next(form.data for form in pack(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)).forms)
    monkeypatch.setattr(packing, "convert", lambda *_: conversion.Conversion(graph, "in FP64"))
    packed = pack(LogisticRegression(max_iter=5000).fit(X, Y))
    assert [form.entry.format for form in packed.forms] == ["skops"]
    assert packed.onnx.startswith("no ONNX form: the form that was written does not give the model's answers")


def test_numbers_that_are_no_known_category_are_compared() -> None:
    frame = pd.DataFrame({"plan": ["a", "b"] * 8, "rooms": [1, 3, 7, 3] * 4, "rate": [0.5, 1.5] * 8})
    prepare = ColumnTransformer([("all", OneHotEncoder(), ["plan", "rooms", "rate"])])
    model, signature = columns_of(make_pipeline(prepare, LogisticRegression()), frame, [0, 1] * 8)
    batch = sample(model, signature.input, 50)
    strange = list(conversion._strange(model, batch))
    assert [set(np.asarray(each.columns["rooms"]).tolist()) == {8} for each in strange] == [False, False, True, False]
    assert [set(np.asarray(each.columns["rate"]).tolist()) == {2.0} for each in strange] == [False, False, False, True]

    class Forgiving(EstimatorRunner):
        def run(self, batch: Any) -> Outputs:
            known = {"rooms": np.clip(batch.columns["rooms"], 1, 7)}
            return super().run(ColumnBatch({**batch.columns, **known}))

    original = EstimatorRunner(model, signature)
    says = conversion._compare_strange(Forgiving(model, signature), original, iter(strange))
    assert says == "categories that the model does not know are not refused by both"
    assert not conversion._compare_strange(original, original, iter(strange))


def test_what_onnx_runtime_says_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"plan": ["a", "b"] * 8, "tier": ["x", "y"] * 8})
    prepare = ColumnTransformer([("all", OneHotEncoder(), ["plan", "tier"])])
    model, signature = columns_of(make_pipeline(prepare, RandomForestClassifier(3)), frame, [0, 1] * 8)
    converted = convert(model, signature, EstimatorRunner(model, signature), sample(model, signature.input, 50))
    assert converted.onnx is not None, converted.says
    runner = OnnxRunner(converted.onnx, signature)
    with pytest.raises(InvalidInput) as refused:
        runner.run(ColumnBatch({"plan": ["c"], "tier": ["x"]}))
    assert str(refused.value) == "the model does not know a category of the input"

    class Broken:
        def run(self, *_: Any) -> Any:
            raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL")

    monkeypatch.setattr(runner, "_session", Broken())
    with pytest.raises(RuntimeError):
        runner.run(ColumnBatch({"plan": ["a"], "tier": ["x"]}))
