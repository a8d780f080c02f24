"""The programs that users run: helm and kubectl."""

import subprocess
from pathlib import Path

from tests.live import ROOT

CHART = ROOT / "charts/predictors"
CONTROLLER_CHART = ROOT / "charts/rollout-controller"
MANIFESTS = ROOT / "manifests"
_LIMIT_SECONDS = 600


class ProgramFailed(AssertionError):
    """A program ended with an error; the text holds its command and what it wrote."""


def run(*command: str | Path) -> str:
    """Run a program from the checkout's root; gives its output.

    Raises:
        ProgramFailed: its exit status was not 0.
    """
    result = subprocess.run(
        [str(each) for each in command], cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT_SECONDS
    )
    if result.returncode:
        raise ProgramFailed(f"{' '.join(result.args)}\n{result.stdout}{result.stderr}")
    return result.stdout


def kubectl(*arguments: str | Path) -> str:
    return run("kubectl", *arguments)


def helm(*arguments: str | Path) -> str:
    return run("helm", *arguments)
