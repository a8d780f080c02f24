"""How much CPU this process may use, and its priority."""

import contextlib
import math
import os
import threading
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")

# Added to the niceness: with 10, Linux gives a thread a tenth of the time that it gives to one with 0.
_NICENESS = 10


def lower_priority() -> None:
    """Let the calling thread, and threads that it starts, compute only while other threads leave CPU time.

    Linux has a niceness for each thread. Elsewhere it is the process's, and nothing is done.
    """
    if hasattr(os, "sched_getaffinity"):
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS)


def usable_cpus(root: Path = CGROUP_ROOT) -> int:
    """CPUs that this process may keep busy: the cgroup's quota (v2 or v1) or the affinity mask, whichever is less.

    ggml's threads spin while they wait. With more of them than CPUs, each step lasts until the kernel has scheduled
    every one, which made decoding ten times slower.

    Args:
        root: where cgroups are mounted.

    Returns:
        At least 1.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota_v2(root) or _quota_v1(root)
    return max(1, min(available, math.floor(quota) if quota else available))


def _quota_v2(root: Path) -> float | None:
    try:
        quota, period = (root / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return None


def _quota_v1(root: Path) -> float | None:
    try:
        quota = int((root / "cpu/cpu.cfs_quota_us").read_text())
        period = int((root / "cpu/cpu.cfs_period_us").read_text())
        return quota / period if quota > 0 else None
    except (OSError, ValueError):
        return None
