"""The iris and intent models beside other servers, under load: ``make bench``.

Each server in turn is pinned to one core, and the load tool to another. Every round starts each server afresh. It
measures:

  closed loop     CPU time per request, requests/s and latency on 16 connections, for each model and protocol (wrk, ghz)
  offered rate    latency at 50, 100, 200 … requests/s, until a server does not keep up (oha)
  overload        this server at twice its peak: what it answers, what it refuses, and how fast

CPU time per request comes first: it is the server's own user and system time, read from /proc around each measurement,
and hardly changes when others use the machine, while requests/s do.

The servers are this one, bare ASGI on Uvicorn with a constant answer (the ceiling), stock KServe, MLServer and FastAPI;
the last three use scikit-learn. MLServer is installed by the first run, into a cache outside the checkout.

The load tools must be installed:

  apt-get install wrk
  cargo install --locked oha
  go install github.com/bojand/ghz/cmd/ghz@v0.120.0

A full run of all servers writes serving.json, serving.md and plots to docs/benchmarks; other runs are only printed.

  python -m tests.benchmarks.bench                               a full run, about 20 minutes
  python -m tests.benchmarks.bench --quick                       a first look, about 4 minutes
  python -m tests.benchmarks.bench --only ours,mlserver          two servers
  python -m tests.benchmarks.bench --read run.json --out docs/benchmarks      write the report of a run again

With --compare, the server of another checkout is measured beside this one's: both run on the same core and take turns of
a second. This needs only wrk and ghz, and takes a minute and a half.

  git worktree add ../before HEAD~5 && python -m tests.benchmarks.bench --compare ../before
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
from tests.benchmarks.load.compare import Comparison, grid
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.load.rounds import Rounds, Sample
from tests.benchmarks.load.servers import make
from tests.benchmarks.load.summary import Results
from tests.benchmarks.load.tools import Tools
from tests.benchmarks.output import fail, progress, show_grids
from tests.benchmarks.peers import mlserver_venv
from tests.live import ROOT

# In the order of measurement.
NAMES = {"asgi": CEILING, "ours": OURS, "stock": STOCK, "mlserver": MLSERVER, "fastapi": FASTAPI}
PLOT = Path(__file__).parent / "load/plot.py"
PLOTS = {
    "serving-cpu.svg": "CPU time per request, by server and kind of request",
    "serving-throughput.svg": "Requests/s on one core, by server and kind of request",
    "serving-latency.svg": "99th percentile of the latency against the offered rate, by server",
}


def main() -> None:
    options = arguments()
    # SIGTERM ends a run as ctrl-C does, so that the servers and tools that were started are ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(width=200)
    try:
        if options.compare:
            compare(options, console)
        else:
            report_run(options, console)
    except (BenchError, subprocess.CalledProcessError, OSError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted")


def arguments() -> argparse.Namespace:
    """The command line, with the defaults that depend on other options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--rounds", type=int, help="how often everything is measured (default: 3; with --quick: 1)")
    add("--seconds", type=int, help="length of each measurement (default: 4; with --compare: 3; with --quick: 1)")
    add("--connections", type=int, default=16, help="connections that are kept open (default: 16)")
    add("--quick", action="store_true", help="one short round: a check that everything works, not to be quoted")
    add("--only", default=",".join(NAMES), help="servers, separated by commas (default: %(default)s)")
    add("--compare", type=Path, metavar="DIR", help="measure the server of another checkout beside this one's instead")
    add("--json", type=Path, help="also write everything that was measured to this file")
    add("--read", type=Path, help="measure nothing: show the results in such a file")
    add("--out", type=Path, help="where the report goes (default: docs/benchmarks, for a full run of all servers)")
    options = parser.parse_args()
    options.names = options.only.split(",")
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"unknown servers: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    every = set(options.names) == set(NAMES)
    if options.out is None and every and not (options.quick or options.read or options.compare):
        options.out = ROOT / "docs/benchmarks"
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (1 if options.quick else 3 if options.compare else 4)
    return options


def cores() -> tuple[int, int]:
    """The CPU that servers are pinned to, and the load tools' own.

    Raises:
        BenchError: this process may use one CPU only.
    """
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise BenchError("this needs two cores: one for the server, one for the load tool")
    return usable[0], usable[-1]


def compare(options: argparse.Namespace, console: Console) -> None:
    """Measure another checkout's server beside this one's, and print the ratios."""
    server_core, client_core = cores()
    tools = Tools(client_core, options.connections, ("wrk", "ghz"))
    comparison = Comparison(options.compare, tools, server_core, progress())
    comparison.run(options.rounds, options.seconds)
    if options.json:
        found = {"title": comparison.title, "samples": [dataclasses.asdict(each) for each in comparison.samples]}
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    show_grids([grid(comparison.title, comparison.samples)], console)


def report_run(options: argparse.Namespace, console: Console) -> None:
    """Measure the servers or read what was measured, and print or write the report."""
    chosen = [name for key, name in NAMES.items() if key in options.names]
    run = read(options.read) if options.read else measure(options, chosen)
    # Files first: a run takes long, and a closed pipe must not lose it.
    if options.json:
        options.json.write_text(dump(run))
    if options.out:
        write(run, options.out)
    report.show(run, console)
    if options.out:
        console.print(f"written to {options.out}")


def measure(options: argparse.Namespace, names: list[str]) -> report.Run:
    """Measure the servers of these names."""
    server_core, client_core = cores()
    # An overload needs many connections, and each is a file descriptor at both ends.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    say = progress()
    tools = Tools(client_core, options.connections)
    facts = machine.facts() | {"pinning": machine.pinning(server_core, client_core)}
    servers = [make(name, say) for name in names]
    measured = Rounds(servers, tools, server_core, options.seconds, say)
    measured.run(options.rounds)
    settings = {name: getattr(options, name) for name in ("rounds", "seconds", "connections")}
    about = {server.name: {"version": server.version, "note": server.note} for server in servers}
    return report.Run(facts, settings, about, measured.samples)


def dump(run: report.Run) -> str:
    """A run as JSON: all samples, and the medians and spreads that tables and plots show."""
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
