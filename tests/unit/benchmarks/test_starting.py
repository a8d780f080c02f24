"""A server that does not start ends a benchmark, with the reason."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.benchmarks.features import FEATURES, server
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.load.servers import running
from tests.benchmarks.starting import wait_ready


def refuses() -> bool:
    raise httpx.ConnectError("nobody is there")


def start(code: str, ready: Callable[[], bool], **options: Any) -> None:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([sys.executable, "-uc", code], stdout=log, stderr=log)
        try:
            wait_ready("the server", ready, process, log, **options)
        finally:
            process.kill()
            process.wait()


def test_one_that_ends_says_why() -> None:
    with pytest.raises(
        BenchError, match=r"the server ended with status 3:\nx{1900,}\nthe manifest is of a newer version\n$"
    ):
        start("print('x' * 9000); print('the manifest is of a newer version'); exit(3)", refuses)


@pytest.mark.parametrize("ready", [refuses, lambda: False])
def test_one_that_never_answers_is_not_waited_for_for_ever(ready: Callable[[], bool]) -> None:
    with pytest.raises(BenchError, match=r"waited 0 s for the server; its output ends with\n"):
        start("import time; time.sleep(3600)", ready, seconds=0.0)


def test_one_that_answers_is_taken() -> None:
    answers = iter((False, True))
    start("import time; time.sleep(3600)", lambda: next(answers))


def test_other_code_that_refuses_to_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "predictors").mkdir()
    (tmp_path / "predictors" / "__init__.py").touch()
    (tmp_path / "predictors" / "__main__.py").write_text("raise SystemExit('the manifest is of a newer version')")
    core = min(psutil.Process().cpu_affinity())
    with (
        pytest.raises(BenchError, match="everything off ended with status 1:\nthe manifest is of a newer version"),
        running(server(FEATURES[0], "", ""), core, tmp_path),
    ):
        pass
