"""Imports: which module may import which, and what importing one brings with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import ROOT

# What a server needs, and nothing else may bring: each takes tenths of a second and tens of megabytes.
SERVER_PACKAGES = {"fastapi", "grpc", "kserve", "pandas", "uvicorn"}


def test_dependencies_point_one_way() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def imported_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has imported after some code."""
    report = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", code + report], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "module",
    [
        "intent.settings",
        "intent.tfidf",
        "iris.forest",
        "iris.scorer",
        "serving.artifacts.artifact",
        "serving.cache.result_cache",
        "serving.cache.result_codec",
        "serving.dispatch.batcher",
        "serving.dispatch.cost_model",
        "serving.dispatch.served_model",
        "serving.dispatch.throughput",
        "serving.protocols.json_body",
        "serving.protocols.openai.requests",
        "serving.protocols.tensors",
        "serving.protocols.v1.codec",
        "serving.protocols.v2.codec",
        "serving.settings",
        "serving.shadow.shadowing",
        "serving.telemetry.metrics",
        "summarizer.engine.scheduler",
        "summarizer.parameters",
        "summarizer.text.clauses",
        "summarizer.text.document",
    ],
)
def test_a_module_does_not_bring_the_server(module: str) -> None:
    assert not SERVER_PACKAGES & imported_by(f"import predictors.{module}")


@pytest.mark.parametrize("module", ["clauses", "words"])
def test_text_processing_brings_neither_tensors_nor_schemas(module: str) -> None:
    assert not {"numpy", "orjson", "pydantic"} & imported_by(f"import predictors.summarizer.text.{module}")


def test_the_client_brings_nothing_that_its_users_have_no_use_for() -> None:
    heavy = {"httpx", "numpy", "orjson", "pydantic", "typer", *SERVER_PACKAGES}
    assert not heavy & imported_by("import predictors.client")
    assert not {"kserve", "numpy"} & imported_by("import predictors.client.transports.grpc_async")


def test_shadow_traffic_brings_no_http_client_before_there_is_a_canary() -> None:
    assert "httpx" not in imported_by("import predictors.serving.shadow.shadowing")


@pytest.mark.parametrize(
    "command",
    ["--help", "version", "train --help", "call --help", "gguf --help", "rollout run --help", "doctor --help"],
)
def test_help_imports_nothing_heavy(command: str) -> None:
    code = (
        f"import contextlib, sys; sys.argv = ['predictors', *{command.split()}]\n"
        "from predictors.cli.app import main\n"
        "with contextlib.suppress(SystemExit): main()"
    )
    heavy = {"httpx", "joblib", "kubernetes", "llama_cpp", "numpy", "pydantic_settings", "sklearn", *SERVER_PACKAGES}
    assert not heavy & imported_by(code)
