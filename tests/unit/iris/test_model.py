"""What a loaded forest says of itself, and when two versions agree."""

import shutil
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

from predictors.iris import conversion
from predictors.iris.forest import Forest
from predictors.iris.model import FLOWER_FEATURES, IrisPredictor, output_specs
from predictors.iris.pack import package
from predictors.serving.errors import ArtifactError
from predictors.serving.model.agreement import Bounds
from predictors.serving.model.training import write_artifact
from predictors.serving.model.types import FeatureBatch, FeatureInput, Job, Outputs
from predictors.serving.settings import Source
from tests.live import ARTIFACTS

FLOWERS = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]])


@pytest.fixture(scope="module")
def predictor() -> IrisPredictor:
    model = IrisPredictor("iris", Source(ARTIFACTS / "iris"))
    model.load()
    return model


def predict(model: IrisPredictor) -> Outputs:
    return model.infer(FeatureBatch(FLOWERS), Job(time.monotonic() + 60))


def test_it_agrees_with_itself_and_with_another_id_for_the_same_species(predictor: IrisPredictor) -> None:
    ours = predict(predictor)
    assert predictor.agrees(ours, predict(predictor), Bounds())
    assert predictor.agrees(ours, {**ours, "predict": np.array([7, 8])}, Bounds())


def test_other_species_or_probabilities_differ(predictor: IrisPredictor) -> None:
    ours = predict(predictor)
    assert not predictor.agrees(ours, {**ours, "label": ["setosa", "setosa"]}, Bounds())
    probabilities = np.asarray(ours["predict_proba"]) * 0.9
    assert not predictor.agrees(ours, {**ours, "predict_proba": probabilities}, Bounds())
    assert predictor.agrees(ours, {**ours, "predict_proba": probabilities}, Bounds(max_difference=0.11))


def test_it_names_all_its_labels(predictor: IrisPredictor) -> None:
    assert predictor.labels == ("setosa", "versicolor", "virginica")
    assert set(predict(predictor)[predictor.label_output]) <= set(predictor.labels)


@pytest.mark.parametrize(
    ("labels", "datatype", "predicted"),
    [([3, 7], "INT64", [3, 7]), (["no", "yes"], "BYTES", ["no", "yes"]), ([False, True], "BOOL", [False, True])],
)
@pytest.mark.parametrize("form", ["npz", "joblib"])
def test_a_forest_of_ones_own_is_described_by_its_own_names(
    labels: list[object], datatype: str, predicted: list[object], form: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"age": [1.0, 2.0, 30.0, 40.0] * 5, "income": [0.0, 1.0, 0.0, 1.0] * 5})
    model = RandomForestClassifier(9, random_state=0).fit(
        frame, np.array([labels[0], labels[0], labels[1], labels[1]] * 5)
    )
    if form == "npz":
        write_artifact(tmp_path, package(model, b""), "2")
        (tmp_path / "model.joblib").unlink()
    else:
        joblib.dump(model, tmp_path / "model.joblib")
    mine = IrisPredictor("mine", Source(tmp_path, trusted=form == "joblib"))
    mine.load()
    assert mine.format == form
    assert mine.input == FeatureInput(("age", "income"))
    assert mine.outputs == output_specs(datatype, 2)
    assert mine.labels == tuple(map(str, labels))
    outputs = mine.infer(FeatureBatch(np.array([[1.0, 0.0], [40.0, 0.0]])), Job(time.monotonic() + 60))
    assert list(outputs["predict"]) == predicted
    assert outputs["label"] == list(map(str, labels))
    assert IrisPredictor("other", Source(ARTIFACTS / "iris")).input == FeatureInput(FLOWER_FEATURES)


def test_a_trusted_joblib_file_is_compared_with_scikit_learn_when_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ARTIFACTS / "iris/model.joblib", tmp_path)
    original = conversion.from_sklearn

    def moved(model: object) -> Forest:
        forest = original(model)
        forest.threshold[forest.roots[3]] += 0.01
        return forest

    monkeypatch.setattr(conversion, "from_sklearn", moved)
    with pytest.raises(ArtifactError, match=f"{tmp_path.name}: as plain arrays, the model gives other probabilities"):
        IrisPredictor("mine", Source(tmp_path, trusted=True)).load()


def test_another_model_names_the_directory_and_what_serves_it(tmp_path: Path) -> None:
    joblib.dump(GradientBoostingClassifier(n_estimators=2).fit([[0.0], [1.0]], [0, 1]), tmp_path / "model.joblib")
    with pytest.raises(ArtifactError) as refusal:
        IrisPredictor("mine", Source(tmp_path, trusted=True)).load()
    assert str(refusal.value).startswith(f"{tmp_path.name}: iris serves a RandomForestClassifier")
    assert str(refusal.value).endswith("predictors artifact pack MODEL.joblib --kind sklearn")
