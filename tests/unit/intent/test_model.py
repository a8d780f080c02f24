"""What a classifier of one's own answers, and how its manifest's settings count."""

import gc
import time
import weakref
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from predictors.intent import proof
from predictors.intent.conversion import from_sklearn
from predictors.intent.model import IntentPredictor, output_specs
from predictors.intent.pack import package
from predictors.intent.settings import IntentSettings
from predictors.serving.artifacts.writing import write_manifest
from predictors.serving.errors import ArtifactError
from predictors.serving.model.training import Names, write_artifact
from predictors.serving.model.types import Job, TextBatch
from predictors.serving.settings import Source

TEXTS = ["a fine film", "what a bore", "so fine", "boring and long"] * 3
LABELS = [1, 0, 1, 0] * 3


def fit(**options: Any) -> Pipeline:
    return make_pipeline(TfidfVectorizer(**options), LogisticRegression(C=10)).fit(TEXTS, LABELS)


def predict(model: IntentPredictor, *texts: str) -> tuple[list[str], np.ndarray]:
    outputs = model.infer(TextBatch(list(texts)), Job(time.monotonic() + 60))
    return list(outputs["predict"]), np.asarray(outputs["predict_proba"])


@pytest.mark.parametrize("form", ["npz", "joblib"])
def test_a_binary_classifier_of_ones_own(form: str, tmp_path: Path) -> None:
    write_artifact(tmp_path, package(fit(), b"", names=Names(classes=("bad", "good"))), "2")
    if form == "joblib":
        for file in tmp_path.iterdir():
            file.unlink()
        joblib.dump(fit(), tmp_path / "model.joblib")
    mine = IntentPredictor("mine", Source(tmp_path, trusted=form == "joblib"))
    mine.load()
    names = ("bad", "good") if form == "npz" else ("0", "1")
    assert mine.outputs == output_specs(2)
    assert mine.labels == (*names, "unknown")
    labels, probabilities = predict(mine, "a fine film", "boring")
    assert labels == [names[1], names[0]]
    np.testing.assert_allclose(probabilities, fit().predict_proba(["a fine film", "boring"]))


def test_the_manifests_threshold_counts_unless_the_server_has_its_own(tmp_path: Path) -> None:
    write_artifact(tmp_path, package(fit(), b"", settings={"unknown_threshold": 0.99}), "2")
    for own, expected in ((None, "unknown"), (0.0, "1")):
        mine = IntentPredictor("mine", Source(tmp_path), IntentSettings(unknown_threshold=own))
        mine.load()
        assert predict(mine, "a fine film")[0] == [expected]


@pytest.mark.parametrize("normalizes", [False, True])
def test_texts_are_normalized_for_a_model_that_was_trained_so(normalizes: bool, tmp_path: Path) -> None:
    model = fit(analyzer="char", ngram_range=(1, 4))
    write_artifact(tmp_path, package(model, b"", settings={"normalize": normalizes}), "2")
    mine = IntentPredictor("mine", Source(tmp_path))
    mine.load()
    plain, marked = predict(mine, "a fine film", "\ufeffa f\u200bi\u00adne  film")[1]
    assert np.array_equal(plain, marked) == normalizes


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"unknown_threshold": "high"}, "unknown_threshold must be a number from 0 to 1"),
        ({"unknown_threshold": 2}, "unknown_threshold must be a number from 0 to 1"),
        ({"background_class": 3}, "background_class must be the name of a class"),
        ({"normalize": "yes"}, "normalize must be true or false"),
        ({"temperature": 1}, "a setting temperature, which intent does not know"),
    ],
)
def test_settings_that_are_wrong_are_refused(settings: dict[str, Any], says: str, tmp_path: Path) -> None:
    written = write_artifact(tmp_path, package(fit(), b""), "2")
    write_manifest(tmp_path, written.manifest.model_copy(update={"settings": settings}))
    with pytest.raises(ArtifactError, match=says):
        IntentPredictor("mine", Source(tmp_path)).load()


def test_a_trusted_joblib_file_is_compared_with_scikit_learn_when_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joblib.dump(fit(), tmp_path / "model.joblib")
    another = from_sklearn(fit(sublinear_tf=True, norm=None))
    monkeypatch.setattr(proof, "from_sklearn", lambda _: another)
    with pytest.raises(ArtifactError, match=f"{tmp_path.name}: as plain arrays, the model gives other probabilities"):
        IntentPredictor("mine", Source(tmp_path, trusted=True)).load()


def test_another_model_names_the_directory_and_what_serves_it(tmp_path: Path) -> None:
    joblib.dump(make_pipeline(TfidfVectorizer(), LinearSVC()).fit(TEXTS, LABELS), tmp_path / "model.joblib")
    with pytest.raises(ArtifactError) as refusal:
        IntentPredictor("mine", Source(tmp_path, trusted=True)).load()
    assert str(refusal.value).startswith(f"{tmp_path.name}: intent serves a pipeline of TfidfVectorizer")
    assert str(refusal.value).endswith("predictors artifact pack MODEL.joblib --kind sklearn")


def test_a_model_that_is_unloaded_is_freed_at_once(tmp_path: Path) -> None:
    """Without the garbage collector, which skips what was there before the server was ready."""
    write_artifact(tmp_path, package(fit(analyzer="char_wb"), b""), "2")
    mine = IntentPredictor("mine", Source(tmp_path))
    mine.load()
    predict(mine, "a fine film")
    held = weakref.ref(mine._model.blocks[0].coefficients)
    gc.disable()
    try:
        mine.close()
        assert held() is None
    finally:
        gc.enable()
