import io
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from predictors.intent.intents import CLASS_NAMES
from predictors.intent.normalize import normalize
from predictors.intent.pack import package
from predictors.serving.artifacts.manifest import read_manifest
from predictors.serving.errors import ArtifactError
from predictors.serving.model.training import Names
from predictors.serving.model.types import TensorSpec
from tests.live import ARTIFACTS


def fit(classes: tuple[Any, ...] = CLASS_NAMES, vectorizer: Any = None) -> Pipeline:
    texts = [f"{name} text {number}" for number in range(3) for name in classes]
    return make_pipeline(vectorizer or TfidfVectorizer(), LogisticRegression()).fit(texts, list(classes) * 3)


def test_the_pickle_free_form_is_the_models_own() -> None:
    raw = (ARTIFACTS / "intent/model.joblib").read_bytes()
    manifest, _ = read_manifest(ARTIFACTS / "intent")
    packed = package(joblib.load(io.BytesIO(raw)), raw, settings=manifest.settings)
    assert packed.npz == (ARTIFACTS / "intent/model.npz").read_bytes()
    assert packed.settings == manifest.settings
    assert packed.names.classes == CLASS_NAMES
    for golden in packed.golden:
        assert sum(golden.output["predict_proba"]) == pytest.approx(1)


def test_classes_of_ones_own() -> None:
    packed = package(fit((10, 11)), b"", settings={"unknown_threshold": 0.4})
    assert packed.settings == {"unknown_threshold": 0.4}
    assert packed.names.classes == ("10", "11")
    assert packed.outputs[1] == TensorSpec("predict_proba", "FP64", (-1, 2))
    assert {int(np.argmax(golden.output["predict_proba"])) for golden in packed.golden} == {0, 1}


def test_classes_can_be_named() -> None:
    assert package(fit((0, 1)), b"", names=Names(classes=("bad", "good"))).names.classes == ("bad", "good")


def test_golden_examples_of_a_model_that_reads_normalized_texts() -> None:
    model = fit(vectorizer=TfidfVectorizer(analyzer="char", ngram_range=(1, 3), lowercase=False))
    packed = package(model, b"", settings={"normalize": True})
    plain = package(model, b"")
    assert packed.npz == plain.npz
    expected = model.predict_proba([normalize(golden.input) for golden in packed.golden])
    columns = [list(model.classes_).index(name) for name in CLASS_NAMES]
    np.testing.assert_allclose([golden.output["predict_proba"] for golden in packed.golden], expected[:, columns])
    assert any(normalize(golden.input) != golden.input for golden in packed.golden)


def test_other_probabilities_than_scikit_learns_are_refused() -> None:
    model = fit()
    classifier = model[-1]
    own = classifier.predict_proba
    classifier.predict_proba = lambda rows: own(rows) + 2e-6
    with pytest.raises(ArtifactError, match="as plain arrays, the model gives other probabilities than scikit-learn"):
        package(model, b"")


def test_weights_of_a_union_count() -> None:
    union = FeatureUnion([("words", TfidfVectorizer())], transformer_weights={"words": 0.5})
    assert (
        package(fit(vectorizer=union), b"").npz
        != package(fit(vectorizer=FeatureUnion(union.transformer_list)), b"").npz
    )


@pytest.mark.parametrize(
    ("settings", "names", "says"),
    [
        ({"background_class": "other"}, None, 'the classifier has no class "other"; it knows complaint, greeting'),
        ({}, Names(classes=("a", "b")), r"the classifier knows 4 classes .*; 2 names are given"),
    ],
)
def test_names_that_do_not_fit_are_refused(settings: dict[str, Any], names: Names | None, says: str) -> None:
    with pytest.raises(ArtifactError, match=says):
        package(fit(), b"", settings=settings, names=names)
