"""Where the time of a request goes, as a flame graph: ``make bench-flame``.

The server has one core and wrk the other, which requests iris over V1 on 16 connections, while py-spy samples 200 times
a second which function holds the GIL. Functions of this project are orange, those of libraries blue.

  python -m tests.benchmarks.flame --out flame.svg
  python -m tests.benchmarks.flame --package ../older          the server of another checkout
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.benchmarks.load import flame
from tests.benchmarks.load.cases import OURS, V1, Case
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.load.servers import make, running
from tests.benchmarks.load.tools import Tools
from tests.live import ROOT

RATE = 200
CONNECTIONS = 16
ROOT_FUNCTION = "Server.run"


def record(package: Path, seconds: int) -> tuple[str, float]:
    """Folded stacks of a server under load, and the requests/s that it answered meanwhile.

    Raises:
        BenchError: py-spy, wrk or the server failed.
    """
    first, *_, last = sorted(os.sched_getaffinity(0)) * 2
    case, tools, rates = Case(OURS, "iris", V1), Tools(last, CONNECTIONS, ("wrk",)), []
    spy = [str(Path(sys.executable).parent / "py-spy"), "record", "--gil", "--function", "--format", "raw"]
    with tempfile.NamedTemporaryFile("r") as folded, running(make(OURS, print), first, package) as live:
        tools.closed(case, live, 1)
        load = threading.Thread(target=lambda: rates.append(tools.closed(case, live, seconds + 2).load.rate))
        load.start()
        how_long = ["--rate", str(RATE), "--duration", str(seconds)]
        what = [*how_long, "--pid", str(live.process.pid), "--output", folded.name]
        done = subprocess.run([*spy, *what], capture_output=True, text=True, check=False)
        load.join()
        if done.returncode:
            raise BenchError(
                f"py-spy failed; it needs permission to trace processes (root or CAP_SYS_PTRACE):\n{done.stderr}"
            )
        return folded.read(), rates[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="how long py-spy samples (default: 10)")
    parser.add_argument("--package", type=Path, default=ROOT, help="the checkout whose server runs (default: this one)")
    parser.add_argument("--title", default="iris over V1", help="the title of the graph (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("flame.svg"), help="the file to write (default: %(default)s)")
    options = parser.parse_args()
    try:
        folded, rate = record(options.package, options.seconds)
    except BenchError as error:
        parser.exit(1, f"{error}\n")
    top = flame.read(folded, ROOT_FUNCTION)
    if not top.samples:
        parser.exit(1, f"py-spy saw no samples under {ROOT_FUNCTION}\n")
    options.out.write_text(flame.draw(top, options.title))
    print(f"{options.out} (open it in a browser); {rate:.0f} requests/s while py-spy sampled")
    for name, share in flame.widest(top)[:30]:
        print(f"{share:6.1%}  {name}")


if __name__ == "__main__":
    main()
