"""ONNX forms decide as scikit-learn does, at the very edges too; those that do not are left out with the reason."""

from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from predictors.serving.model.types import FeatureBatch, Outputs
from predictors.sklearn import conversion
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

    monkeypatch.setattr(conversion, "_PRECISIONS", {"FP32": altered})
    packed = pack(model)
    assert [form.entry.format for form in packed.forms] == ["skops"]
    assert packed.onnx.startswith('no ONNX form: FP32: the output "predict')
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
