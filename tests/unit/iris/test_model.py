"""When two versions of the iris model agree."""

import time

import numpy as np
import pytest

from predictors.iris.model import IrisPredictor
from predictors.serving.model.agreement import Bounds
from predictors.serving.model.types import FeatureBatch, Job, Outputs
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
