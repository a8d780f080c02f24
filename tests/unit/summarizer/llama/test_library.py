"""llama-cpp-python: what works without it, and how it is loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import ROOT

# Importing either then fails as it does where they are not installed.
WITHOUT = "import sys; sys.modules['llama_cpp'] = sys.modules['llguidance'] = sys.modules['jinja2'] = None\n"


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def modules(package: str) -> list[str]:
    directory = ROOT / "predictors/summarizer" / package
    return [f"predictors.summarizer.{package}.{path.stem}" for path in sorted(directory.glob("*.py"))]


def test_all_modules_import_without_it() -> None:
    names = [f"predictors.summarizer.{path.stem}" for path in sorted((ROOT / "predictors/summarizer").glob("*.py"))]
    names += [name for package in ("engine", "llama", "text") for name in modules(package)]
    names.remove("predictors.summarizer.llama.chat_template")  # only of use to a loaded model
    result = run(WITHOUT + f"import importlib\nfor name in {names!r}: importlib.import_module(name)")
    assert result.returncode == 0, result.stderr


LOAD = """
import logging
from pathlib import Path
from predictors.serving.errors import ArtifactError
from predictors.serving.settings import Source
from predictors.summarizer.model import SummarizerPredictor
from predictors.summarizer.settings import SummarizerSettings

logging.basicConfig(level=logging.DEBUG)
path = Path(sys.argv[1])
predictor = SummarizerPredictor("summarizer", Source(path.parent), SummarizerSettings(gguf=path))
try:
    predictor.load_artifact(predictor.open_artifact())
except ArtifactError as error:
    print(error)
"""


def test_without_it_a_model_does_not_load_for_that_reason(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    result = run(WITHOUT + LOAD, str(path))
    assert (result.stdout, result.returncode) == (
        "llama-cpp-python is not installed: install kserve-predictors[summarizer]\n", 0,
    ), result.stderr  # fmt: skip
    assert "Traceback" not in result.stderr


def test_without_it_nothing_is_quantized_for_that_reason() -> None:
    worker = "import runpy; runpy.run_module('predictors.summarizer.llama.quantize_worker', run_name='__main__')"
    result = run(WITHOUT + worker, "in.gguf", "out.gguf", "Q8_0", "1")
    assert result.stdout == "missing llama-cpp-python is not installed: install kserve-predictors[summarizer]\n"
    assert "Traceback" not in result.stderr


def test_importing_changes_no_environment() -> None:
    code = "import os; before = dict(os.environ); import predictors.summarizer.model; assert dict(os.environ) == before"
    assert run(code).returncode == 0


@pytest.mark.llama
@pytest.mark.parametrize(("given", "expected"), [("", "1000"), ("os.environ['GOMP_SPINCOUNT'] = '7'\n", "7")])
def test_its_threads_spin_briefly_unless_told_otherwise(given: str, expected: str) -> None:
    code = (
        "import os; os.environ.pop('GOMP_SPINCOUNT', None)\n"
        f"{given}"
        "from predictors.summarizer.llama.library import load_library\n"
        "assert load_library() is load_library()\n"
        "print(os.environ['GOMP_SPINCOUNT'])"
    )
    result = run(code)
    assert (result.stdout.strip(), result.returncode) == (expected, 0), result.stderr


@pytest.mark.llama
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc to see what is loaded")
def test_ggmls_code_for_this_processor_is_the_packages_own(tmp_path: Path) -> None:
    """Once, and from nowhere else: not from the current directory, where ggml would look by itself."""
    code = (
        "import os, sys\n"
        "os.chdir(sys.argv[1])\n"
        "from predictors.summarizer.llama.library import load_library\n"
        "api = load_library().api\n"
        "lines = [line.split() for line in open('/proc/self/maps')]\n"
        "loaded = {line[-1] for line in lines if 'libggml-cpu' in line[-1]}\n"
        "library = os.path.join(os.path.dirname(os.path.abspath(api.__file__)), 'lib')\n"
        "print(len(loaded), {os.path.dirname(path) for path in loaded} == {library})\n"
        "print(b'CPU' in api.llama_print_system_info())\n"
    )
    for name in ("libggml-cpu-haswell.so", "libggml-cpu-zen4.so"):
        (tmp_path / name).write_bytes(b"not a library")
    result = run(code, str(tmp_path))
    assert result.stdout == "1 True\nTrue\n", result.stderr
