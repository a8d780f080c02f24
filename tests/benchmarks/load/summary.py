"""Medians and spread of what was measured."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.benchmarks.load.cases import FASTAPI, MLSERVER, OURS, STOCK, Case
from tests.benchmarks.load.rounds import CLOSED, DISTURBED, KEEPS_UP, RATE, Sample

# The share of a core from which on a side is what limits a closed loop.
BUSY = 0.9


@dataclass(frozen=True)
class Point:
    """One case under one load: medians of its undisturbed samples, or of all samples if each was disturbed.

    Args:
        server: its name.
        model: iris or intent.
        protocol: of the request.
        kind: as in ``Sample``.
        target: as in ``Sample``.
        samples: how many these are.
        cpu_us: CPU time of the server for each answer, microseconds.
        cpu_lowest: of the samples.
        cpu_highest: of the samples.
        user_us: the part of it in user mode, microseconds.
        system_us: the part of it in the kernel, microseconds.
        offered: requests/s; 0 in a closed loop.
        rate: successful answers/s.
        lowest: of the samples.
        highest: of the samples.
        refused: answers/s with status 429.
        p50: median latency, milliseconds.
        p99: 99th percentile of the latency, milliseconds.
        p99_lowest: of the samples.
        p99_highest: of the samples.
        server_busy: share of a core.
        client_busy: share of a core.
        others_busy: share of a core.
    """

    server: str
    model: str
    protocol: str
    kind: str
    target: float
    samples: int
    cpu_us: float
    cpu_lowest: float
    cpu_highest: float
    user_us: float
    system_us: float
    offered: float
    rate: float
    lowest: float
    highest: float
    refused: float
    p50: float
    p99: float
    p99_lowest: float
    p99_highest: float
    server_busy: float
    client_busy: float
    others_busy: float

    @property
    def case(self) -> Case:
        return Case(self.server, self.model, self.protocol)

    @property
    def keeps_up(self) -> bool:
        """Whether answers come as fast as requests are offered."""
        return self.rate >= KEEPS_UP * self.offered

    @property
    def disturbed(self) -> bool:
        """Whether others took so much of the machine that the figures cannot be trusted."""
        return self.others_busy > DISTURBED

    @property
    def bound_by(self) -> str:
        """What limited a closed loop."""
        if self.server_busy >= BUSY:
            return "server"
        return "client" if self.client_busy >= BUSY else "neither"


class Figure(NamedTuple):
    """What servers are compared by.

    Args:
        name: with its unit.
        field: of ``Point``.
        more_is_better: whether a higher value is the better one.
    """

    name: str
    field: str
    more_is_better: bool

    def of(self, point: Point) -> float:
        """The value of a point."""
        return float(getattr(point, self.field))

    def times_better(self, ours: Point, theirs: Point) -> float:
        """How many times better the first point is than the second."""
        ratio = self.of(ours) / self.of(theirs)
        return ratio if self.more_is_better else 1 / ratio


CPU = Figure("CPU µs/request", "cpu_us", more_is_better=False)
THROUGHPUT = Figure("requests/s", "rate", more_is_better=True)
TAIL = Figure("p99, ms", "p99", more_is_better=False)


class Duel(NamedTuple):
    """A figure of our server beside that of another.

    Args:
        model: iris or intent.
        protocol: of the requests.
        figure: the name of what is compared.
        ours: our value.
        peer: the other server.
        theirs: its value.
        times_better: how many times better ours is.
        better: the server with the better value.
        disturbed: whether one of the measurements was disturbed.
    """

    model: str
    protocol: str
    figure: str
    ours: float
    peer: str
    theirs: float
    times_better: float
    better: str
    disturbed: bool


class Results:
    """The points of a run, to be looked up by what was measured.

    Args:
        samples: of all rounds.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        grouped: dict[tuple[Any, ...], list[Sample]] = {}
        for sample in samples:
            key = (sample.server, sample.model, sample.protocol, sample.kind, sample.target)
            grouped.setdefault(key, []).append(sample)
        self.points = [_point(_quiet(group)) for group in grouped.values()]

    def of(self, kind: str, case: Case | None = None) -> list[Point]:
        """The points of one kind of load, of one case or of all."""
        return [point for point in self.points if point.kind == kind and case in (None, point.case)]

    def peak(self, case: Case) -> Point | None:
        """The closed loop of a case, if it was measured."""
        return next(iter(self.of(CLOSED, case)), None)

    def at(self, case: Case, rate: float) -> Point | None:
        """A case at an offered rate, if it was measured."""
        return next((point for point in self.of(RATE, case) if point.target == rate), None)


def _quiet(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples during which others left the machine alone; all samples if there is none."""
    return [sample for sample in samples if sample.others_busy <= DISTURBED] or samples


_MEDIANS = ("cpu_us", "user_us", "system_us", "offered", "rate", "refused", "p50", "p99",
            "server_busy", "client_busy", "others_busy")  # fmt: skip


def _point(samples: Sequence[Sample]) -> Point:
    first = samples[0]
    costs, rates, tails = ([getattr(each, name) for each in samples] for name in ("cpu_us", "rate", "p99"))
    median = {name: statistics.median(getattr(sample, name) for sample in samples) for name in _MEDIANS}
    return Point(
        first.server,
        first.model,
        first.protocol,
        first.kind,
        first.target,
        len(samples),
        cpu_lowest=min(costs),
        cpu_highest=max(costs),
        lowest=min(rates),
        highest=max(rates),
        p99_lowest=min(tails),
        p99_highest=max(tails),
        **median,
    )


def duels(results: Results) -> Iterator[Duel]:
    """Our closed loops beside those of every peer with the same protocol: CPU time first."""
    for ours in (point for point in results.of(CLOSED) if point.server == OURS):
        for peer in (STOCK, MLSERVER, FASTAPI):
            if theirs := results.peak(ours.case._replace(server=peer)):
                for figure in (CPU, THROUGHPUT, TAIL):
                    times = figure.times_better(ours, theirs)
                    yield Duel(
                        ours.model,
                        ours.protocol,
                        figure.name,
                        figure.of(ours),
                        peer,
                        figure.of(theirs),
                        times,
                        OURS if times >= 1 else peer,
                        ours.disturbed or theirs.disturbed,
                    )
