"""Starting a server: from which code, and until it answers."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import httpx

from tests.benchmarks.load.errors import BenchError
from tests.waiting import until

# Far longer than any of the servers takes, on a busy machine too.
PATIENCE_SECONDS = 180.0
_SHOWN_BYTES = 2000


def check_import(checkout: Path) -> None:
    """Make sure that two checkouts are compared, not one with itself.

    Raises:
        BenchError: Python does not import ``predictors`` from this one.
    """
    command = [sys.executable, "-c", "import predictors; print(predictors.__file__)"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    if not Path(done.stdout.strip()).is_relative_to(checkout.resolve()):
        raise BenchError(f"no predictors package to run in {checkout}: {(done.stderr or done.stdout).strip()}")


def wait_ready(
    name: str,
    ready: Callable[[], bool],
    process: "subprocess.Popen[bytes]",
    log: IO[bytes],
    seconds: float = PATIENCE_SECONDS,
) -> None:
    """Wait until a server answers.

    Args:
        name: what it is called.
        ready: asks it; a failed connection is no answer.
        process: its process.
        log: its output.
        seconds: how long.

    Raises:
        BenchError: it ended, or did not answer in time; with the end of its output.
    """

    def look() -> bool:
        if (status := process.poll()) is not None:
            raise BenchError(f"{name} ended with status {status}:\n{_end(log)}")
        with suppress(httpx.TransportError):
            return ready()
        return False

    try:
        until(look, name, seconds, pause=0.02)
    except AssertionError as error:
        raise BenchError(f"{error}; its output ends with\n{_end(log)}") from None


def _end(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read()[-_SHOWN_BYTES:].decode("utf-8", "replace")
