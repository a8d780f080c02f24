"""`predictors artifact pack` with models as their makers bring them: served, or refused with what serves them."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from predictors.serving.artifacts.manifest import read_manifest
from tests.unit.cli.test_artifact import TRUST, pack

WINE, CULTIVAR = load_wine(return_X_y=True, as_frame=True)
NAMED = np.array(["barolo", "grignolino", "barbera"])[CULTIVAR]
DIABETES, PROGRESSION = load_diabetes(return_X_y=True)
TEXTS = ["a fine film", "what a bore", "so very fine", "boring and long", "where is it", "when does it begin"] * 5
MOODS = ["good", "bad", "good", "bad", "ask", "ask"] * 5
BINARY = [1, 0, 1, 0, 0, 0] * 5


def on_wine(model: Any) -> Any:
    return model.fit(WINE, CULTIVAR)


def on_texts(*steps: Any) -> Any:
    return make_pipeline(*steps).fit(TEXTS, MOODS)


def mixed_columns() -> Any:
    table = WINE.assign(colour=np.where(WINE.hue > 1, "red", "rosé"))
    encode = ColumnTransformer([("colour", OneHotEncoder(), ["colour"])], remainder="passthrough")
    return make_pipeline(encode, RandomForestClassifier(3)).fit(table, CULTIVAR)


FOREST = "iris serves a RandomForestClassifier, ExtraTreesClassifier"
TEXT = "intent serves a pipeline of TfidfVectorizer"
# A model, and what each kind says of it: "" if it is served, or a part of the refusal.
MODELS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "wine forest": (lambda: on_wine(RandomForestClassifier(5)), "", TEXT),
    "string labels": (lambda: RandomForestClassifier(5).fit(WINE, NAMED), "", TEXT),
    "extra trees": (lambda: on_wine(ExtraTreesClassifier(5)), "", TEXT),
    "one tree": (lambda: on_wine(DecisionTreeClassifier()), "", TEXT),
    "missing values": (lambda: RandomForestClassifier(5).fit(WINE.where(WINE.hue > 0.8), CULTIVAR), "", TEXT),
    "scaled forest": (lambda: on_wine(make_pipeline(StandardScaler(), RandomForestClassifier(5))), FOREST, "standardscaler"),
    "gradient boosting": (lambda: on_wine(GradientBoostingClassifier(n_estimators=2)), FOREST, TEXT),
    "histogram boosting": (lambda: on_wine(HistGradientBoostingClassifier(max_iter=2)), FOREST, TEXT),
    "logistic regression": (lambda: on_wine(make_pipeline(StandardScaler(), LogisticRegression())), FOREST, "standardscaler"),
    "support vectors": (lambda: on_wine(SVC()), FOREST, TEXT),
    "neighbours": (lambda: on_wine(KNeighborsClassifier()), FOREST, TEXT),
    "neural network": (lambda: on_wine(MLPClassifier(max_iter=2)), FOREST, TEXT),
    "regressor": (lambda: RandomForestRegressor(3).fit(DIABETES, PROGRESSION), "not a RandomForestRegressor", TEXT),
    "outliers": (lambda: IsolationForest(n_estimators=3).fit(WINE), "not an IsolationForest", TEXT),
    "clusters": (lambda: KMeans(2, n_init=1).fit(WINE), FOREST, TEXT),
    "several outputs": (lambda: RandomForestClassifier(3).fit(WINE, np.eye(3)[CULTIVAR]), "predicts 3 outputs at once", TEXT),
    "columns": (mixed_columns, FOREST, "columntransformer"),
    "tf-idf": (lambda: on_texts(TfidfVectorizer(), LogisticRegression()), FOREST, ""),
    "tf-idf union": (
        lambda: on_texts(FeatureUnion([("w", TfidfVectorizer()), ("c", TfidfVectorizer(analyzer="char"))]), LogisticRegression()),
        FOREST,
        "",
    ),
    "sentiment": (lambda: make_pipeline(TfidfVectorizer(), SGDClassifier(loss="log_loss")).fit(TEXTS, BINARY), FOREST, ""),
    "naive bayes": (lambda: on_texts(TfidfVectorizer(), MultinomialNB()), FOREST, ""),
    "counts": (lambda: on_texts(CountVectorizer(), LogisticRegression()), FOREST, ""),
    "text without probabilities": (lambda: on_texts(TfidfVectorizer(), LinearSVC()), FOREST, "which gives no probabilities"),
    "calibrated text": (
        lambda: on_texts(TfidfVectorizer(), CalibratedClassifierCV(LinearSVC(), cv=2)),
        FOREST,
        "a CalibratedClassifierCV, which it does not know",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["iris", "intent"])
@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_is_served_or_refused_with_what_serves_it(name: str, kind: str, tmp_path: Path) -> None:
    make, *says = MODELS[name]
    refusal = says[kind == "intent"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        joblib.dump(make(), tmp_path / "model.joblib")
    result = pack(tmp_path / "model.joblib", "--kind", kind, "-o", tmp_path / "out", TRUST)
    if refusal:
        error = result.stderr.splitlines()[-1]
        assert (result.exit_code, result.stdout) == (1, "")
        assert error.startswith(f"error: {tmp_path / 'model.joblib'}: ")
        assert refusal in error
        assert error.endswith("the kind sklearn serves it: predictors artifact pack MODEL.joblib --kind sklearn")
        assert not (tmp_path / "out").exists()
    else:
        assert result.exit_code == 0, result.stderr
        assert read_manifest(tmp_path / "out")[0].kind == kind


def test_code_that_is_not_installed(tmp_path: Path) -> None:
    """As a file of xgboost's is read where there is no xgboost."""
    (tmp_path / "model.joblib").write_bytes(b"cnot_installed_here\nModel\n.")
    result = pack(tmp_path / "model.joblib", "--kind", "iris", "-o", tmp_path / "out", TRUST)
    assert result.exit_code == 1
    assert "the joblib file needs code that is not here: No module named 'not_installed_here'" in result.stderr


