"""A file that is read again when it changes, as a mounted Secret does."""

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from predictors.serving.errors import StartupError

logger = logging.getLogger(__name__)

T = TypeVar("T")

POLL_SECONDS = 2.0
"""How often files are looked at. Kubernetes itself takes about a minute to update a mounted Secret."""
_MAX_BYTES = 4 * 2**20


class WatchedFile(Generic[T]):
    """The content of a file, as it was when it could last be used.

    Args:
        flag: the setting that names the file, for what is logged.
        path: kubelet replaces what is there through symbolic links, so they are followed with each look.
        parse: makes the value of the content; its ValueErrors must not quote the content.

    Raises:
        StartupError: it cannot be used now.
    """

    def __init__(self, flag: str, path: Path, parse: Callable[[bytes], T]) -> None:
        self._flag, self._path, self._parse = flag, path, parse
        self._stamp = self._look()
        try:
            self.value = self._read()
        except (OSError, ValueError) as error:
            raise StartupError(f"--{flag} {path.name} cannot be used: {_reason(error)}") from None

    def reload_if_changed(self) -> None:
        """Read the file again if it has changed; what cannot be used changes nothing."""
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.value = self._read()
        except (OSError, ValueError) as error:
            logger.error("the new --%s cannot be used, the old one stays: %s", self._flag, _reason(error))
        else:
            logger.info("--%s was read again", self._flag)

    def _look(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError as error:
            return (error.errno or 0,)
        # The change time as well: it tells of new permissions, and of content whose writer set the old times again.
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size

    def _read(self) -> T:
        if not stat.S_ISREG(self._path.stat().st_mode):  # opening a pipe would block for ever
            raise ValueError("it is not a regular file")
        with self._path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
        return self._parse(raw)


def _reason(error: Exception) -> str:
    return os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
