"""`predictors artifact pack --kind sklearn`: any scikit-learn model, by a command."""

from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from predictors.cli.artifact import app
from predictors.serving.artifacts.manifest import read_manifest

X, Y = load_wine(return_X_y=True)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "wine.joblib"
    joblib.dump(LogisticRegression(max_iter=5000).fit(X[:, :2], Y), path)
    return path


def pack(file: Path, out: Path, *arguments: str) -> Any:
    given = ["pack", str(file), "--kind", "sklearn", "--version", "3", "-o", str(out), *arguments]
    return CliRunner().invoke(app, given, env={"COLUMNS": "200"})


def test_a_model_is_packed_with_what_the_packer_says(file: Path, tmp_path: Path) -> None:
    says = ("--name", "wine", "--features", "alcohol,acid", "--class_names", "barolo,grignolino,barbera")
    result = pack(file, tmp_path, "--trust_artifact", "--example", "[13.2, 1.8]", "--description", "three wines", *says)
    assert result.exit_code == 0, result.stderr
    assert "in FP64, equal to scikit-learn on 2000 rows within 1e-05" in result.stderr
    manifest, _ = read_manifest(tmp_path)
    assert (manifest.name, manifest.version, manifest.kind) == ("wine", "3", "sklearn")
    assert manifest.feature_names == ("alcohol", "acid")
    assert manifest.class_names == ("barolo", "grignolino", "barbera")
    assert manifest.description == "three wines"
    assert [golden.input for golden in manifest.golden] == [[13.2, 1.8]]
    assert [entry.format for entry in manifest.files] == ["onnx", "skops"]
    assert CliRunner().invoke(app, ["verify", str(tmp_path)]).exit_code == 0


def test_the_onnx_form_may_be_left_out(file: Path, tmp_path: Path) -> None:
    assert pack(file, tmp_path, "--trust_artifact", "--no-onnx").exit_code == 0
    assert [entry.format for entry in read_manifest(tmp_path)[0].files] == ["skops"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say --trust_artifact if you trust where it comes from"),
        (("--trust_artifact", "--features", "a"), "the model takes 2 features, but 1 are named"),
        (("--trust_artifact", "--example", "[1,"), "is not JSON"),
        (("--trust_artifact", "--example", "some text"), "the examples do not fit the model"),
        (("--trust_artifact", "--class_names", "a,b"), "2 class names are given; the model has 3 classes"),
        (("--trust_artifact", "--unknown_threshold", "0.5"), "--unknown_threshold is for intent"),
    ],
)
def test_what_cannot_be_packed_is_refused_in_a_sentence(
    arguments: tuple[str, ...], says: str, file: Path, tmp_path: Path
) -> None:
    result = pack(file, tmp_path / "out", *arguments)
    assert result.exit_code != 0
    assert says in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()