def test_names_and_a_description(tmp_path: Path) -> None:
    forest = RandomForestClassifier(3).fit(WINE.to_numpy()[:, :2], CULTIVAR)
    joblib.dump(forest, tmp_path / "model.joblib")
    options = (
        "--features",
        "alcohol, malic acid",
        "--class_names",
        "barolo,grignolino,barbera",
        "--description",
        "Wine.",
    )
    result = pack(tmp_path / "model.joblib", "--kind", "iris", "-o", tmp_path / "out", TRUST, *options)
    assert result.exit_code == 0, result.stderr
    manifest, _ = read_manifest(tmp_path / "out")
    assert manifest.feature_names == ("alcohol", "malic acid")
    assert manifest.class_names == ("barolo", "grignolino", "barbera")
    assert manifest.description == "Wine."
    assert "description Wine." in result.stdout
    assert "features    alcohol, malic acid" in result.stdout


def test_settings_of_a_text_classifier(tmp_path: Path) -> None:
    joblib.dump(on_texts(TfidfVectorizer(), LogisticRegression()), tmp_path / "model.joblib")
    options = ("--unknown_threshold", "0.5", "--background_class", "ask", "--normalize")
    result = pack(tmp_path / "model.joblib", "--kind", "intent", "-o", tmp_path / "out", TRUST, *options)
    assert result.exit_code == 0, result.stderr
    manifest, _ = read_manifest(tmp_path / "out")
    assert manifest.settings == {"unknown_threshold": 0.5, "background_class": "ask", "normalize": True}
    assert manifest.class_names == ("bad", "good")


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("iris", ("--unknown_threshold", "0.5"), "--unknown_threshold is for intent, not for iris"),
        ("iris", ("--normalize",), "--normalize is for intent, not for iris"),
        ("iris", ("--unknown_threshold", "0"), "--unknown_threshold is for intent, not for iris"),
        ("iris", ("--example", "[1]"), "--example is for sklearn, not for iris"),
        ("intent", ("--no-onnx",), "--onnx is for sklearn, not for intent"),
        ("summarizer", ("--description", "a"), "--description is for iris and intent and sklearn, not for summarizer"),
        ("intent", ("--features", "a,b"), "--features is for iris and sklearn, not for intent"),
        ("sklearn", ("--background_class", "a"), "--background_class is for intent, not for sklearn"),
        (
            "summarizer",
            ("--class_names", "a,b"),
            "--class_names is for iris and intent and sklearn, not for summarizer",
        ),
    ],
)
def test_options_of_another_kind_are_refused(kind: str, options: tuple[str, ...], says: str, tmp_path: Path) -> None:
    result = pack(tmp_path / "model.joblib", "--kind", kind, "-o", tmp_path / "out", TRUST, *options)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())
