"""Running scripts, and programs that stand in for others."""

import os
import subprocess
import sys
from pathlib import Path

from tests.live import ROOT


def script(name: str, *arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of scripts/."""
    command = [sys.executable, ROOT / "scripts" / name, *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)


def program(folder: Path, name: str, code: str) -> None:
    """Write a program in Python that a script will find in the PATH."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport os, shutil, sys\n{code}\n")
    path.chmod(0o755)
