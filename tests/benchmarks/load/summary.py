"""Medians of what was measured, and the figures to reach."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.benchmarks.load.cases import CEILING, FASTAPI, GRPC, MLSERVER, OURS, STOCK, V1, V2, Case
from tests.benchmarks.load.rounds import CLOSED, COMMON_RATE, DISTURBED, KEEPS_UP, RATE, Sample

# A share of a core, from which on a side is what bounds a closed loop.
BUSY = 0.9


@dataclass(frozen=True)
class Point:
    """One case under one load: medians of its undisturbed samples, or of all if each was disturbed.

    Args:
        server: its name.
        model: iris or intent.
        protocol: of the request.
        kind: as in ``Sample``.
        target: as in ``Sample``.
        samples: how many these are.
        offered: requests a second; 0 in a closed loop.
        rate: successes a second.
        lowest: of the samples.
        highest: of the samples.
        refused: answers with 429, a second.
        p50: milliseconds.
        p99: milliseconds.
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
        """Whether others took so much of the machine that the figures are not to be trusted."""
        return self.others_busy > DISTURBED

    @property
    def bound_by(self) -> str:
        """What a closed loop was limited by."""
        if self.server_busy >= BUSY:
            return "server"
        return "client" if self.client_busy >= BUSY else "neither"


class Target(NamedTuple):
    """A figure to reach.

    Args:
        figure: what.
        against: the other server, if it is a comparison.
        wanted: in words.
        reached: in words.
        holds: whether it is reached.
        disturbed: whether a measurement behind it was.
    """

    figure: str
    against: str
    wanted: str
    reached: str
    holds: bool
    disturbed: bool


class Duel(NamedTuple):
    """A figure of our server and of one other.

    Args:
        model: iris or intent.
        protocol: of the requests.
        figure: what is compared.
        ours: its value.
        peer: the other server.
        theirs: its value.
        better: which server's is better.
        disturbed: whether one of the measurements was.
    """

    model: str
    protocol: str
    figure: str
    ours: float
    peer: str
    theirs: float
    better: str
    disturbed: bool


class Results:
    """Points, found by what was measured.

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
    """Those in which others left the machine alone; all, if there is none."""
    return [sample for sample in samples if sample.others_busy <= DISTURBED] or samples


def _point(samples: Sequence[Sample]) -> Point:
    first = samples[0]
    rates, tails = [sample.rate for sample in samples], [sample.p99 for sample in samples]
    median = {
        name: statistics.median(getattr(sample, name) for sample in samples)
        for name in ("offered", "rate", "refused", "p50", "p99", "server_busy", "client_busy", "others_busy")
    }
    return Point(
        first.server,
        first.model,
        first.protocol,
        first.kind,
        first.target,
        len(samples),
        lowest=min(rates),
        highest=max(rates),
        p99_lowest=min(tails),
        p99_highest=max(tails),
        **median,
    )


def targets(results: Results) -> list[Target]:
    """The figures to reach, as far as both sides of each were measured."""
    return [*_ratios(results), *_shares(results), *_latencies(results)]


def _ratios(results: Results) -> Iterator[Target]:
    wanted = (
        ("iris", V1, STOCK, 25.0, "≥ 25× (aim: 60×)"),
        ("iris", V2, MLSERVER, 3.0, "≥ 3×"),
        ("iris", GRPC, MLSERVER, 2.0, "≥ 2×"),
        ("intent", V1, FASTAPI, 5.0, "≥ 5×"),
    )
    for model, protocol, peer, least, words in wanted:
        ours, theirs = (results.peak(Case(server, model, protocol)) for server in (OURS, peer))
        if ours and theirs:
            ratio = ours.rate / theirs.rate
            yield Target(
                f"{model} {protocol}, requests/s", peer, words, f"{ratio:.1f}×", ratio >= least, _any(ours, theirs)
            )


def _shares(results: Results) -> Iterator[Target]:
    ours, ceiling = (results.peak(Case(server, "iris", V1)) for server in (OURS, CEILING))
    if ours and ceiling:
        share = ours.rate / ceiling.rate
        yield Target("iris V1, requests/s", CEILING, "≥ 40%", f"{share:.0%}", share >= 0.4, _any(ours, ceiling))
    if grpc := results.peak(Case(OURS, "iris", GRPC)):
        yield Target(
            "iris gRPC, infer/s on one core", "", "≥ 2,000", f"{grpc.rate:,.0f}", grpc.rate >= 2000, grpc.disturbed
        )


def _latencies(results: Results) -> Iterator[Target]:
    ours = results.at(Case(OURS, "iris", V1), COMMON_RATE)
    if ours is None:
        return
    figure = f"iris V1, p99 at {COMMON_RATE}/s"
    reached = f"{ours.p99:.1f} ms"
    yield Target(figure, "", "≤ 5 ms", reached, ours.keeps_up and ours.p99 <= 5, ours.disturbed)
    for peer in (Case(STOCK, "iris", V1), Case(MLSERVER, "iris", V2), Case(FASTAPI, "iris", V1)):
        if theirs := results.at(peer, COMMON_RATE):
            name = peer.server if peer.protocol == V1 else f"{peer.server} ({peer.protocol})"
            yield Target(
                figure, name, f"below {theirs.p99:,.1f} ms", reached, ours.p99 < theirs.p99, _any(ours, theirs)
            )


def _any(*points: Point) -> bool:
    return any(point.disturbed for point in points)


def duels(results: Results) -> Iterator[Duel]:
    """Our closed loops beside those of every peer that speaks the same protocol."""
    for ours in (point for point in results.of(CLOSED) if point.server == OURS):
        for peer in (STOCK, MLSERVER, FASTAPI):
            if theirs := results.peak(ours.case._replace(server=peer)):
                what, disturbed = (ours.model, ours.protocol), _any(ours, theirs)
                better = OURS if ours.rate >= theirs.rate else peer
                yield Duel(*what, "requests/s", ours.rate, peer, theirs.rate, better, disturbed)
                better = OURS if ours.p99 <= theirs.p99 else peer
                yield Duel(*what, "p99, ms", ours.p99, peer, theirs.p99, better, disturbed)
