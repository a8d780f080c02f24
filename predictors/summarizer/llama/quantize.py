"""Quantize a GGUF file: write it again with its weights in a smaller (or larger) type, by llama.cpp in a subprocess.

The target appears only once it is complete: it is written under another name in its directory, and then renamed.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from predictors.serving.errors import ArtifactError
from predictors.summarizer.llama.gguf_header import check_magic, explain

# llama.cpp's names of the types that need no importance matrix, from smallest to largest.
TYPES = (
    *("Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "IQ4_XS", "IQ4_NL", "Q4_0", "Q4_K_S", "Q4_1", "Q4_K_M"),
    *("Q5_0", "Q5_K_S", "Q5_1", "Q5_K_M", "Q6_K", "Q8_0", "F16", "BF16"),
)


class QuantizeError(Exception):
    """The file could not be written; the text gives the reason."""


class Quantized(NamedTuple):
    """A quantized file.

    Args:
        source_bytes: size of the file read.
        target_bytes: size of the file written.
        fallback_tensors: how many tensors got a larger type, because their row length is no multiple of the type's
            block size.
        seconds: time that it took.
    """

    source_bytes: int
    target_bytes: int
    fallback_tensors: int
    seconds: float


def quantize(
    source: Path,
    target: Path,
    type_name: str,
    threads: int,
    on_progress: Callable[[float], None],
    *,
    force: bool = False,
) -> Quantized:
    """Write a file again with its weights in another type.

    Weights that are already quantized are quantized again, which loses more quality than starting from F16. An
    exception from ``on_progress``, or Ctrl-C, stops the work and leaves nothing behind.

    Args:
        source: the file to read.
        target: the file to write.
        type_name: one of `TYPES`, in upper or lower case.
        threads: compute threads.
        on_progress: called with the fraction that is done, from 0 to 1.
        force: replace the target if it exists.

    Raises:
        ArtifactError: the source is not a GGUF file, truncated, or not one that llama.cpp supports.
        QuantizeError: an unknown type, a target that must not or cannot be written, or too little disk space.
    """
    started = time.monotonic()
    name = type_name.upper()
    if name not in TYPES:
        raise QuantizeError(f'there is no type "{type_name}"; there are {", ".join(TYPES)}')
    _check_paths(source, target, force)
    check_magic(source, source.name)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        fallback_tensors = _work(source, partial, name, threads, on_progress)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return Quantized(source.stat().st_size, target.stat().st_size, fallback_tensors, time.monotonic() - started)


def _check_paths(source: Path, target: Path, force: bool) -> None:
    if not source.is_file():
        raise QuantizeError(f"there is no file {source}")
    if not target.parent.is_dir():
        raise QuantizeError(f"there is no directory {target.parent}")
    if not os.access(target.parent, os.W_OK):
        raise QuantizeError(f"{target.parent} cannot be written to")
    if target.is_dir():
        raise QuantizeError(f"{target} is a directory")
    if target.exists() and target.samefile(source):
        raise QuantizeError("the file cannot be quantized onto itself; name another to write")
    if target.exists() and not force:
        raise QuantizeError(f"{target} exists; replace it with --force")


def _work(source: Path, partial: Path, name: str, threads: int, on_progress: Callable[[float], None]) -> int:
    """Run the subprocess; gives the number of fallback tensors."""
    module = "predictors.summarizer.llama.quantize_worker"
    command = [sys.executable, "-m", module, str(source), str(partial), name, str(threads)]
    reports: dict[str, str] = {}
    # In its own process group, so that Ctrl-C reaches only this process, which then ends the other.
    with subprocess.Popen(  # noqa: S603  # our own module, and no shell
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", process_group=0
    ) as process:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        try:
            for line in process.stdout:
                word, _, value = line.rstrip("\n").partition(" ")
                reports[word] = value
                if word == "size":
                    _check_room(partial.parent, int(value))
                elif word == "done":
                    on_progress(float(value))
        except BaseException:
            process.kill()
            raise
    _check_outcome(source, partial, reports, process.returncode)
    return int(reports.get("fallback", 0))


def _check_outcome(source: Path, partial: Path, reports: dict[str, str], status: int) -> None:
    if "missing" in reports:
        raise ArtifactError(reports["missing"])
    reason = reports.get("error", "")
    if "iostream error" in reason:
        raise QuantizeError(f"{partial.parent} cannot be written to, or is full")
    if reason:
        raise ArtifactError(explain(source.name, reason))
    if status:
        raise QuantizeError(f"llama.cpp ended with status {status}; was there enough memory?")


def _check_room(directory: Path, needed: int) -> None:
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise QuantizeError(
            f"the file will have {needed / 2**20:,.0f} MiB, and {directory} has room for {free / 2**20:,.0f} MiB"
        )
