"""A virtual environment with MLServer, made once, in a cache outside the checkout."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kserve-predictors"
REQUIREMENTS = Path(__file__).parent / "mlserver_requirements.txt"


def prepare(say: Callable[[str], None]) -> Path:
    """The environment's Python executable; the environment is made first if it is not in the cache.

    Args:
        say: is given lines of progress.

    Raises:
        subprocess.CalledProcessError: a step failed; its output has been shown.
    """
    key = "\n".join([REQUIREMENTS.read_text(), sys.version])
    directory = CACHE / f"mlserver-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    python, complete = directory / "bin/python", directory / ".complete"
    if not complete.exists():
        say("installing MLServer (once; a minute or two)")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(directory)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
        subprocess.run([*install, "--requirement", str(REQUIREMENTS)], stdout=sys.stderr, check=True)
        complete.touch()
    return python


def pinned(package: str) -> str:
    """The version of a package in the environment."""
    lines = REQUIREMENTS.read_text().splitlines()
    return next(line.split("==")[1] for line in lines if line.startswith(f"{package}=="))
