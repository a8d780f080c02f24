"""A file of events, one a line, and older files beside it.

The file is opened for each write, so that it may be moved or removed at any time.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from predictors.serving.request_log.event import Event
from predictors.serving.request_log.sink import SinkError

# What is written at once, so that a full disk costs no more.
_PIECE_BYTES = 256 * 1024
# Collectors in the same pod belong to the group; nobody else may read what users sent.
_RIGHTS = 0o640


class FileSink:
    """Appends events to a file, and begins a new one when it is full.

    Args:
        path: of the file; older ones are ``PATH.1``, ``PATH.2`` and so on.
        max_bytes: its size, unless a single line is larger.
        max_files: how many are kept, this one included.

    Raises:
        OSError: it cannot be written.
    """

    at_once = 8

    def __init__(self, path: Path, max_bytes: int, max_files: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._max_files = max_files
        os.close(self._open())

    def write(self, events: Sequence[Event]) -> None:
        """Append events.

        Raises:
            SinkError: the disk is full, or the file cannot be written.
        """
        taken = 0
        try:
            for count, piece in _pieces(events):
                self._append(piece)
                taken += count
        except OSError as error:
            raise SinkError(f"cannot be written: {os.strerror(error.errno or 0)}", taken) from None

    def close(self) -> None:
        """Nothing is held between two writes."""

    def _append(self, piece: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            size = self._path.stat().st_size
            if size and size + len(piece) > self._max_bytes:
                self._rotate()
        file = self._open()
        try:
            size = os.fstat(file).st_size
            if os.write(file, piece) < len(piece):
                os.ftruncate(file, size)  # a half line would spoil the next one
                raise OSError(errno.ENOSPC, "")
        finally:
            os.close(file)

    def _open(self) -> int:
        # Not to block, which a named pipe would do to the start of the server.
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, _RIGHTS)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise OSError(errno.EINVAL, "")
        return file

    def _rotate(self) -> None:
        for age in range(self._max_files - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._aged(age - 1).replace(self._aged(age))
        self._path.unlink(missing_ok=True)  # where one file alone is kept

    def _aged(self, age: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{age}") if age else self._path


def _pieces(events: Sequence[Event]) -> Iterator[tuple[int, bytes]]:
    """The lines of events, in pieces of about the same size, with the number of lines in each."""
    lines: list[bytes] = []
    size = 0
    for event in events:
        lines.append(event.line())
        size += len(lines[-1])
        if size >= _PIECE_BYTES:
            yield len(lines), b"".join(lines)
            lines, size = [], 0
    if lines:
        yield len(lines), b"".join(lines)
