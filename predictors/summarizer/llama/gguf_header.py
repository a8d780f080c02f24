"""What can be read from a GGUF file without llama.cpp: whether it is one, and the arrays in its metadata.

llama.cpp returns single metadata values only, and gives its reasons for rejecting a file in its own terms.
The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

The ``gguf`` package is not used: its reader took 4.3 s and 159 MB for the default model's header, against 0.03 s and
2 MB here, and allocates without limit when a header claims an array of 2^40 elements.
"""

import mmap
import re
import struct
from collections.abc import Collection
from pathlib import Path

from predictors.serving.errors import ArtifactError

_MAGIC = b"GGUF"
_COUNT = struct.Struct("<Q")
_TYPE = struct.Struct("<I")
_ARRAY_HEAD = struct.Struct("<IQ")
# Magic (4 bytes), version (4) and the number of tensors (8) come before the number of metadata entries.
_ENTRIES_AT = 16
_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


def check_magic(path: Path, name: str) -> None:
    """Check that a file begins as GGUF files do, and in a form that llama.cpp reads here.

    Args:
        path: the file.
        name: what to call it in the error.

    Raises:
        ArtifactError: it does not.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        magic, version = file.read(len(_MAGIC)), file.read(_TYPE.size)
    if magic != _MAGIC:
        raise ArtifactError(f"{name} is not a GGUF file")
    if version == _TYPE.pack(1):
        raise ArtifactError(f"{name} is a GGUF file of version 1, which llama.cpp no longer reads")
    if version[:2] == b"\0\0":
        raise ArtifactError(f"{name} is a GGUF file for big-endian machines")


def explain(name: str, reason: str) -> str:
    """Say in plain words why llama.cpp rejected a file.

    Args:
        name: what to call the file.
        reason: llama.cpp's own words, without a path; empty if it gave none.
    """
    unknown = re.search(r"unknown model architecture: '(.*)'", reason)
    if unknown:
        return f'{name} has the architecture "{unknown[1]}", which this version of llama.cpp does not know'
    if "not within the file bounds" in reason:
        return f"{name} is truncated: it ends before its last tensor does"
    other_part = re.search(r"failed to load GGUF split from (.*)", reason)
    if other_part:
        return f"{name} is one part of a model in several files; {Path(other_part[1]).name} is missing or damaged"
    if "split file" in reason:
        return f"{name} is one part of a model in several files; merge them first (llama-gguf-split --merge)"
    if re.search(r"unable to allocate \w*(CUDA|ROCm|Vulkan|SYCL|Metal)\d* buffer", reason):
        return f"a GPU has too little free memory for the weights of {name}: lower --gpu_layers or use a smaller model"
    if not reason or "failed to load model from" in reason:
        return f"{name} is truncated or damaged: its header cannot be read"
    return f"{name} cannot be loaded: {reason}"


def number_arrays(path: Path, keys: Collection[str]) -> dict[str, list[int]]:
    """Read arrays of numbers from the metadata of a file that llama.cpp has loaded, and so found to be complete.

    Args:
        path: the file.
        keys: the metadata keys to read.

    Returns:
        The arrays found, by key; a key that is absent, or no array of numbers, is left out.
    """
    wanted = {key.encode() for key in keys}
    found: dict[str, list[int]] = {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        (entries,) = _COUNT.unpack_from(view, _ENTRIES_AT)
        at = _ENTRIES_AT + _COUNT.size
        for _ in range(entries):
            begin, at = at + _COUNT.size, _after_string(view, at)
            key = view[begin:at]
            (kind,) = _TYPE.unpack_from(view, at)
            at += _TYPE.size
            if kind == _ARRAY:
                array, at = _number_array(view, at)
                if key in wanted and array is not None:
                    found[key.decode()] = list(array)
            else:
                at = _after_string(view, at) if kind == _STRING else at + struct.calcsize(_NUMBERS[kind])
    return found


def _number_array(view: mmap.mmap, at: int) -> tuple[tuple[int, ...] | None, int]:
    """Read one array; gives its numbers (None for an array of texts) and the position after it."""
    kind, length = _ARRAY_HEAD.unpack_from(view, at)
    at += _ARRAY_HEAD.size
    if kind == _STRING:
        for _ in range(length):
            at = _after_string(view, at)
        return None, at
    values = struct.Struct(f"<{length}{_NUMBERS[kind]}")
    return values.unpack_from(view, at), at + values.size


def _after_string(view: mmap.mmap, at: int) -> int:
    (length,) = _COUNT.unpack_from(view, at)
    return at + _COUNT.size + int(length)
