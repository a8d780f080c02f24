"""The results as tables, for the terminal and in Markdown."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from tests.benchmarks.backends.contenders import OURS, REFERENCE, Contender
from tests.benchmarks.backends.footprint import Packages
from tests.benchmarks.backends.rounds import SIZES, Difference, Measured
from tests.benchmarks.output import Grid, show_grids

MODELS = {"iris": "row", "intent": "text"}


@dataclass(frozen=True)
class Results:
    """Everything that a run found.

    Args:
        measured: times, memory and differences of each contender.
        file_bytes: the size of each contender's file; without whole predictors, like the next field.
        packages: what is installed for each contender.
        import_seconds: by the modules that are imported.
        attempts: to convert the intent pipeline to ONNX: parts and outcomes.
        machine: what it ran on, and versions.
        rounds: how often each contender was timed.
        seconds: length of each measurement.
    """

    measured: Mapping[Contender, Measured]
    file_bytes: Mapping[Contender, int]
    packages: Mapping[Contender, Packages]
    import_seconds: Mapping[str, float]
    attempts: Sequence[tuple[str, str]]
    machine: Mapping[str, str]
    rounds: int
    seconds: float

    def of(self, model: str) -> list[Contender]:
        """The contenders for a model."""
        return [each for each in self.measured if each.model == model]

    def one(self, name: str, model: str = "iris") -> Contender:
        """A contender by its name."""
        return next(each for each in self.of(model) if each.name == name)

    def time(self, contender: Contender, size: int) -> float:
        """Microseconds a call, the median of the rounds."""
        return statistics.median(self.measured[contender].times[size])

    def ratio(self, contender: Contender, size: int) -> float:
        """A contender's time as a multiple of the plain arrays' in the same round; the median of the rounds."""
        ours = self.measured[self.one(OURS, contender.model)].times[size]
        return statistics.median(a / b for a, b in zip(self.measured[contender].times[size], ours, strict=True))


def show(results: Results, console: Console) -> None:
    """Print the tables."""
    show_grids(_grids(results), console)


def method(results: Results) -> str:
    """How it was measured."""
    return (
        f"Each contender runs in a process of its own, pinned to one core, with one thread; one works at a time. Times "
        f"are medians of {results.rounds} interleaved rounds, with the lowest and the highest; a round is the median of "
        f"the calls within {results.seconds:g} s. A shared machine changes its speed, for all contenders alike: compare "
        f"within a column; ratios are medians of those within rounds. Features come as FP64 rows and texts as a list of strings, as a server "
        f"has them from JSON: what a library wants them turned into is part of its time, as is rounding to FP32 where a "
        f"library does not do that itself (scikit-learn compares as FP32, so exact answers need it). No two calls in a "
        f"row score the same; the texts are the training set's, and all are seen several times, so that words which the "
        f"text classifier remembers are remembered. `IrisPredictor.infer` and `IntentPredictor.infer` are the whole "
        f"predictors, with labels. Memory is what loading and a first prediction add to a process with numpy; import "
        f"time is that of fresh interpreters, numpy being there. Packages are without numpy; the new ones are those "
        f"that this server does not have anyway."
    )


def tables(results: Results) -> list[str]:
    """The tables as sections of Markdown."""
    return [part for grid in _grids(results) for part in (f"## {grid.title}", grid.markdown())]


def _grids(results: Results) -> list[Grid]:
    times = [_times(results, model) for model in MODELS]
    exact = [_exactness(results, model) for model in MODELS]
    attempts = Grid("Intent as ONNX (skl2onnx, ONNX Runtime)", ("part", "outcome"), results.attempts)
    return [*times, *exact, _footprint(results), attempts]


def _times(results: Results, model: str) -> Grid:
    rows = []
    for contender in results.of(model):
        cells = [_time(results.measured[contender].times[size]) for size in SIZES]
        ratios = [f"{short(results.ratio(contender, size))}×" for size in (SIZES[0], SIZES[-1])]
        rows.append((contender.name, *cells, *ratios))
    unit = MODELS[model]
    columns = ("scored by", f"1 {unit}", *(f"{size} {unit}s" for size in SIZES[1:]))
    return Grid(
        f"{model.capitalize()}: microseconds a call",
        (*columns, f"1 {unit}, of {OURS}", f"{SIZES[-1]}, of {OURS}"),
        rows,
    )


def _exactness(results: Results, model: str) -> Grid:
    kinds = results.measured[results.one(OURS, model)].differences
    rows = [
        (each.name, *(_difference(found.differences[kind]) for kind in kinds))
        for each in results.of(model)
        if (found := results.measured[each]).differences
    ]
    title = f"{model.capitalize()}: largest difference from {REFERENCE}'s `predict_proba`, and rows given another class"
    return Grid(title, ("scored by", *(f"{kind} ({found.rows:,})" for kind, found in kinds.items())), rows)


def _footprint(results: Results) -> Grid:
    rows = []
    for contender, packages in results.packages.items():
        assert contender.needs is not None
        rows.append(
            (
                contender.model,
                contender.name,
                f"{results.file_bytes[contender]:,}",
                contender.needs.runs_code,
                f"{results.import_seconds[contender.needs.imports] * 1e3:.0f}",
                f"{results.measured[contender].memory_bytes / 1e6:.0f}",
                _count(packages.names),
                f"{packages.bytes / 1e6:.0f}",
                str(len(packages.new)),
                packages.licence,
            )
        )
    columns = ("model", "scored by", "file, bytes", "loading can run code", "import, ms", "memory, MB")
    return Grid("What each needs", (*columns, "packages", "installed, MB", "new ones", "licence"), rows)


def _time(times: Sequence[float]) -> str:
    return f"{short(statistics.median(times))} ({short(min(times))} to {short(max(times))})"


def short(number: float) -> str:
    """A number with at least three digits."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def _difference(found: Difference) -> str:
    return f"{found.largest:.1g}; {found.other_class}" if found.largest else "0; 0"


def _count(names: Sequence[str]) -> str:
    return f"{len(names)}: {', '.join(names)}" if names else "0"
