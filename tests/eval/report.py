"""Results as tables, on the terminal and in files."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.eval import Result, averages
from tests.eval.strategies import STRATEGIES

ROWS = (*STRATEGIES, "lead", "oracle")
COLUMNS = (
    *("document", "strategy", "facts said", "points", "wrong", "trivial", "repeated", "unclear", "off topic"),
    *("absent said", "quoted", "length", "seconds", "tokens read", "written"),
)


# Below this, shares are shown with a decimal.
_EXACT = 0.1


@dataclasses.dataclass(frozen=True)
class Report:
    """What an evaluation found.

    Args:
        results: one per document and strategy.
        failures: what the server failed to do.
        model_version: the version that was evaluated.
        explanations: texts for the page, by their titles.
    """

    results: Sequence[Result]
    failures: Sequence[str]
    model_version: str
    explanations: Mapping[str, str]

    def show(self) -> None:
        """Print the tables."""
        for title, rows in tables(self.results).items():
            shown = Table(*COLUMNS, title=title)
            for row in rows:
                shown.add_row(*row)
            Console(width=180).print(shown)

    def write(self, directory: Path) -> None:
        """Write ``eval.json``, with every point and its fault, and ``eval.md``."""
        directory.mkdir(parents=True, exist_ok=True)
        content = {
            "model_version": self.model_version,
            "overall": {each: averages(found) for each, found in by_strategy(self.results).items()},
            "results": [dataclasses.asdict(result) for result in self.results],
            "failures": self.failures,
        }
        (directory / "eval.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (directory / "eval.md").write_text(self.markdown(), "utf-8")

    def markdown(self) -> str:
        """The tables and the explanations as a page."""
        lines = ["# How much summaries say", "", f"Written by `make eval`; model version {self.model_version}.", ""]
        for title, rows in tables(self.results).items():
            cells = [COLUMNS, ["---"] * 2 + ["---:"] * (len(COLUMNS) - 2), *rows]
            lines += [f"## {title}", "", *(f"| {' | '.join(row)} |" for row in cells), ""]
        explained = [f"## {title}\n\n{text}" for title, text in self.explanations.items()]
        return "\n".join([*lines, *explained])


def by_strategy(results: Sequence[Result]) -> dict[str, list[Result]]:
    """The results of each strategy that has some."""
    each = {strategy: [result for result in results if result.strategy == strategy] for strategy in ROWS}
    return {strategy: found for strategy, found in each.items() if found}


def tables(results: Sequence[Result]) -> dict[str, list[list[str]]]:
    """Rows of the overall table and of the table by document, by their titles."""
    names = list(dict.fromkeys(result.document for result in results))
    each = (table([result for result in results if result.document == name], "micro", name) for name in names)
    return {"Overall": [*table(results, "micro"), *table(results, "macro")], "By document": [*chain(*each)]}


def table(results: Sequence[Result], average: str, name: str = "") -> list[list[str]]:
    """A row for each strategy.

    Args:
        results: of some documents.
        average: ``micro`` or ``macro``.
        name: what to call the documents; the average and their number by default.
    """
    found = by_strategy(results)
    return [
        [name or f"{average}, {len(mine)} documents", _label(strategy, mine), *_cells(mine, average)]
        for strategy, mine in found.items()
    ]


def _label(strategy: str, results: Sequence[Result]) -> str:
    """A strategy with the modes that it came down to."""
    modes = sorted({result.summary.mode for result in results} - {strategy, ""})
    return f"{strategy} ({', '.join(modes)})" if modes else strategy


def _cells(results: Sequence[Result], average: str) -> list[str]:
    """A strategy's figures."""
    figures = averages(results)
    counts = [str(figures[key]) for key in ("repeats", "unclear", "off_topic", "absent_claimed")]
    return [
        percent(figures["recall"][average]),
        str(figures["points"]),
        percent(figures["wrong"]),
        percent(figures["trivial"]),
        *counts,
        percent(figures["quoted"]),
        percent(figures["length"]),
        f"{figures['seconds']:.1f}",
        str(figures["prompt_tokens"]),
        str(figures["completion_tokens"]),
    ]


def percent(share: float | None) -> str:
    """A share as it is shown."""
    if share is None:
        return "–"
    return f"{share:.1%}" if 0 < share < _EXACT else f"{share:.0%}"
