"""Commands on a machine that lacks the packages of an extra."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from predictors.serving.artifacts.files import file_entry
from predictors.serving.artifacts.manifest import Manifest
from predictors.serving.artifacts.writing import write_manifest
from tests.live import JSON, ROOT, serve, serve_command, wait_for
from tests.unit.summarizer.gguf_writer import write_decoder

NO_LLAMA = "llama-cpp-python is not installed: install kserve-predictors[summarizer]"
NO_SKLEARN = "scikit-learn is not installed: install kserve-predictors[train]"
IRIS = '{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
INTENT = '{"instances": ["where is my parcel"]}'


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the packages of both extras fail to import, as if they were not installed."""
    directory = tmp_path_factory.mktemp("hidden")
    for name in ("llama_cpp", "sklearn", "joblib"):
        error = f'raise ModuleNotFoundError("No module named {name!r}", name={name!r})\n'
        (directory / f"{name}.py").write_text(error)
    return {"PYTHONPATH": str(directory)}


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = {"embedding": 64, "feed_forward": 96, "heads": 4, "kv_heads": 2, "vocabulary": 32, "head_length": 16}
    return write_decoder(tmp_path_factory.mktemp("gguf") / "model.gguf", "llama", **sizes)


@pytest.fixture(scope="module")
def all_three(artifacts: Path, gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifacts directory whose summarizer is intact but tiny."""
    directory = tmp_path_factory.mktemp("artifacts")
    for model in ("iris", "intent"):
        shutil.copytree(artifacts / model, directory / model)
    (directory / "summarizer").mkdir()
    shutil.copy(gguf, directory / "summarizer")
    entry = file_entry(directory / "summarizer/model.gguf", "gguf")
    manifest = Manifest(name="model", version="1", kind="summarizer", files=(entry,), inputs=(), outputs=())
    write_manifest(directory / "summarizer", manifest)
    return directory


def predict(url: str, model: str, content: str) -> httpx.Response:
    return httpx.post(f"{url}/v1/models/{model}:predict", content=content, headers=JSON, timeout=60)


def test_iris_and_intent_are_served(artifacts: Path, without: dict[str, str]) -> None:
    with serve("iris", "intent", env=without) as live:
        live.wait_ready()
        assert predict(live.url, "iris", IRIS).json()["labels"] == ["setosa"]
        assert predict(live.url, "intent", INTENT).json()["predictions"] == ["question"]


def test_a_summarizer_that_cannot_be_loaded_leaves_the_others_served(all_three: Path, without: dict[str, str]) -> None:
    with serve("--artifacts_dir", str(all_three), env=without) as live:
        wait_for(lambda: NO_LLAMA in httpx.get(live.url + "/ready").text, "the reason")
        for model, content in (("iris", IRIS), ("intent", INTENT)):
            wait_for(lambda model=model: httpx.get(f"{live.url}/v2/models/{model}/ready").is_success, model)  # type: ignore[misc]
            assert predict(live.url, model, content).is_success
        answer = predict(live.url, "summarizer", '{"instances": ["You pay 9 euros a month."]}')
        assert answer.status_code == 503
        assert NO_LLAMA in answer.json()["error"]
        assert live.terminate() == 0
    assert "Traceback" not in "".join(live.raw)


def test_the_banner_says_why_a_model_is_not_ready(all_three: Path, without: dict[str, str]) -> None:
    arguments = serve_command("--artifacts_dir", str(all_three), "--log_format", "text", "--drain_seconds", "0")
    process = subprocess.Popen(
        arguments, cwd=ROOT, env={**os.environ, **without}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    guard = threading.Timer(120, process.kill)
    guard.start()
    shown = []
    for line in process.stdout:
        shown.append(line)
        if "Ctrl-C" in line:
            process.terminate()
    errors = process.communicate()[1]
    guard.cancel()
    assert f"● summarizer is not ready: {NO_LLAMA}\n" in shown
    assert "● iris version 1\n" in shown
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("fetch --out {directory}/out", NO_LLAMA),
        ("artifact pack {gguf} --version 2 -o {directory}/out", NO_LLAMA),
        ("gguf inspect {gguf}", NO_LLAMA),
        ("gguf quantize {gguf} {directory}/out.gguf", NO_LLAMA),
        ("train iris --out {directory}/out", NO_SKLEARN),
        ("train intent --out {directory}/out", NO_SKLEARN),
    ],
)
def test_commands_that_need_an_extra_name_it(
    command: str, says: str, gguf: Path, without: dict[str, str], tmp_path: Path
) -> None:
    arguments = command.format(directory=tmp_path, gguf=gguf).split()
    result = subprocess.run(
        [sys.executable, "-m", "predictors", *arguments],
        cwd=ROOT,
        env={**os.environ, **without},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"error: {says}\n")
    assert not any(tmp_path.iterdir())


def test_a_joblib_file_needs_an_extra_to_be_packed(artifacts: Path, without: dict[str, str], tmp_path: Path) -> None:
    file = artifacts / "iris/model.joblib"
    options = ("--kind", "iris", "--version", "2", "-o", str(tmp_path / "out"), "--trust_artifact")
    result = subprocess.run(
        [sys.executable, "-m", "predictors", "artifact", "pack", str(file), *options],
        cwd=ROOT,
        env={**os.environ, **without},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.endswith("error: scikit-learn is not installed: install kserve-predictors[train]\n")
    assert not any(tmp_path.iterdir())
