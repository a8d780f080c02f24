"""The machine that a run was made on, without names of host or user."""

import importlib.metadata
import platform
import re
from pathlib import Path

import psutil

from tests.benchmarks.load import tools

PACKAGES = ("kserve", "uvicorn", "uvloop", "httptools", "orjson", "numpy", "grpcio")


def facts() -> dict[str, str]:
    """One line for each property."""
    info = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.+)", info.read_text()) if info.exists() else None
    return {
        "processor": model[1] if model else platform.processor() or platform.machine(),
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "load tools": ", ".join(f"{name} {version}" for name, version in tools.versions().items()),
        "packages": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
    }


def pinning(server: int, client: int) -> str:
    """Which CPU the server has, which the load tool, and whether the two share a physical core."""
    siblings = Path(f"/sys/devices/system/cpu/cpu{server}/topology/thread_siblings_list")
    shared = siblings.exists() and str(client) in re.split("[,-]", siblings.read_text().strip())
    together = " (two threads of one physical core)" if shared else ""
    return f"each server on CPU {server}, the load tool on CPU {client}{together}"
