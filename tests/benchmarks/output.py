"""How all benchmarks show tables and progress, and how they fail."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from rich.console import Console
from rich.table import Table

from tests.benchmarks.load.errors import BenchError
from tests.live import ROOT


class Grid(NamedTuple):
    """A table: its title, column names and rows of cells."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def markdown(self) -> str:
        """The table, without its title."""
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def show_grids(grids: Iterable[Grid], console: Console) -> None:
    """Print tables; Markdown's bold is left out."""
    for grid in grids:
        table = Table(*grid.columns, title=grid.title, title_justify="left")
        for row in grid.rows:
            table.add_row(*(cell.replace("**", "") for cell in row))
        console.print(table)


def progress() -> Callable[[str], None]:
    """A function that prints a line to stderr, with the seconds since this call."""
    started = time.monotonic()
    return lambda line: print(f"{time.monotonic() - started:5.0f} s  {line}", file=sys.stderr, flush=True)


class Comparison(NamedTuple):
    """A benchmark of servers that take turns on one core, and the page that it writes.

    Args:
        description: what ``--help`` shows.
        report: the page.
        introduction: what it begins with.
        columns: of its table.
        rows: measures for so many rounds of so many seconds, and gives the table's rows.
        width: of the terminal, columns.
    """

    description: str
    report: Path
    introduction: str
    columns: tuple[str, ...]
    rows: Callable[[int, float, Console], Sequence[tuple[str, ...]]]
    width: int


def compare(benchmark: Comparison) -> None:
    """Run a benchmark as its command does."""
    parser = argparse.ArgumentParser(
        description=benchmark.description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of measurements (default: 3)")
    parser.add_argument("--seconds", type=float, default=4, help="length of each measurement (default: 4)")
    report = benchmark.report
    parser.add_argument("--write", action="store_true", help=f"also write the table to {report.relative_to(ROOT)}")
    options = parser.parse_args()
    try:
        rows = benchmark.rows(options.rounds, options.seconds, Console(stderr=True))
    except BenchError as error:
        fail(str(error))
    grid = Grid(f"one core, medians of {options.rounds} rounds", benchmark.columns, rows)
    show_grids([grid], Console(width=benchmark.width))
    if options.write:
        report.write_text(benchmark.introduction + grid.markdown() + "\n")


def fail(reason: str) -> NoReturn:
    """Print the reason to stderr and exit with status 1."""
    print(reason, file=sys.stderr)
    sys.exit(1)
