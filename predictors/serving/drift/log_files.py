"""Lines of files of logged requests: rotated, compressed, and perhaps still being written."""

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

_GZIP = b"\x1f\x8b"
_LONGEST_BYTES = 64 * 2**20
"""More than any request may have; what is longer is no log."""

TOO_LONG = "lines longer than 64 MiB"
CUT_SHORT = "compressed files that end too early or are damaged"


def lines(
    files: Sequence[Path], skipped: Counter[str], advance: Callable[[int], None] = lambda size: None
) -> Iterator[bytes]:
    """Give the lines of all files, one after another, without their ends and without blank ones.

    Args:
        files: plain or compressed by gzip, whatever they are called.
        skipped: what could not be read is counted here.
        advance: called with each number of further bytes of the files that were read.

    Raises:
        OSError: a file cannot be read.
    """
    for path in files:
        with path.open("rb") as raw:
            read = 0
            try:
                compressed = raw.peek(2)[:2] == _GZIP
                plain = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if compressed else raw
                for line in _lines_of(plain, skipped):
                    yield line
                    advance(raw.tell() - read)
                    read = raw.tell()
            except (EOFError, zlib.error, gzip.BadGzipFile):
                skipped[CUT_SHORT] += 1
            advance(raw.tell() - read)


def _lines_of(file: BinaryIO, skipped: Counter[str]) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_BYTES):
        if len(line) == _LONGEST_BYTES and not line.endswith(b"\n"):
            skipped[TOO_LONG] += 1
            while line and not line.endswith(b"\n"):
                line = file.readline(_LONGEST_BYTES)
        elif line := line.strip():
            yield line
