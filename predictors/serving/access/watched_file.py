"""A file that is read again when it changes, as a mounted Secret does."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from predictors.serving.errors import StartupError
from predictors.serving.mounted_file import read_bounded, stamp

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
        self._stamp = stamp(self._path)
        try:
            self.value = self._read()
        except (OSError, ValueError) as error:
            raise StartupError(f"--{flag} {path.name} cannot be used: {_reason(error)}") from None

    def reload_if_changed(self) -> None:
        """Read the file again if it has changed; what cannot be used changes nothing."""
        found = stamp(self._path)
        if found == self._stamp:
            return
        self._stamp = found
        try:
            self.value = self._read()
        except (OSError, ValueError) as error:
            logger.error("the new --%s cannot be used, the old one stays: %s", self._flag, _reason(error))
        else:
            logger.info("--%s was read again", self._flag)

    def _read(self) -> T:
        return self._parse(read_bounded(self._path, _MAX_BYTES))


def _reason(error: Exception) -> str:
    return os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
