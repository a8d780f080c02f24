"""`predictors drift report`, and `artifact pack --reference_rows`: what they print, write and exit with."""

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from typer.testing import CliRunner, Result

from predictors.cli import drift
from predictors.cli.app import app
from predictors.serving.artifacts.manifest import read_manifest
from predictors.serving.drift.distance import MAJOR_PSI

ROWS = np.random.default_rng(0).normal(size=(400, 2))
MODEL = LinearRegression().fit(ROWS, ROWS @ [2.0, -1.0])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def rows_file(path: Path, rows: Any) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def log_file(path: Path, features: Any) -> Path:
    kind = "org.kubeflow.serving.inference."
    events = (
        {"type": f"{kind}request", "data": {"instances": features.tolist()}},
        {"type": f"{kind}response", "data": {"predictions": MODEL.predict(features).tolist()}},
    )
    return rows_file(path, events)


def pack(folder: Path, *options: object) -> Result:
    joblib.dump(MODEL, folder / "model.joblib")
    given = ("--kind", "sklearn", "--version", "2", "--features", "a,b", "--trust_artifact", "--no-onnx", *options)
    return run("artifact", "pack", folder / "model.joblib", "-o", folder / "packed", *given)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drift")
    result = pack(folder, "--reference_rows", rows_file(folder / "rows.jsonl", ROWS.tolist()))
    assert result.exit_code == 0, result.output
    assert "400 rows that were given; a (input), b (input), prediction (output)" in result.output
    return folder / "packed"


def test_the_reference_has_the_rows_and_the_models_answers(packed: Path) -> None:
    manifest, _ = read_manifest(packed)
    assert manifest.reference is not None
    assert {each.name: each.rows for each in manifest.reference.distributions} == {
        "a": 400,
        "b": 400,
        "prediction": 400,
    }
    assert run("artifact", "verify", packed).exit_code == 0


def test_the_same_rows_are_no_drift(packed: Path, tmp_path: Path) -> None:
    result = run("drift", "report", log_file(tmp_path / "log", ROWS), "--artifact", packed)
    assert result.exit_code == 0, result.output
    assert "1 request and 1 answer, beside 400 rows that were given" in result.output
    assert "0 of 3 distributions have a PSI of 0.25 or more" in result.output


def test_other_rows_are_drift(packed: Path, tmp_path: Path) -> None:
    log, page = log_file(tmp_path / "log", ROWS + np.array([0.0, 2.0])), tmp_path / "report.html"
    result = run("drift", "report", log, "--artifact", packed, "--json", "-o", page)
    assert result.exit_code == drift.DRIFTED
    found = json.loads(result.stdout)
    assert {each["feature"]: each["verdict"] for each in found["features"]} == {
        "b": "drift",
        "prediction": "drift",
        "a": "same",
    }
    assert "Drift of sklearn, version 2" in page.read_text("utf-8")
    assert run("drift", "report", log, "--artifact", packed, "--threshold", "99").exit_code == 0


def test_the_default_threshold_is_a_major_shift() -> None:
    assert drift._THRESHOLD == MAJOR_PSI


def test_errors_say_what_to_do(packed: Path, tmp_path: Path, artifacts: Path) -> None:
    log = log_file(tmp_path / "log", ROWS)

    def error(*arguments: object) -> str:
        result = run("drift", "report", *arguments)
        assert result.exit_code == 1
        return " ".join(result.output.split())

    assert pack(tmp_path).exit_code == 0
    assert "has no reference to compare with; train the model again, or pack it with --reference_rows" in error(
        log, "--artifact", tmp_path / "packed"
    )
    assert f"{tmp_path / 'none'} cannot be read: No such file" in error(tmp_path / "none", "--artifact", packed)
    assert f"{tmp_path} cannot be read: Is a directory" in error(tmp_path, "--artifact", packed)
    assert "cannot be written: " in error(log, "--artifact", packed, "-o", tmp_path)
    assert "there is no artifact here" in error(log, "--artifact", tmp_path)
    summarizer = artifacts / "summarizer"
    assert "drift is measured for iris, intent and sklearn, not for summarizer" in error(log, "--artifact", summarizer)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]\n[1, 2", "line 2 is not JSON; each line holds one row"),
        ("[1, 2]\n" * 10, "needs at least 67 rows, to tell a shift from chance; there are 10"),
        ("", 'the model does not take the reference\'s rows: "instances" is empty'),
        ('[1, 2]\n["x", 2]', "the model does not take the reference's rows: instances[1][0] (a)"),
    ],
)
def test_rows_that_make_no_reference_leave_no_artifact(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(content, "utf-8")
    result = pack(tmp_path, "--reference_rows", file)
    assert result.exit_code == 1
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "packed").exists()
