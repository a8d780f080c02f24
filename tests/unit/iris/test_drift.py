"""The reference that training makes."""

from pathlib import Path

from sklearn.datasets import load_iris

from predictors.iris.model import IrisPredictor
from predictors.serving.artifacts.manifest import read_manifest
from predictors.serving.drift.rows import reference_of_rows
from predictors.serving.settings import Source


def test_the_reference_has_all_flowers_and_answers_out_of_fold(artifacts: Path) -> None:
    """Of flowers that it was fitted on, a forest is surer."""
    manifest, _ = read_manifest(artifacts / "iris")
    assert manifest.reference is not None
    found = {each.name: each for each in manifest.reference.distributions}
    assert {*found} == {*manifest.feature_names, "prediction", "confidence"}
    assert {each.rows for each in found.values()} == {150}
    assert found["prediction"].categories == ("setosa", "versicolor", "virginica")
    predictor = IrisPredictor("iris", Source(artifacts / "iris"))
    predictor.load()
    seen = reference_of_rows(predictor, load_iris().data.tolist(), "those that it was fitted on")
    (surer,) = (each for each in seen.distributions if each.name == "confidence")
    assert min(found["confidence"].edges) < min(surer.edges)
