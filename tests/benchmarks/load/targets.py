"""The figures that this server is to reach, and whether it does."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.benchmarks.load.cases import CEILING, FASTAPI, GRPC, MLSERVER, OURS, STOCK, V1, V2, Case
from tests.benchmarks.load.rounds import COMMON_RATE
from tests.benchmarks.load.summary import CPU, THROUGHPUT, Figure, Point, Results


class Target(NamedTuple):
    """A figure to reach.

    Args:
        figure: what is measured.
        against: the other server, if it is a comparison.
        wanted: in words.
        reached: in words.
        holds: whether it is reached.
        disturbed: whether one of the measurements was disturbed.
    """

    figure: str
    against: str
    wanted: str
    reached: str
    holds: bool
    disturbed: bool


class _Ratio(NamedTuple):
    model: str
    protocol: str
    peer: str
    least: float
    aim: float = 0


_CPU_RATIOS = (
    _Ratio("iris", V1, STOCK, 50),
    _Ratio("iris", V2, MLSERVER, 8),
    _Ratio("iris", GRPC, MLSERVER, 2),
    _Ratio("intent", V1, FASTAPI, 5),
)
_THROUGHPUT_RATIOS = (
    _Ratio("iris", V1, STOCK, 25, aim=60),
    _Ratio("iris", V2, MLSERVER, 3),
    _Ratio("iris", GRPC, MLSERVER, 2),
    _Ratio("intent", V1, FASTAPI, 5),
)
# Of what bare ASGI achieves with a constant answer.
_LEAST_SHARE = 0.4


def targets(results: Results) -> list[Target]:
    """The figures to reach, as far as both sides of each were measured: CPU time first."""
    found = [*_ratios(results, CPU, _CPU_RATIOS), *_share(results, CPU)]
    found += [*_ratios(results, THROUGHPUT, _THROUGHPUT_RATIOS), *_share(results, THROUGHPUT), *_grpc(results)]
    return [*found, *_latencies(results)]


def _ratios(results: Results, figure: Figure, wanted: tuple[_Ratio, ...]) -> Iterator[Target]:
    for model, protocol, peer, least, aim in wanted:
        ours, theirs = (results.peak(Case(server, model, protocol)) for server in (OURS, peer))
        if ours and theirs:
            times = figure.times_better(ours, theirs)
            words = f"≥ {least:.0f}×" + (f" (aim: {aim:.0f}×)" if aim else "")
            what = f"{model} {protocol}, {figure.name}"
            yield Target(what, peer, words, f"{times:.1f}×", times >= least, _any(ours, theirs))


def _share(results: Results, figure: Figure) -> Iterator[Target]:
    ours, ceiling = (results.peak(Case(server, "iris", V1)) for server in (OURS, CEILING))
    if ours and ceiling:
        share = figure.times_better(ours, ceiling)
        holds = share >= _LEAST_SHARE
        what = f"iris V1, {figure.name}"
        yield Target(what, CEILING, f"≥ {_LEAST_SHARE:.0%}", f"{share:.0%}", holds, _any(ours, ceiling))


def _grpc(results: Results) -> Iterator[Target]:
    if grpc := results.peak(Case(OURS, "iris", GRPC)):
        what = "iris gRPC, infer/s on one core"
        yield Target(what, "", "≥ 2,000", f"{grpc.rate:,.0f}", grpc.rate >= 2000, grpc.disturbed)


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
            words = f"below {theirs.p99:,.1f} ms"
            yield Target(figure, name, words, reached, ours.p99 < theirs.p99, _any(ours, theirs))


def _any(*points: Point) -> bool:
    return any(point.disturbed for point in points)
