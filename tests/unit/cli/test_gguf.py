"""`predictors gguf`."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from predictors.cli.gguf import app
from predictors.summarizer.llama.gguf import inspect
from predictors.summarizer.runtime import KEPT_SEQUENCES
from predictors.summarizer.settings import SummarizerSettings

pytestmark = pytest.mark.llama


@pytest.fixture(scope="module")
def model(artifacts: Path) -> Path:
    return next((artifacts / "summarizer").glob("*.gguf"))


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "120"})


def test_inspect_prints_what_the_model_is_and_takes(model: Path) -> None:
    result = run("inspect", model)
    assert result.exit_code == 0
    for text in ("apache-2.0", "134,515,008", "Q8_0, 8.6 bits", "138.1 MiB", "8,192 tokens", "yes", "tokens in a GiB"):
        assert text in result.stdout


def test_inspect_as_json(model: Path) -> None:
    answer = json.loads(run("inspect", model, "--slots", "4", "--context_tokens", "1000", "--json").stdout)
    assert answer["license"] == "apache-2.0"
    assert answer["has_chat_template"] is True
    assert answer["kv_bytes_per_token"] == 23040
    (row,) = answer["memory"]
    assert (row["slots"], row["sequences"], row["context_tokens"]) == (4, 4 + KEPT_SEQUENCES, 1000)
    assert row["kv_bytes"] == (4 + KEPT_SEQUENCES) * 1024 * 23040
    parts = ("model", "kv", "compute", "process")
    assert row["total_bytes"] == sum(row[f"{part}_bytes"] for part in parts)


def test_inspect_says_what_a_gpu_holds(model: Path) -> None:
    rows = {
        layers: json.loads(run("inspect", model, "--slots", "1", "--gpu_layers", layers, "--json").stdout)["memory"][0]
        for layers in ("0", "10", "-1")
    }
    assert rows["0"]["gpu_bytes"] == 0
    assert rows["-1"]["model_bytes"] == rows["-1"]["kv_bytes"] == 0
    assert rows["0"]["model_bytes"] > rows["10"]["model_bytes"] > 0
    assert rows["0"]["kv_bytes"] > rows["10"]["kv_bytes"] > 0
    # CUDA takes memory of its own.
    assert rows["0"]["process_bytes"] < rows["10"]["process_bytes"] == rows["-1"]["process_bytes"]
    assert 0 < rows["10"]["gpu_bytes"] < rows["-1"]["gpu_bytes"]
    assert "GPU" in run("inspect", model, "--gpu_layers", "10").stdout
    assert "GPU" not in run("inspect", model).stdout


@pytest.mark.parametrize(
    ("options", "context"), [((), SummarizerSettings().context_tokens), (("--context_tokens", "100000"), 8192)]
)
def test_the_context_is_as_for_serving(model: Path, options: tuple[str, ...], context: int) -> None:
    rows = json.loads(run("inspect", model, *options, "--json").stdout)["memory"]
    assert {row["context_tokens"] for row in rows} == {context}


def test_inspect_says_what_fits_a_small_machine(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predictors.summarizer.llama.memory.memory_limit", lambda: 500_000_000)
    rows = {row["slots"]: row for row in json.loads(run("inspect", model, "--json").stdout)["memory"]}
    assert list(rows) == [1, 2, 4, 8]
    assert 0 < rows[8]["largest_context_tokens"] < rows[1]["largest_context_tokens"] < 8192
    monkeypatch.setattr("predictors.summarizer.llama.memory.memory_limit", lambda: 100_000_000)
    assert "none fits" in run("inspect", model, "--slots", "1").stdout


@pytest.mark.parametrize(
    ("limit", "size", "verdict"),
    [
        ("2Gi", 2 * 2**30, "--slots 8 fits into 2,048 MiB"),
        ("600Mi", 600 * 2**20, "--slots 2 fits into 600 MiB"),
        ("300M", 300_000_000, "it does not fit into 286 MiB"),
        ("300000000", 300_000_000, "it does not fit into 286 MiB"),
    ],
)
def test_inspect_says_what_fits_a_container(model: Path, limit: str, size: int, verdict: str) -> None:
    assert json.loads(run("inspect", model, "--memory_limit", limit, "--json").stdout)["memory_limit_bytes"] == size
    assert f"With contexts of 2,048 tokens, {verdict}." in run("inspect", model, "--memory_limit", limit).stdout


@pytest.mark.parametrize("limit", ["0", "2i", "2Xi", "-1", "much"])
def test_inspect_takes_no_limit_that_is_no_size(model: Path, limit: str) -> None:
    result = run("inspect", model, f"--memory_limit={limit}")
    assert result.exit_code == 2
    assert f"{limit} is not a size such as 2Gi" in result.stderr


@pytest.mark.parametrize(
    ("name", "reason"), [("none.gguf", "No such file"), ("text.gguf", "text.gguf is not a GGUF file")]
)
def test_inspect_fails_with_one_sentence(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "text.gguf").write_text("no model")
    result = run("inspect", tmp_path / name)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1


def test_quantize_prints_the_sizes(model: Path, tmp_path: Path) -> None:
    result = run("quantize", model, tmp_path / "out.gguf", "--type", "Q4_1", "--threads", "1")
    assert result.exit_code == 0
    assert "93.8 MiB, 68% of it, in " in result.stdout
    assert inspect(tmp_path / "out.gguf").shape.quantization == "Q4_1"
    result = run("quantize", model, tmp_path / "out.gguf")
    assert result.exit_code == 1
    assert "exists; replace it with --force" in result.stderr


def test_quantize_takes_no_type_that_does_not_exist(model: Path, tmp_path: Path) -> None:
    result = run("quantize", model, tmp_path / "out.gguf", "--type", "tiny")
    assert result.exit_code == 1
    assert 'error: there is no type "tiny"; there are Q2_K' in result.stderr
