"""The iris and intent models beside other servers, under load: ``make bench``.

Every server in turn has one core, and the load tool the other. Each round starts every server afresh. Measured are:

  closed loop     requests a second over 16 connections, and their latency: each model in each protocol (wrk, ghz)
  offered rate    latency at 50, 100, 200 … requests a second, until a server does not keep up (oha)
  overload        this server at twice its peak: what it answers, what it refuses, and how fast

Servers are this one, bare ASGI on uvicorn (a constant: the ceiling), stock KServe, MLServer, and FastAPI; the last
three call scikit-learn. MLServer is installed by the first run, into a cache outside the checkout.

The tools are real ones, and must be there:

  apt-get install wrk
  cargo install --locked oha
  go install github.com/bojand/ghz/cmd/ghz@v0.120.0

A run of all servers writes serving.json, serving.md and plots to docs/benchmarks; others are printed only.

  python -m tests.benchmarks.bench                               a full run, about 20 minutes
  python -m tests.benchmarks.bench --quick                       a first look, about 4 minutes
  python -m tests.benchmarks.bench --only ours,mlserver          two servers
  python -m tests.benchmarks.bench --read run.json --out docs/benchmarks      write a run's report again
"""

import argparse
import dataclasses
import json
import os
import resource
import signal
import subprocess
from pathlib import Path

from rich.console import Console

from tests.benchmarks.load import machine, report
from tests.benchmarks.load.cases import CEILING, FASTAPI, MLSERVER, OURS, STOCK
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.load.rounds import Rounds, Sample
from tests.benchmarks.load.servers import make
from tests.benchmarks.load.summary import Results
from tests.benchmarks.load.tools import Tools
from tests.benchmarks.output import fail, progress
from tests.benchmarks.peers import mlserver_venv
from tests.live import ROOT

# In the order in which they are measured.
NAMES = {"asgi": CEILING, "ours": OURS, "stock": STOCK, "mlserver": MLSERVER, "fastapi": FASTAPI}
PLOT = Path(__file__).parent / "load/plot.py"
PLOTS = {
    "serving-throughput.svg": "Requests a second on one core, by server and kind of request",
    "serving-latency.svg": "99th percentile of latency against the offered rate, by server",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="how often everything is measured (default: 3; with --quick: 1)")
    parser.add_argument("--seconds", type=int, help="how long each measurement takes (default: 4; with --quick: 1)")
    parser.add_argument("--connections", type=int, default=16, help="that are kept open (default: 16)")
    parser.add_argument("--quick", action="store_true", help="one short round: to see that all works, not to quote")
    parser.add_argument("--only", default=",".join(NAMES), help="servers, separated by commas (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write all that was measured to this file, too")
    parser.add_argument("--read", type=Path, help="measure nothing: show such a file")
    parser.add_argument("--out", type=Path, help="where the report goes (default: docs/benchmarks, if the run is full)")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(NAMES):
        parser.error(f"unknown servers: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if options.out is None and set(names) == set(NAMES) and not options.quick and not options.read:
        options.out = ROOT / "docs/benchmarks"
    # Ends as ctrl-C does: what was started is ended on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(width=180)
    try:
        run = read(options.read) if options.read else measure(options, [NAMES[name] for name in NAMES if name in names])
        report.show(run, console)
        if options.json:
            options.json.write_text(dump(run))
        if options.out:
            write(run, options.out)
            console.print(f"written to {options.out}")
    except (BenchError, subprocess.CalledProcessError, OSError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted")


def measure(options: argparse.Namespace, names: list[str]) -> report.Run:
    """Measure the servers of these names."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchError("this needs two cores: one for the server, one for the client")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for the connections of an overload, at both ends
    say = progress()
    rounds, seconds = options.rounds or (1 if options.quick else 3), options.seconds or (1 if options.quick else 4)
    tools = Tools(cores[-1], options.connections)
    servers = [make(name, say) for name in names]
    measured = Rounds(servers, tools, cores[0], seconds, say)
    measured.run(rounds)
    settings = {"rounds": rounds, "seconds": seconds, "connections": options.connections}
    about = {server.name: {"version": server.version, "note": server.note} for server in servers}
    return report.Run(machine.facts(), settings, about, measured.samples)


def dump(run: report.Run) -> str:
    """A run as JSON: all samples, and the medians that the plots show."""
    points = [dataclasses.asdict(point) for point in Results(run.samples).points]
    return json.dumps({**dataclasses.asdict(run), "points": points}, indent=2) + "\n"


def read(path: Path) -> report.Run:
    """A run from JSON."""
    found = json.loads(path.read_text())
    samples = [Sample(**sample) for sample in found["samples"]]
    return report.Run(found["machine"], found["settings"], found["servers"], samples)


def write(run: report.Run, folder: Path) -> None:
    """Write a run as JSON, as a page and as plots."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "serving.json"
    source.write_text(dump(run))
    (folder / "serving.md").write_text(report.markdown(run, PLOTS))
    subprocess.run([mlserver_venv.prepare(progress()), PLOT, source, folder], check=True)


if __name__ == "__main__":
    main()
