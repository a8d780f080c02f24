"""Values of columns that are missing, and columns whose names matter, reach the model as those that it was fitted on."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from predictors.serving.errors import ArtifactError, PackageMissing
from predictors.serving.model.types import ColumnBatch
from predictors.sklearn.describe import Hints
from predictors.sklearn.frames import rows_of
from predictors.sklearn.pack import Options
from tests.unit.sklearn.conftest import load, pack, pickled, write
from tests.unit.sklearn.test_users import predict

CITIES = ["Bonn", "Bonn", "Bonn", "Jena", "Ulm"]


def fitted(step: Any, missing: object) -> Any:
    """A model of a column of strings, one in six of which is missing."""
    cities = np.array([*CITIES, missing] * 10, dtype=object)
    prepare = ColumnTransformer([("city", step, ["city"])])
    return make_pipeline(prepare, LogisticRegression()).fit(frame(cities), [1, 1, 1, 0, 0, 1] * 10)


def frame(cities: Any) -> Any:
    return pd.DataFrame({"city": np.array(cities, dtype=object)})


ONE_HOT = OneHotEncoder(handle_unknown="ignore")


@pytest.mark.parametrize(
    ("step", "missing"),
    [
        (make_pipeline(SimpleImputer(strategy="most_frequent"), ONE_HOT), np.nan),
        (make_pipeline(SimpleImputer(strategy="constant", fill_value="Bonn"), ONE_HOT), np.nan),
        (make_pipeline(SimpleImputer(strategy="most_frequent", missing_values=None), ONE_HOT), None),
        (ONE_HOT, np.nan),
        (ONE_HOT, None),
    ],
    ids=["most frequent", "constant", "imputer of None", "category NaN", "category None"],
)
def test_null_is_what_the_model_learnt_as_missing(step: Any, missing: object, tmp_path: Path) -> None:
    model = fitted(step, missing)
    write(pack(model, Options(Hints(missing=True))), tmp_path)
    served = predict(load(tmp_path), [{"city": None}, {"city": "Jena"}])["predict_proba"]
    np.testing.assert_allclose(served, model.predict_proba(frame([missing, "Jena"])))
    assert not np.allclose(served, model.predict_proba(frame(["Oz", "Jena"])))


def test_named_columns_need_pandas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(pack(fitted(ONE_HOT, "Ulm")), tmp_path, "skops")
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    for ask in (lambda: rows_of(ColumnBatch({"city": ["Bonn"]})), lambda: load(tmp_path)):
        with pytest.raises(
            (PackageMissing, ArtifactError), match=r"named columns need pandas: install kserve-predictors\[sklearn\]"
        ):
            ask()


def test_steps_that_ask_for_names_of_columns_get_them(tmp_path: Path) -> None:
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))
    prepare = ColumnTransformer([("scaled", MinMaxScaler(), ["a", "b"])], remainder="passthrough")
    model = make_pipeline(StandardScaler().set_output(transform="pandas"), prepare, LogisticRegression())
    model.fit(rows, rows["a"] > rows["b"])
    write(pack(model), tmp_path)
    served = predict(load(tmp_path), rows.to_numpy().tolist())["predict_proba"]
    np.testing.assert_allclose(served, model.predict_proba(rows))


def test_a_positive_power_is_served_from_a_lone_joblib_file(tmp_path: Path) -> None:
    from sklearn.preprocessing import PowerTransformer

    rows = np.random.default_rng(0).lognormal(size=(60, 2))
    model = make_pipeline(PowerTransformer(method="box-cox"), LogisticRegression()).fit(rows, rows[:, 0] > 1)
    (tmp_path / "model.joblib").write_bytes(pickled(model))
    served = predict(load(tmp_path, trusted=True), rows.tolist())["predict_proba"]
    np.testing.assert_allclose(served, model.predict_proba(rows))
