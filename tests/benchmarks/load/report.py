"""The results as tables, for the terminal and in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from tests.benchmarks.load.cases import CEILING, MLSERVER, OURS, V1, V2, Case
from tests.benchmarks.load.rounds import CLOSED, DISTURBED, EXCESS, NORMAL, OVERLOAD, RATE, Sample
from tests.benchmarks.load.summary import CPU, TAIL, THROUGHPUT, Point, Results, duels
from tests.benchmarks.load.targets import targets
from tests.benchmarks.load.tools import CROWD
from tests.benchmarks.output import Grid, show_grids


@dataclass(frozen=True)
class Run:
    """Everything that is known about a run.

    Args:
        machine: what it ran on, by property.
        settings: rounds, seconds of a measurement, connections.
        servers: versions and notes, by name.
        samples: all measurements.
    """

    machine: Mapping[str, str]
    settings: Mapping[str, int | float]
    servers: Mapping[str, Mapping[str, str]]
    samples: Sequence[Sample]


def grids(run: Run, results: Results) -> list[Grid]:
    """The tables of a run; those without rows are left out."""
    sweeps = [_sweep(results, title, columns) for title, columns in _SWEEPS]
    tables = [
        _targets(results),
        _closed(results),
        _duels(results),
        *sweeps,
        _overload(results, run.settings["connections"]),
    ]
    return [table for table in tables if table.rows]


def show(run: Run, console: Console) -> None:
    """Print the tables."""
    results = Results(run.samples)
    show_grids(grids(run, results), console)
    console.print(method(run, results), highlight=False)


def markdown(run: Run, plots: Mapping[str, str]) -> str:
    """The report as a page.

    Args:
        run: what was measured.
        plots: what each plot shows, by the name of its file beside the page.
    """
    results = Results(run.samples)
    parts = ["# iris and intent beside other servers: `make bench`", method(run, results)]
    parts += [f"![{words}]({name})" for name, words in plots.items()]
    for grid in grids(run, results):
        parts += [f"## {grid.title}", grid.markdown()]
    servers = [f"- {name} {facts['version']}: {facts['note']}" for name, facts in run.servers.items()]
    parts += ["## The servers", "\n".join(servers)]
    parts += ["## Machine", "\n".join(f"- {name}: {value}" for name, value in run.machine.items())]
    return "\n\n".join(parts) + "\n"


def method(run: Run, results: Results) -> str:
    """How it was measured, and how quiet the machine was."""
    settings = run.settings
    disturbed = sum(point.disturbed for point in results.points)
    clients = max((point.client_busy for point in results.points), default=0.0)
    pinning = f" ({run.machine['pinning']})" if "pinning" in run.machine else ""
    how = (
        f"Medians of {settings['rounds']} interleaved rounds of {settings['seconds']} s for each measurement; a spread "
        f"is the lowest and highest round. Every round starts each server afresh. A server has one core to itself with "
        f"all its threads and processes, the load tool another (`taskset`){pinning}."
    )
    cost = (
        "**CPU time per request** is the time that the server and its child processes ran on the CPU, in user mode and "
        "in the kernel, from `/proc/PID/stat` before and after a measurement, divided by the answers. It leaves out the "
        "time that a server waited for its core, so that other work on the machine hardly changes it, while requests/s "
        "on a shared machine vary by half. Compare servers by it first."
    )
    loads = (
        f"Requests have one row. Closed loops keep {settings['connections']} connections busy (wrk; ghz for gRPC). "
        f"Offered rates (oha) are an open loop over as many connections: latency counts from when a request was due, "
        f"even if no connection was free. All answers were successful, and one of each kind was checked to predict what "
        f"scikit-learn predicts. The load tool never took more than {clients:.0%} of its core."
    )
    quiet = (
        f"A measurement during which others took more than {DISTURBED:.0%} of a core was repeated, and is left out "
        f"where another round was quieter. In {disturbed} of {len(results.points)} medians no round was quiet: tables mark "
        f"these as disturbed, and their requests/s and latencies cannot be trusted."
    )
    return "\n\n".join((how, cost, loads, quiet))


def _mark(disturbed: bool) -> str:
    return " (disturbed)" if disturbed else ""


def _targets(results: Results) -> Grid:
    rows = []
    for target in targets(results):
        rows.append((*target[:4], ("yes" if target.holds else "**no**") + _mark(target.disturbed)))
    return Grid("Figures to reach", ("figure", "against", "wanted", "reached", "holds"), rows)


def _closed(results: Results) -> Grid:
    ceiling = results.peak(Case(CEILING, "iris", V1))
    rows = [
        (
            point.server,
            point.model if point.server != CEILING else "a constant",
            point.protocol,
            f"**{point.cpu_us:,.0f}** ({point.cpu_lowest:,.0f} to {point.cpu_highest:,.0f})",
            f"{point.user_us:,.0f} + {point.system_us:,.0f}",
            f"{CPU.times_better(point, ceiling):.0%}" if ceiling else "–",
            f"{point.rate:,.0f} ({point.lowest:,.0f} to {point.highest:,.0f})",
            f"{THROUGHPUT.times_better(point, ceiling):.0%}" if ceiling else "–",
            f"{point.p50:.2f}, {point.p99:.2f}",
            f"{point.server_busy:.0%}, {point.client_busy:.0%}, {point.others_busy:.0%}{_mark(point.disturbed)}",
            point.bound_by,
        )
        for point in sorted(results.of(CLOSED), key=lambda point: (point.model != "iris", point.protocol))
    ]
    columns = ("server", "model", "protocol", f"{CPU.name} (spread)", "user + system", "of bare ASGI",
               f"{THROUGHPUT.name} (spread)", "of bare ASGI", "p50, p99, ms", "busy: server, client, others",
               "bound by")  # fmt: skip
    return Grid("Closed loop: what a request costs, and how many one core answers", columns, rows)


def _duels(results: Results) -> Grid:
    rows = []
    for duel in duels(results):
        form = "{:,.2f}" if duel.figure == TAIL.name else "{:,.0f}"
        better = (duel.better if duel.better == OURS else f"**{duel.better}**") + _mark(duel.disturbed)
        values = (form.format(duel.ours), duel.peer, form.format(duel.theirs), f"{duel.times_better:.1f}×")
        rows.append((duel.model, duel.protocol, duel.figure, *values, better))
    columns = ("model", "protocol", "figure", OURS, "peer", "peer's", "times better", "better")
    return Grid("Closed loop, side by side: a peer that wins is in bold", columns, rows)


# Titles, and the cases whose latencies are shown side by side.
_V1_IRIS = tuple(Case(server, "iris", V1) for server in (OURS, "stock KServe", "FastAPI", CEILING))
_SWEEPS = (
    ("iris V1 at an offered rate", (*_V1_IRIS[:3], Case(MLSERVER, "iris", V2), _V1_IRIS[3])),
    ("intent V1 at an offered rate", tuple(Case(server, "intent", V1) for server in (OURS, "stock KServe", "FastAPI"))),
    ("iris V2 (JSON) at an offered rate", tuple(Case(server, "iris", V2) for server in (OURS, MLSERVER))),
)


def _sweep(results: Results, title: str, cases: Sequence[Case]) -> Grid:
    present = [case for case in cases if results.of(RATE, case)]
    rates = sorted({point.target for case in present for point in results.of(RATE, case)})
    rows = []
    for rate in rates:
        found = {case: results.at(case, rate) for case in present}
        peers = [point for case, point in found.items() if point and point.keeps_up and case.server != CEILING]
        best = min(peers, key=lambda point: point.p99).server if peers else "–"
        lowest = best if best in (OURS, "–") else f"**{best}**"
        rows.append((f"{rate:,.0f}", *(_latency(point) for point in found.values()), lowest))
    names = (case.server if case.protocol in title else f"{case.server} ({case.protocol})" for case in present)
    columns = ("requests/s", *(f"{name}: p50, p99, ms" for name in names), "lowest p99")
    return Grid(title, columns, rows)


def _latency(point: Point | None) -> str:
    """Both percentiles, and the rate that was reached where a server does not keep up."""
    if point is None:
        return "–"
    latency = f"{point.p50:,.2f}, {point.p99:,.2f}{_mark(point.disturbed)}"
    return latency if point.keeps_up else f"{latency} (only {point.rate:,.0f}/s)"


def _overload(results: Results, usual: float) -> Grid:
    connections = {NORMAL: usual, EXCESS: CROWD}
    rows = [
        (
            f"{point.target:.0%}, {connections[point.target]:,} connections{_mark(point.disturbed)}",
            f"{point.offered:,.0f}",
            f"{point.rate:,.0f}",
            f"{point.refused:,.0f}",
            f"{point.cpu_us:,.0f}",
            f"{point.p50:,.1f}",
            f"{point.p99:,.1f}",
            f"{point.server_busy:.0%}",
            f"{point.client_busy:.0%}",
        )
        for point in results.of(OVERLOAD)
    ]
    columns = ("share of the peak", "offered/s", "2xx/s", "429/s", "CPU µs/answer", "p50 of 2xx, ms",
               "p99 of 2xx, ms", "server busy", "client busy")  # fmt: skip
    return Grid(f"{OURS} under overload, iris V1", columns, rows)
