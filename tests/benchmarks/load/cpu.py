"""CPU time of a server, as the kernel accounts for it.

Requests/s on a shared machine fall whenever a neighbour takes the core. The CPU time that each request costs the server
does not count the time spent waiting for the core, so it is the steadier figure of the two.
"""

import contextlib
from typing import NamedTuple

import psutil


class CpuTime(NamedTuple):
    """CPU time, seconds.

    Args:
        user: in user mode.
        system: in the kernel.
    """

    user: float
    system: float

    @property
    def total(self) -> float:
        """User and system time together."""
        return self.user + self.system

    def since(self, earlier: "CpuTime") -> "CpuTime":
        """What was used after an earlier reading."""
        return CpuTime(self.user - earlier.user, self.system - earlier.system)


def of_tree(process: psutil.Process) -> CpuTime:
    """CPU time so far of a process and its descendants, with all their threads.

    Read from ``/proc/PID/stat`` (fields 14 to 17, counted in ticks of 10 ms). Fields 16 and 17 hold the time of children
    that have ended and been waited for, so it is not lost.
    """
    user = system = 0.0
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            user += times.user + times.children_user
            system += times.system + times.children_system
    return CpuTime(user, system)
