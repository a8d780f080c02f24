"""The results as tables, for the terminal and in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from tests.benchmarks.load.cases import CEILING, MLSERVER, OURS, V1, V2, Case
from tests.benchmarks.load.rounds import CLOSED, DISTURBED, EXCESS, NORMAL, OVERLOAD, RATE, Sample
from tests.benchmarks.load.summary import Point, Results, duels, targets
from tests.benchmarks.load.tools import CROWD
from tests.benchmarks.output import Grid, show_grids


@dataclass(frozen=True)
class Run:
    """Everything that is known of a run.

    Args:
        machine: what it ran on, a line a property.
        settings: rounds, seconds a measurement, connections.
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
        run: the run.
        plots: what each plot shows, by the plot's file name beside the page.
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
    """How it was measured, and how quiet it was."""
    settings = run.settings
    disturbed = sum(point.disturbed for point in results.points)
    clients = max((point.client_busy for point in results.points), default=0.0)
    return (
        f"Medians of {settings['rounds']} interleaved rounds of {settings['seconds']} s a measurement, each server "
        f"started afresh in every round, on one core; the client has the other. Requests have one row. Closed loops "
        f"keep {settings['connections']} connections busy (wrk, gRPC: ghz). Offered rates (oha) are an open loop over "
        f"as many connections: latency counts from when a request was due, whether a connection was free or not. All "
        f"answers were checked to be successes, and one of each kind to predict what scikit-learn predicts. The client "
        f"took {clients:.0%} of its core at the most. A measurement during which other processes or machines took more "
        f"than {DISTURBED:.0%} of a core was made once more, and left out where another round was quieter; in "
        f"{disturbed} of {len(results.points)} medians no round was: these are not to be trusted, and tables say so."
    )


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
            f"{point.rate:,.0f}",
            f"{point.lowest:,.0f} to {point.highest:,.0f}",
            f"{point.p50:.2f}",
            f"{point.p99:.2f}",
            f"{point.rate / ceiling.rate:.0%}" if ceiling else "–",
            f"{point.server_busy:.0%}",
            f"{point.client_busy:.0%}",
            f"{point.others_busy:.0%}{_mark(point.disturbed)}",
            point.bound_by,
        )
        for point in sorted(results.of(CLOSED), key=lambda point: (point.model != "iris", point.protocol))
    ]
    columns = ("server", "model", "protocol", "requests/s", "spread", "p50, ms", "p99, ms", "of bare ASGI",
               "server busy", "client busy", "others busy", "bound by")  # fmt: skip
    return Grid("Closed loop: as many requests as one core answers", columns, rows)


def _duels(results: Results) -> Grid:
    rows = []
    for duel in duels(results):
        form = "{:,.0f}" if duel.figure == "requests/s" else "{:,.2f}"
        better = (duel.better if duel.better == OURS else f"**{duel.better}**") + _mark(duel.disturbed)
        ratio = duel.ours / duel.theirs if duel.figure == "requests/s" else duel.theirs / duel.ours
        values = (form.format(duel.ours), duel.peer, form.format(duel.theirs), f"{ratio:.1f}×")
        rows.append((duel.model, duel.protocol, duel.figure, *values, better))
    columns = ("model", "protocol", "figure", OURS, "peer", "peer's", "times better", "better")
    return Grid("Closed loop, side by side: a peer that wins stands in bold", columns, rows)


# Titles, and the cases whose latencies stand side by side.
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
    """Both percentiles; where a server does not keep up, what it reaches beside them."""
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
            f"{point.p50:,.1f}",
            f"{point.p99:,.1f}",
            f"{point.server_busy:.0%}",
            f"{point.client_busy:.0%}",
        )
        for point in results.of(OVERLOAD)
    ]
    columns = ("share of the peak", "offered/s", "2xx/s", "429/s", "p50 of 2xx, ms", "p99 of 2xx, ms", "server busy",
               "client busy")  # fmt: skip
    return Grid(f"{OURS} under overload, iris V1", columns, rows)
