"""Write a GGUF file again with smaller (or larger) weights, through llama.cpp, in a process of its own.

The target appears only when it is whole: it is written under another name beside it and then renamed.
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

# llama.cpp's names of the types that need no importance matrix, from the smallest to the largest.
TYPES = (
    *("Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "IQ4_XS", "IQ4_NL", "Q4_0", "Q4_K_S", "Q4_1", "Q4_K_M"),
    *("Q5_0", "Q5_K_S", "Q5_1", "Q5_K_M", "Q6_K", "Q8_0", "F16", "BF16"),
)


class QuantizeError(Exception):
    """The file could not be written; the text says why."""


class Quantized(NamedTuple):
    """What came out.

    Args:
        source_bytes: size of the file read.
        target_bytes: size of the file written.
        fallback_tensors: how many tensors have rows that the type's blocks do not divide, and got a larger type.
        seconds: how long it took.
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
    """Write a file anew with its weights in another type.

    Weights that are quantized already are quantized again, which costs more quality than to begin from F16. An
    exception from ``on_progress``, or Ctrl-C, ends the work and leaves nothing behind.

    Args:
        source: the file to read.
        target: the file to write.
        type_name: one of `TYPES`, in any case.
        threads: computing threads.
        on_progress: called with the part that is done, from 0 to 1.
        force: replace the target if it exists.

    Raises:
        ArtifactError: the source is not a GGUF file, truncated, or nothing that llama.cpp knows.
        QuantizeError: a type that does not exist, a target that must not or cannot be written, or too little room.
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
    module = "predictors.summarizer.llama.quantize_worker"
    command = [sys.executable, "-m", module, str(source), str(partial), name, str(threads)]
    fallback_tensors, reason = 0, ""
    # A process group of its own: Ctrl-C reaches this process alone, which then ends the other.
    with subprocess.Popen(  # noqa: S603  # our own module, and no shell
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", process_group=0
    ) as process:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        try:
            for line in process.stdout:
                word, _, value = line.rstrip("\n").partition(" ")
                if word == "size":
                    _check_room(partial.parent, int(value))
                elif word == "done":
                    on_progress(float(value))
                elif word == "fallback":
                    fallback_tensors = int(value)
                elif word == "error":
                    reason = value
        except BaseException:
            process.kill()
            raise
    if "iostream error" in reason:
        raise QuantizeError(f"{partial.parent} cannot be written to, or is full")
    if reason:
        raise ArtifactError(explain(source.name, reason))
    if process.returncode:
        raise QuantizeError(f"llama.cpp ended with status {process.returncode}; was there enough memory?")
    return fallback_tensors


def _check_room(directory: Path, needed: int) -> None:
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise QuantizeError(
            f"the file will have {needed / 2**20:,.0f} MiB, and {directory} has room for {free / 2**20:,.0f} MiB"
        )
