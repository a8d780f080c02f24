"""The server of this checkout beside that of another: ``python -m tests.benchmarks.bench --compare DIR``.

Both servers run on one core and take turns of a second. Each turn of one and the next turn of the other are a pair, in
which the machine was about equally busy; the ratio of the two servers is the median over all pairs.
"""

import contextlib
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.load.cases import GRPC, OURS, V1, V2, Case
from tests.benchmarks.load.check import check, expected
from tests.benchmarks.load.rounds import CLOSED, WARM_UP_SECONDS, Asked, Sample, sample
from tests.benchmarks.load.servers import BOTH, Live, make, running
from tests.benchmarks.load.tools import Tools
from tests.benchmarks.output import Grid
from tests.benchmarks.starting import check_import
from tests.live import ROOT

KINDS = (("iris", V1), ("iris", V2), ("intent", V1), ("iris", GRPC))
OLD, NEW = "old", "new"
# What is compared: a property of Sample, and its column.
FIGURES = (("cpu_us", "CPU µs/request"), ("rate", "requests/s"))
# wrk takes whole seconds; the shorter the turns, the more alike the machine is for both servers of a pair.
TURN_SECONDS = 1


class Spread(NamedTuple):
    """A figure over all pairs: the median and the quartiles."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        lower, median, upper = statistics.quantiles(values, method="inclusive")
        return cls(median, lower, upper)


class Comparison:
    """Measures two checkouts of this project, each with its own server process on the same core.

    Args:
        other: the checkout to compare with; any folder with ``predictors/`` in it.
        tools: the load generators.
        core: the CPU that both servers are pinned to; the one that has no turn is idle.
        say: is given lines of progress.

    Raises:
        BenchError: Python does not import ``predictors`` from one of the checkouts.
    """

    def __init__(self, other: Path, tools: Tools, core: int, say: Callable[[str], None]) -> None:
        self.samples: list[Sample] = []
        self._checkouts = {OLD: other.resolve(), NEW: ROOT}
        self._tools = tools
        self._core = core
        self._say = say
        for checkout in self._checkouts.values():
            check_import(checkout)

    @property
    def title(self) -> str:
        """What is old and what is new."""
        return ", ".join(f"{name}: {_revision(checkout)}" for name, checkout in self._checkouts.items())

    def run(self, rounds: int, turns: int) -> None:
        """Measure both servers, newly started in each round.

        Args:
            rounds: how often the servers are started.
            turns: of each server in each round, for each kind of request.

        Raises:
            BenchError: a server ended, or gave a wrong answer.
        """
        wanted = {model: expected(model) for model in BOTH}
        for number in range(rounds):
            self._say(f"round {number + 1} of {rounds}: starting both servers")
            with contextlib.ExitStack() as stack:
                live = {
                    name: stack.enter_context(running(make(OURS, self._say), self._core, checkout))
                    for name, checkout in self._checkouts.items()
                }
                for name, server in live.items():
                    for model, protocol in KINDS:
                        case = Case(name, model, protocol)
                        check(case, server.ports.http, server.ports.grpc, wanted[model])
                    self._tools.closed(Case(name, *KINDS[0]), server, WARM_UP_SECONDS)
                for model, protocol in KINDS:
                    found = [self._pair(number * turns + turn, model, protocol, live) for turn in range(turns)]
                    self._progress([sample for pair in found for sample in pair], model, protocol)

    def _pair(self, number: int, model: str, protocol: str, live: Mapping[str, Live]) -> list[Sample]:
        """Measure a kind of request on both servers; they take turns in going first."""
        pair = []
        for name in (OLD, NEW) if number % 2 == 0 else (NEW, OLD):
            case = Case(name, model, protocol)
            pair.append(sample(Asked(number, case, CLOSED), self._tools.closed(case, live[name], TURN_SECONDS)))
        self.samples += pair
        return pair

    def _progress(self, samples: Sequence[Sample], model: str, protocol: str) -> None:
        ratios = (f"{words} {ratio(samples, model, protocol, name).median:.2f}×" for name, words in FIGURES)
        busy = statistics.median(each.others_busy for each in samples)
        self._say(f"  {model} {protocol}, new/old: {', '.join(ratios)} (others took {busy:.0%} of a core)")


def grid(title: str, samples: Sequence[Sample]) -> Grid:
    """The comparison as a table of medians; quartiles are in brackets."""
    columns = ["request"]
    for _, words in FIGURES:
        columns += [f"{words}, old", "new", "new/old"]
    rows = [(f"{model} {protocol}", *_cells(samples, model, protocol)) for model, protocol in KINDS]
    return Grid(f"{title}; medians (quartiles)", (*columns, "others busy"), rows)


def ratio(samples: Sequence[Sample], model: str, protocol: str, figure: str) -> Spread:
    """A figure of the new server divided by that of the old one, over the pairs."""
    old, new = (_values(samples, Case(name, model, protocol), figure) for name in (OLD, NEW))
    return Spread.of([after / before for before, after in zip(old, new, strict=True)])


def _cells(samples: Sequence[Sample], model: str, protocol: str) -> list[str]:
    cells = []
    for figure, _ in FIGURES:
        for name in (OLD, NEW):
            median, lower, upper = Spread.of(_values(samples, Case(name, model, protocol), figure))
            cells.append(f"{median:,.0f} ({lower:,.0f} to {upper:,.0f})")
        median, lower, upper = ratio(samples, model, protocol, figure)
        cells.append(f"**{median:.2f}×** ({lower:.2f} to {upper:.2f})")
    busy = statistics.median(each.others_busy for each in samples if (each.model, each.protocol) == (model, protocol))
    return [*cells, f"{busy:.0%}"]


def _values(samples: Sequence[Sample], case: Case, figure: str) -> list[float]:
    return [getattr(each, figure) for each in samples if (each.server, each.model, each.protocol) == case]


def _revision(checkout: Path) -> str:
    """Its git revision, with -dirty if it has changes; else its path."""
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or str(checkout)
