"""Tables → one line a row, in which each cell stands beside the header of its column: "Plan: Basic; Fee: 5 euros."."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MOST_CELLS = 200_000  # in the grid of one table; more are left out
_WIDEST = 200  # columns
_LONGEST_HEADER = 60  # characters of a cell in a first row that may be headers
_ENDS = ".!?:;,"


@dataclass(slots=True)
class Cell:
    """A cell.

    Args:
        text: what is in it, on one line.
        header: whether it is marked as a header.
        across, down: how many columns and rows it takes.
    """

    text: str
    header: bool = False
    across: int = 1
    down: int = 1


def table_rows(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """The lines of a table.

    Args:
        rows: the cells that each row begins.
    """
    grid = _grid(rows)
    count = _header_rows(grid)
    headers = [_header(grid[:count], column) for column in range(max(map(len, grid), default=0))]
    for row in grid[:count] if count == len(grid) else grid[count:]:
        if line := _line(row, headers if count < len(grid) else []):
            yield line


def _grid(rows: Sequence[Sequence[Cell]]) -> list[list[Cell | None]]:
    """The cell at each place, with those that take several places at each of them."""
    grid: list[list[Cell | None]] = [[] for _ in rows]
    places = 0
    for number, row in enumerate(rows):
        column = 0
        for cell in row:
            while column < len(grid[number]) and grid[number][column] is not None:
                column += 1
            across = max(1, min(cell.across, _WIDEST - column))
            down = max(1, min(cell.down, len(rows) - number))
            places += across * down
            if places > _MOST_CELLS or column >= _WIDEST:
                break
            for line in grid[number : number + down]:
                line += [None] * (column + across - len(line))
                line[column : column + across] = [cell] * across
            column += across
    return grid


def _header_rows(grid: Sequence[Sequence[Cell | None]]) -> int:
    """How many rows at the top are headers."""
    marked = 0
    while marked < len(grid) and _is_header(grid[marked]):
        marked += 1
    if marked == len(grid):  # all are marked: the first row is the header if there are several columns
        return min(1, len(grid) - 1)
    return marked or _unmarked_header(grid)


def _is_header(row: Sequence[Cell | None]) -> bool:
    """Whether all cells of a row besides the first, which may name the table, are headers."""
    rest = [cell for cell in row[1:] if cell is not None and cell.text] or [cell for cell in row if cell is not None]
    return bool(rest) and all(cell.header for cell in rest)


def _unmarked_header(grid: Sequence[Sequence[Cell | None]]) -> int:
    """1 if the first row reads like headers: short texts without numbers above rows with some."""
    texts = [[cell.text if cell else "" for cell in row] for row in grid]
    if len(texts) < 2 or len(texts[0]) < 2 or any(cell and cell.header for row in grid for cell in row):
        return 0
    first = texts[0]
    short = all(text and len(text) <= _LONGEST_HEADER for text in first[1:])
    numbers = sum(any(map(_has_digit, row[1:])) for row in texts[1:])
    return int(
        short and not any(map(_has_digit, first)) and 2 * numbers >= len(texts) - 1 and not first[0][:1].islower()
    )


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _header(rows: Sequence[Sequence[Cell | None]], column: int) -> str:
    """The header of a column, from the outermost to the innermost."""
    names: list[str] = []
    for row in rows:
        cell = row[column] if column < len(row) else None
        if cell and cell.text and cell.text not in names:
            names.append(cell.text)
    return ", ".join(names)


def _line(row: Sequence[Cell | None], headers: Sequence[str]) -> str:
    parts: list[str] = []
    column = 0
    while column < len(row):
        cell, start = row[column], column
        while column < len(row) and row[column] is cell:
            column += 1
        if cell and cell.text:
            named = dict.fromkeys(name for name in headers[start:column] if name)
            whole = start == 0 and column == len(row) and len(row) > 1
            parts.append(cell.text if whole else _named(", ".join(named), cell.text))
    if len(parts) == 2 and not any(headers) and len(parts[0]) <= 2 * _LONGEST_HEADER:
        parts = [_named(*parts)]
    line = "; ".join(part.rstrip(".;") for part in parts[:-1]) + ("; " if len(parts) > 1 else "") + "".join(parts[-1:])
    return line if not line or line[-1] in _ENDS else f"{line}."


def _named(name: str, text: str) -> str:
    if not name or name == text:
        return text
    return f"{name} {text}" if name[-1] in ":?" else f"{name}: {text}"
