"""A virtual environment with the other libraries, made once, in a cache outside the checkout."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kserve-predictors"


def prepare() -> Path:
    """The environment's folder; the environment is made first if it is not in the cache.

    Raises:
        subprocess.CalledProcessError: a step failed; its output has been shown.
    """
    key = REQUIREMENTS.read_text() + sys.version
    directory = CACHE / f"backends-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    complete = directory / ".complete"
    if not complete.exists():
        print("installing the libraries to measure against (once)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(directory)], check=True)
        install = [str(directory / "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps"]
        options = ["--disable-pip-version-check", "--requirement", str(REQUIREMENTS)]
        subprocess.run([*install, *options], check=True, stdout=sys.stderr)
        complete.touch()
    return directory


def packages(directory: Path) -> Path:
    """The folder of an environment's packages."""
    return next(directory.glob("lib/python*/site-packages"))
