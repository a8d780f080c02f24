"""How all benchmarks show tables and progress, and how they fail."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, NoReturn

from rich.console import Console
from rich.table import Table


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


def fail(reason: str) -> NoReturn:
    """Print the reason to stderr and exit with status 1."""
    print(reason, file=sys.stderr)
    sys.exit(1)
