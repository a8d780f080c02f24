"""The commands that the README shows, as a person runs them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.live import ROOT, LiveServer


def predictors(
    *arguments: str | bytes, cwd: Path = ROOT, stdin: str = "", env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "predictors", *arguments]
    variables = {**os.environ, **(env or {})}
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=300, env=variables)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "serve",
        "train",
        "fetch",
        "call",
        "summarize",
        "artifact",
        "artifact inspect",
        "artifact verify",
        "artifact digest",
        "artifact pack",
        "artifact export",
        "gguf",
        "gguf inspect",
        "gguf quantize",
        "rollout",
        "rollout get",
        "rollout promote",
        "rollout pause",
        "rollout resume",
        "rollout abort",
        "rollout retry",
        "rollout undo",
        "rollout history",
        "rollout lint",
        "rollout wait",
        "rollout run",
        "rollout controller",
    ],
)
def test_help_teaches(command: str) -> None:
    result = predictors(*command.split(), "--help")
    assert result.returncode == 0
    assert "Usage" in result.stdout


def test_help_of_serve_names_every_flag_and_variable() -> None:
    text = predictors("serve", "--help").stdout
    for name in ("--http_port", "--drain_seconds", "--artifact_digest", "--unknown_threshold", "--gguf"):
        assert name in text


def test_call_iris(server: LiveServer) -> None:
    result = predictors("call", "iris", "5.1", "3.5", "1.4", "0.2", "--url", server.url)
    assert "setosa" in result.stdout
    result = predictors("call", "iris", "5.1,3.5,1.4,0.2", "6.3 3.3 6.0 2.5", "--url", server.url, "--json")
    assert json.loads(result.stdout)["labels"] == ["setosa", "virginica"]


def test_numbers_of_all_kinds(server: LiveServer) -> None:
    for row in (
        ("5.1", "-3.5", "-.4", "-2"),
        ("5.1 -3.5 -.4 -2",),
        ("5.1,-3.5,-.4,-2",),
        ("5.1,", "-3.5,", "-.4,", "-2"),
    ):
        result = predictors("call", "iris", *row, "--url", server.url, "--json")
        assert len(json.loads(result.stdout)["predictions"]) == 1, result.stderr
    result = predictors("call", "intent", "-5 stars, never again", "--url", server.url)
    assert "-5 stars" in result.stdout
    for wrong in (["5,1", "3,5", "1,4", "0,2"], ["5,1 3,5 1,4 0,2"], ["5,1,3,5,1,4,0,2", "1.0"]):
        result = predictors("call", "iris", *wrong, "--url", server.url)
        assert result.returncode == 1
        assert "write decimals with a point" in " ".join(result.stderr.split())


@pytest.mark.parametrize("variable", ["ALL_PROXY", "HTTP_PROXY"])
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "nonsense://127.0.0.1:1"])
def test_a_proxy_that_cannot_be_used(server: LiveServer, variable: str, proxy: str) -> None:
    env = {variable: proxy, "NO_PROXY": "", "no_proxy": ""}
    result = predictors("call", "iris", "5.1,3.5,1.4,0.2", "--url", server.url, env=env)
    assert result.returncode == 1
    assert "the proxy that the environment names cannot be used" in result.stderr
    assert "Traceback" not in result.stderr


def test_call_intent(server: LiveServer, tmp_path: Path) -> None:
    assert "question" in predictors("call", "intent", "where is my parcel", "--url", server.url).stdout
    assert "question" in predictors("call", "intent", "-", "--url", server.url, stdin="where is my parcel").stdout
    (tmp_path / "text").write_text("where is my parcel")
    assert "question" in predictors("call", "intent", str(tmp_path / "text"), "--url", server.url).stdout


def test_markup_in_a_text_is_text(server: LiveServer) -> None:
    assert "see [/b] [bold]x" in predictors("call", "intent", "see [/b] [bold]x", "--url", server.url).stdout


def test_a_file_that_is_not_utf_8_is_said_so(server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"caf\xe9")
    result = predictors("call", "intent", str(tmp_path / "text"), "--url", server.url)
    assert result.returncode == 1
    assert "is not UTF-8" in result.stderr


def test_training_into_a_place_that_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = predictors("train", "iris", "--out", str(tmp_path / "file" / "iris"))
    assert result.returncode == 1
    assert "cannot be written" in result.stderr


@pytest.mark.llama
def test_call_summarizer(summarizer: LiveServer) -> None:
    arguments = ("call", "summarizer", "-", "--url", summarizer.url, "--parameters", '{"max_tokens": 20}')
    result = predictors(*arguments, stdin="You pay 9 euros a month.")
    assert result.stdout.startswith("COST AND RENEWAL\n")
    assert "- You pay 9 euros a month." in result.stdout
    assert "ended by stop; model version 1" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("call", "nope", "1"), 'model "nope" does not exist'),
        (("call", "iris", "1", "2"), "takes 4 numbers per row; 2 were given"),
        (("call", "iris", "a", "b", "c", "d"), "takes numbers"),
        (("call", "intent", " "), "is blank"),
        (("call", "iris", "nan", "1", "1", "1"), "finite numbers"),
        (("call", "intent", "missing.txt"), "there is no file missing.txt"),
        (("call", "intent", "--parameters", "{}", b"caf\xe9"), "is not UTF-8"),
        (("call", "iris", "1", "2", "3", "4", "--url", "http://127.0.0.1:1"), "is the server running?"),
    ],
)
def test_call_says_what_went_wrong(server: LiveServer, arguments: tuple[Any, ...], says: str) -> None:
    url = () if "--url" in arguments else ("--url", server.url)
    result = predictors(*arguments, *url)
    assert result.returncode == 1
    assert says in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_summarize_without_a_server(tmp_path: Path) -> None:
    (tmp_path / "terms.txt").write_text("You pay 9 euros a month.")
    result = predictors("summarize", str(tmp_path / "terms.txt"), "--url", "http://127.0.0.1:1")
    assert result.returncode == 1
    assert "is the server running? name it with --url" in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("serve", "nope"), "nope"),
        (("serve", "iris", "--http_port", "abc"), "--http_port"),
        (("serve", "iris", "intent", "--model_dir", "x"), "exactly one model"),
        (("serve", "iris", "--model_name", "a/b"), "--model_name"),
        (("serve", "--nope"), "nope"),
        (("serve", "iris", "--http_prt", "1"), "did you mean --http_port?"),
        (("serve", "iris", "--http_port"), "--http_port needs a value"),
        (("call", "iris", "1", "--parameters", "[]"), "JSON object"),
        (("call", "iris", "1", "--parameters", '{"a": NaN}'), "JSON object"),
        (("train", "iris", "--version", "a b"), "--version"),
        (("artifact", "pack", "x.gguf", "--version", "a b", "-o", "x"), "--version"),
        (("artifact", "pack", "x.joblib", "--version", "2", "-o", "x"), "--kind sklearn, iris or intent"),
        (("artifact", "pack", "x.gguf", "-o", "x"), "--version"),
        (
            ("artifact", "pack", "x", "--kind", "iris", "--unknown_threshold", "0.5", "--version", "2", "-o", "x"),
            "--unknown_threshold is for intent",
        ),
        (("serve", "iris", "--gguf", "x.gguf"), "--gguf is for summarizer"),
        (("serve", "iris", "--grace_seconds", "inf"), "--grace_seconds"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], says: str) -> None:
    result = predictors(*arguments)
    assert result.returncode == 2
    assert says in re.sub(r"[\s│]+", " ", result.stderr)
    assert "Traceback" not in result.stderr


def test_train_inspect_and_verify(tmp_path: Path) -> None:
    out = tmp_path / "iris"
    result = predictors("train", "iris", "--out", str(out), "--version", "7")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 2
    shown = predictors("artifact", "inspect", str(out)).stdout
    assert "holdout_accuracy" in shown
    assert "iris version 7, for iris" in shown
    assert json.loads(predictors("artifact", "inspect", str(out), "--json").stdout)["version"] == "7"
    found = re.search("sha256:[0-9a-f]{64}", shown)
    assert found is not None
    assert predictors("artifact", "verify", str(out), "--artifact_digest", found[0]).returncode == 0
    assert predictors("artifact", "verify", str(out), "--artifact_digest", "sha256:" + "0" * 64).returncode == 1
    path = out / "model.npz"
    path.write_bytes(path.read_bytes() + b"x")
    result = predictors("artifact", "verify", str(out))
    assert result.returncode == 1
    assert "but the manifest says" in result.stdout


def test_inspect_without_an_artifact(tmp_path: Path) -> None:
    result = predictors("artifact", "inspect", str(tmp_path))
    assert result.returncode == 1
    assert "there is no artifact here" in result.stderr


@pytest.mark.llama
def test_fetch_keeps_a_model_that_is_there(artifacts: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(artifacts / "summarizer", tmp_path / "summarizer"))
    result = predictors("fetch", "--out", str(out), "--version", "2")
    assert result.returncode == 0, result.stderr
    assert "Collecting" not in result.stdout
    assert "version 2" in result.stdout


def test_make_help_lists_the_targets() -> None:
    result = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("serve", "test", "test-core", "lint", "format", "train", "clean"):
        assert f"make {target} " in result.stdout
