"""The shadow file, which may appear, change and vanish while the server runs."""

import logging
import os
from pathlib import Path

from predictors.serving.mounted_file import read_bounded, stamp
from predictors.serving.shadow.plan import Plan, parse_plan
from predictors.serving.telemetry.logs import printable

logger = logging.getLogger(__name__)

_MAX_BYTES = 64 * 1024
_OFF = Plan()


class PlanFile:
    """The file at a path, as it was when it was last looked at.

    Args:
        path: kubelet replaces what is there through symbolic links, so they are followed with each look.
    """

    def __init__(self, path: Path) -> None:
        self.plan = _OFF
        """Names no model while there is no file, or a wrong one."""
        self._path = path
        self._stamp: tuple[int, ...] = (-1,)

    def changed(self) -> bool:
        """Look at the file; gives whether the plan is now another. What is wrong with a file is logged once."""
        found = stamp(self._path)
        if found == self._stamp:
            return False
        self._stamp = found
        before, self.plan = self.plan, self._read()
        return self.plan != before

    def _read(self) -> Plan:
        try:
            return parse_plan(read_bounded(self._path, _MAX_BYTES))
        except FileNotFoundError:
            return _OFF
        except OSError as error:
            reason = os.strerror(error.errno or 0)
        except ValueError as error:
            reason = printable(str(error))
        logger.error("nothing is shadowed, since the shadow file cannot be used: %s", reason)
        return _OFF
