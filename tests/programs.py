"""Programs of other projects that tests run as they are."""

import os
import shutil
from typing import NoReturn

import pytest

# What .ci/run and .github/workflows/ci.yaml install: there, a test that does without would be a gap that nobody sees.
_OF_CI = {"prometheus", "promtool", "redis-server"}


def find_program(name: str) -> str | None:
    """A program from the environment variable of its name, or the PATH."""
    return shutil.which(os.environ.get(_variable(name)) or name)


def program(name: str) -> str:
    """The path of a program; without it the test is skipped, and in CI it fails if CI installs it."""
    return find_program(name) or _missing(name)


def _missing(name: str) -> NoReturn:
    reason = f"{name} is not installed: neither in the PATH nor named by {_variable(name)}"
    if name in _OF_CI and os.environ.get("CI"):
        pytest.fail(f"{reason}; .ci/run and .github/workflows/ci.yaml should have installed it")
    pytest.skip(reason)


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
