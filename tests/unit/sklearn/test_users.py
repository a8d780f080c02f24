"""Models as users bring them: packed, served, and equal to scikit-learn's own answers in each of their forms."""

import time
from typing import Any

import numpy as np
import orjson
import pytest

from predictors.serving.model.types import Job, Outputs
from predictors.serving.model.validation import batch_from_instances
from predictors.serving.protocols.v1 import codec as v1
from predictors.sklearn.model import SklearnPredictor
from tests.unit.sklearn.conftest import Artifacts, load
from tests.unit.sklearn.users import USERS, User

# Texts are divided into words by scikit-learn alone, and ONNX Runtime fills in missing values in FP32 alone.
WITHOUT_ONNX = {
    "TF-IDF and logistic regression": "divides texts into other words",
    "naive Bayes of texts": "divides texts into other words",
    "linear SVC of texts": "divides texts into other words",
    "binary sentiment": "divides texts into other words",
    "columns of a data frame": "Imputer",
}
TRUSTED = True


def predict(predictor: SklearnPredictor, instances: list[Any]) -> Outputs:
    batch = batch_from_instances(instances, predictor.input, predictor.limits, {})
    return predictor.infer(batch, Job(time.monotonic() + 60))  # type: ignore[arg-type]


def plain(value: Any) -> Any:
    """A value of a column as JSON has it."""
    return value if isinstance(value, str) else value.tolist()


def assert_equal(outputs: Outputs, user: User) -> None:
    """Compare with what scikit-learn says."""
    wanted = user.model.predict(user.rows)
    if wanted.dtype.kind == "f":
        np.testing.assert_allclose(outputs["predict"], wanted, rtol=1e-5)
    else:
        assert list(outputs["predict"]) == wanted.tolist()
        assert wanted.dtype.kind not in "ib" or np.asarray(outputs["predict"]).dtype.kind == wanted.dtype.kind
    for method in ("predict_proba", "decision_function"):
        if method in outputs:
            np.testing.assert_allclose(outputs[method], getattr(user.model, method)(user.rows), rtol=1e-5, atol=1e-6)
    assert len(outputs) == 1 + (hasattr(user.model, "predict_proba") or hasattr(user.model, "decision_function"))


@pytest.mark.parametrize("name", USERS)
@pytest.mark.parametrize("form", ["onnx", "skops"])
def test_it_is_served_as_it_is(name: str, form: str, artifacts_of_users: Artifacts) -> None:
    packed = artifacts_of_users.packed(name)
    if form == "onnx" and name in WITHOUT_ONNX:
        assert [each.entry.format for each in packed.forms] == ["skops"]
        assert WITHOUT_ONNX[name] in packed.onnx
        return
    predictor = load(artifacts_of_users.write(name, form), TRUSTED)
    user = artifacts_of_users.user(name)
    assert predictor.format == form
    outputs = predict(predictor, user.instances)
    assert_equal(outputs, user)
    said = orjson.loads(v1.encode(outputs, predictor.v1_fields, predictor.version))
    assert said["predictions"] == [*map(plain, outputs["predict"])]
    assert set(said) == {*predictor.v1_fields, "model_version"}
    assert_equal(predict(predictor, user.instances[:1]), User(user.model, user.rows[:1], user.instances[:1]))


@pytest.mark.parametrize("name", USERS)
def test_the_first_form_needs_no_trust(name: str, artifacts_of_users: Artifacts) -> None:
    predictor = load(artifacts_of_users.write(name))
    assert predictor.format == ("skops" if name in WITHOUT_ONNX else "onnx")
    assert_equal(predict(predictor, artifacts_of_users.user(name).instances), artifacts_of_users.user(name))


def test_columns_by_name(artifacts_of_users: Artifacts) -> None:
    predictor = load(artifacts_of_users.write("columns of a data frame"))
    assert [(spec.name, spec.datatype, spec.shape) for spec in predictor.input.specs()] == [
        ("age", "FP64", (-1,)),
        ("plan", "BYTES", (-1,)),
        ("seats", "FP64", (-1,)),
    ]


def test_a_value_may_be_missing_where_a_step_fills_it_in(artifacts_of_users: Artifacts) -> None:
    user = artifacts_of_users.user("columns of a data frame")
    rows = user.rows.assign(age=np.nan)
    instances = [{**row, "age": None} for row in user.instances]
    predictor = load(artifacts_of_users.write("columns of a data frame", "skops"), TRUSTED)
    assert_equal(predict(predictor, instances), User(user.model, rows, instances))
