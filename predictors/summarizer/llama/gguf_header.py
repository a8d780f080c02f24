"""What can be known of a GGUF file without llama.cpp: whether it is one, and the arrays in its metadata.

llama.cpp passes on single values only, and says in its own words why it does not take a file; both are mended here.
The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import mmap
import re
import struct
from collections.abc import Collection
from pathlib import Path

from predictors.serving.errors import ArtifactError

_COUNT = struct.Struct("<Q")
_ARRAY_HEAD = struct.Struct("<IQ")
# Magic (4 bytes), version (4) and the number of tensors (8) come before the number of metadata entries.
_ENTRIES_AT = 16
_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


def check_magic(path: Path, name: str) -> None:
    """Pass only if a file begins as GGUF files do.

    Args:
        path: the file.
        name: what to call it in the error.

    Raises:
        ArtifactError: it does not.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ArtifactError(f"{name} is not a GGUF file")


def explain(name: str, reason: str) -> str:
    """Say in plain words why llama.cpp did not take a file.

    Args:
        name: what to call the file.
        reason: llama.cpp's own words, without a path; empty if it had none.
    """
    unknown = re.search(r"unknown model architecture: '(.*)'", reason)
    if unknown:
        return f'{name} has the architecture "{unknown[1]}", which this version of llama.cpp does not know'
    if "not within the file bounds" in reason:
        return f"{name} is truncated: it ends before its last tensor does"
    if not reason or "failed to load model from" in reason:
        return f"{name} is truncated or damaged: its header cannot be read"
    return f"{name} cannot be loaded: {reason}"


def number_arrays(path: Path, keys: Collection[str]) -> dict[str, list[int]]:
    """Read arrays of numbers from the metadata of a file that llama.cpp has loaded, and so found to be whole.

    Args:
        path: the file.
        keys: which.

    Returns:
        Those that are there and are arrays, by key.
    """
    wanted = {key.encode() for key in keys}
    found: dict[str, list[int]] = {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        (entries,) = _COUNT.unpack_from(view, _ENTRIES_AT)
        at = _ENTRIES_AT + _COUNT.size
        for _ in range(entries):
            begin, at = at + _COUNT.size, _after_string(view, at)
            key = view[begin:at]
            (kind,) = struct.unpack_from("<I", view, at)
            at += 4
            if kind != _ARRAY:
                at = _after_string(view, at) if kind == _STRING else at + struct.calcsize(_NUMBERS[kind])
                continue
            kind, length = _ARRAY_HEAD.unpack_from(view, at)
            at += _ARRAY_HEAD.size
            if kind == _STRING:
                for _ in range(length):
                    at = _after_string(view, at)
                continue
            values = struct.Struct(f"<{length}{_NUMBERS[kind]}")
            if key in wanted:
                found[key.decode()] = list(values.unpack_from(view, at))
            at += values.size
    return found


def _after_string(view: mmap.mmap, at: int) -> int:
    (length,) = _COUNT.unpack_from(view, at)
    return at + _COUNT.size + int(length)
