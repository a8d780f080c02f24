"""What micro-batching is worth, that is, computing waiting requests together: ``make bench-batching``.

A predictor with a large fixed cost (scikit-learn's own forest: milliseconds a call, microseconds a row) behind this
project's server, with --micro_batching auto and off. Each runs on one core with wrk on the other; rounds are interleaved.
"""

import os
import statistics
import sys
from pathlib import Path

from rich.console import Console

from tests.benchmarks.load.cases import V1, Case
from tests.benchmarks.load.check import check, expected
from tests.benchmarks.load.parse import Load
from tests.benchmarks.load.servers import PEERS, Ports, Server, running
from tests.benchmarks.load.tools import Tools
from tests.benchmarks.output import Comparison, compare
from tests.live import ARTIFACTS, ROOT

WAYS = ("auto", "off")
CONNECTIONS = (1, 2, 4, 16, 64)
REPORT = ROOT / "docs/benchmarks/batching.md"


def server(way: str) -> Server:
    """The predictor's server with this value of ``--micro_batching``."""

    def command(ports: Ports, folder: Path) -> list[str]:
        module = f"tests.benchmarks.peers.{(PEERS / 'own_predictor.py').stem}"
        return [sys.executable, "-m", module, str(ports.http), str(ARTIFACTS), way]

    return Server(way, "", "", (Case(way, "iris", V1),), command)


def measure(rounds: int, seconds: float, console: Console) -> dict[tuple[str, int], list[Load]]:
    """What wrk measured, by setting and connections."""
    first, *_, last = sorted(os.sched_getaffinity(0)) * 2
    found: dict[tuple[str, int], list[Load]] = {(way, count): [] for way in WAYS for count in CONNECTIONS}
    for number in range(rounds):
        for way in WAYS:
            console.print(f"round {number + 1} of {rounds}: --micro_batching {way}")
            with running(server(way), first) as live:
                case = server(way).cases[0]
                check(case, live.ports.http, live.ports.grpc, expected("iris"))
                for count in CONNECTIONS:
                    tools = Tools(last, count, ("wrk",))
                    tools.closed(case, live, 1)
                    found[way, count].append(tools.closed(case, live, seconds).load)
    return found


def rows(found: dict[tuple[str, int], list[Load]]) -> list[tuple[str, ...]]:
    """The table: medians over the rounds."""
    table = []
    for count in CONNECTIONS:
        rates = [statistics.median(load.rate for load in found[way, count]) for way in WAYS]
        late = [
            f"{statistics.median(load.p50 for load in found[way, count]):.1f} / "
            f"{statistics.median(load.p99 for load in found[way, count]):.1f}"
            for way in WAYS
        ]
        table.append((str(count), *(f"{rate:,.0f}" for rate in rates), f"{rates[0] / rates[1]:.1f}×", *late))
    return table


INTRODUCTION = """# Requests that wait, computed together: `make bench-batching`

A predictor with a large fixed cost (scikit-learn's own forest: milliseconds a call, microseconds a row) behind this
project's server, with `--micro_batching` auto and off, each on one core with wrk on the other.

"""
COLUMNS = (
    "connections",
    "auto, requests/s",
    "off, requests/s",
    "auto to off",
    "auto, p50 / p99 ms",
    "off, p50 / p99 ms",
)


def main() -> None:
    assert __doc__ is not None
    compare(Comparison(__doc__, REPORT, INTRODUCTION, COLUMNS, lambda *asked: rows(measure(*asked)), width=140))


if __name__ == "__main__":
    main()
