"""CPU time is that of a server's processes and threads, and of children that have ended."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.benchmarks.load import cpu
from tests.benchmarks.load.cpu import CpuTime

# Arithmetic between two looks at the clock, which is time in the kernel.
BURN = "import time; until = time.process_time() + 0.3\nwhile time.process_time() < until: sum(range(50_000))\n"
IN_THREAD = (
    f"import threading\ndef burn():\n  exec({BURN!r}, {{}})\nt = threading.Thread(target=burn); t.start(); t.join()\n"
)
IN_ENDED_CHILD = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\n"
IN_LIVE_CHILD = (
    "import subprocess, sys\n"
    f"child = subprocess.Popen([sys.executable, '-c', {BURN + 'print(flush=True); import sys; sys.stdin.read()'!r}], stdout=subprocess.PIPE)\n"
    "child.stdout.readline()\n"
)


@contextmanager
def after(code: str) -> Iterator[psutil.Process]:
    """A process that has run this code and waits for its end of input."""
    command = [sys.executable, "-c", f"{code}\nprint('done', flush=True)\nimport sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        yield psutil.Process(process.pid)


@pytest.mark.parametrize(
    "code",
    [BURN, IN_THREAD, IN_ENDED_CHILD, IN_LIVE_CHILD],
    ids=["main thread", "other thread", "ended child", "live child"],
)
def test_all_that_a_server_uses_is_counted_once(code: str) -> None:
    with after("pass") as idle, after(code) as process:
        used = cpu.of_tree(process).since(cpu.of_tree(idle))
    assert 0.25 < used.total < 0.6


def test_user_and_system_time_are_told_apart() -> None:
    assert CpuTime(5.0, 2.0).since(CpuTime(1.0, 0.5)) == (4.0, 1.5)
    assert CpuTime(4.0, 1.5).total == 5.5
    with after(BURN) as process:
        used = cpu.of_tree(process)
    assert used.user > used.system
