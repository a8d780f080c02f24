"""`predictors artifact` pack, digest and export, as the one who makes a version 2 runs them."""

import io
import json
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from predictors.serving.artifacts.manifest import read_manifest
from tests.e2e.test_cli import predictors
from tests.live import JSON, ROOT, serve

FLOWER = b'{"instances": [[6.0, 2.7, 5.1, 1.6]]}'


def pack(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return predictors("artifact", "pack", *map(str, arguments), "--version", "2")


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's own model, with other probabilities than ours."""
    file = tmp_path_factory.mktemp("forest") / "my forest.pkl"
    data = load_iris()
    joblib.dump(RandomForestClassifier(7, random_state=7).fit(data.data, data.target), file)
    return file


def test_a_forest_of_ones_own_is_served_as_version_2(forest: Path, tmp_path: Path) -> None:
    out = tmp_path / "a" / "iris-2"
    result = pack(forest, "--kind", "iris", "-o", out, "--trust_artifact", "--name", "mine")
    assert result.returncode == 0, result.stderr
    assert result.stderr == f"loading {forest}, which runs the code in it\n"
    assert "mine version 2, for iris" in result.stdout
    assert predictors("artifact", "digest", str(out)).stdout.strip() in result.stdout
    assert predictors("artifact", "verify", str(out)).returncode == 0
    assert (out / "model.joblib").read_bytes() == forest.read_bytes()
    with serve("iris", "--model_dir", str(out), "--artifact_digest", read_manifest(out)[1]) as live:
        live.wait_ready()
        answer = httpx.post(live.url + "/v1/models/iris:predict", content=FLOWER, headers=JSON)
    assert answer.headers["x-model-version"] == answer.json()["model_version"] == "2"
    expected = joblib.load(io.BytesIO(forest.read_bytes())).predict_proba(json.loads(FLOWER)["instances"])
    assert answer.json()["probabilities"] == [pytest.approx(row) for row in expected.tolist()]


def test_a_pipeline_is_served_with_its_threshold(artifacts: Path, tmp_path: Path) -> None:
    options = ("--kind", "intent", "--trust_artifact", "--unknown_threshold", "0.99999", "-o", tmp_path)
    result = pack(artifacts / "intent/model.joblib", *options)
    assert result.returncode == 0, result.stderr
    with serve("intent", "--model_dir", str(tmp_path)) as live:
        live.wait_ready()
        answer = httpx.post(live.url + "/v1/models/intent:predict", json={"instances": ["where is my parcel"]})
    assert answer.headers["x-model-version"] == "2"
    assert answer.json()["predictions"] == ["unknown"]


@pytest.mark.llama
def test_a_gguf_file_is_served_as_version_2(artifacts: Path, tmp_path: Path) -> None:
    file = Path(shutil.copy(next((artifacts / "summarizer").glob("*.gguf")), tmp_path / "mine.gguf"))
    out = tmp_path / "out"
    result = pack(file, "-o", out)
    assert result.returncode == 0, result.stderr
    assert "mine version 2, for summarizer" in result.stdout
    file.unlink()
    ours, _ = read_manifest(artifacts / "summarizer")
    assert read_manifest(out)[0].golden == ours.golden
    with serve("summarizer", "--model_dir", str(out)) as live:
        live.wait_ready()
        assert httpx.get(live.url + "/v2/models/summarizer").json()["versions"] == ["2"]


def test_export_prints_the_digest_and_says_if_there_was_nothing_to_do(artifacts: Path, tmp_path: Path) -> None:
    source, target = artifacts / "iris", tmp_path / "volume" / "iris"
    digest = read_manifest(source)[1] + "\n"
    for says in ("holds iris version 1", "held iris version 1 already"):
        result = predictors("artifact", "export", str(source), str(target))
        assert (result.returncode, result.stdout, result.stderr) == (0, digest, f"{target} {says}\n")
    assert predictors("artifact", "digest", str(target)).stdout == digest
    assert predictors("artifact", "verify", str(target)).returncode == 0


def limit_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))


def test_export_where_there_is_too_little_room(artifacts: Path, tmp_path: Path) -> None:
    """Files that may not grow beyond 50 kB stand for a disk that is full."""
    command = [sys.executable, "-B", "-m", "predictors", "artifact", "export", str(artifacts / "iris"), str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, preexec_fn=limit_files)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"error: {tmp_path} cannot be written: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_a_joblib_file_alone_is_served_if_its_own_digest_is_pinned(forest: Path, tmp_path: Path) -> None:
    shutil.copy(forest, tmp_path / "model.joblib")
    digest = predictors("artifact", "digest", str(tmp_path)).stdout.strip()
    with serve("iris", "--model_dir", str(tmp_path), "--artifact_digest", digest) as live:
        live.wait_ready()
        answer = httpx.post(live.url + "/v1/models/iris:predict", content=FLOWER, headers=JSON).json()
    assert answer["model_version"] == digest.removeprefix("sha256:")[:12]
    expected = joblib.load(forest).predict_proba(json.loads(FLOWER)["instances"])
    assert answer["probabilities"] == [pytest.approx(row) for row in expected.tolist()]
