"""The shadow file, which may appear, change and vanish while the server runs."""

import logging
import os
import stat
from pathlib import Path

from predictors.serving.shadow.plan import Plan, parse_plan
from predictors.serving.telemetry.logs import printable

logger = logging.getLogger(__name__)

_MAX_BYTES = 64 * 1024
_OFF = Plan()
_Stamp = tuple[int, ...]


class PlanFile:
    """The file at a path, as it was when it was last looked at.

    Args:
        path: kubelet replaces what is there through symbolic links, so they are followed with each look.
    """

    def __init__(self, path: Path) -> None:
        self.plan = _OFF
        """Names no model while there is no file, or a wrong one."""
        self._path = path
        self._stamp: _Stamp = (-1,)

    def changed(self) -> bool:
        """Look at the file; gives whether the plan is now another. What is wrong with a file is logged once."""
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        before, self.plan = self.plan, self._read()
        return self.plan != before

    def _look(self) -> _Stamp:
        try:
            found = self._path.stat()
        except OSError as error:
            return (error.errno or 0,)
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size

    def _read(self) -> Plan:
        try:
            return parse_plan(_content(self._path))
        except FileNotFoundError:
            return _OFF
        except OSError as error:
            reason = os.strerror(error.errno or 0)
        except ValueError as error:
            reason = printable(str(error))
        logger.error("nothing is shadowed, since the shadow file cannot be used: %s", reason)
        return _OFF


def _content(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would block for ever
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        raw = file.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
    return raw
