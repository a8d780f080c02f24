"""`predictors drift`: what logged requests say about drift."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from predictors.cli.console import errors, fail, plain_errors, print_json
from predictors.cli.loaded import load_predictor

if TYPE_CHECKING:
    from predictors.serving.drift.report import Report

DRIFTED = 2
"""The exit status where something has drifted."""
# As `predictors.serving.drift.distance.MAJOR_PSI`, whose module takes a second to import.
_THRESHOLD = 0.25

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="rich", help="Compare logged requests with a model's reference."
)


@app.callback()
def group() -> None:
    """Compare logged requests with a model's reference."""


@app.command()
def report(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files of logged requests: JSON lines with a CloudEvent each, or these by gzip."),
    ],
    artifact: Annotated[Path, typer.Option(help="Artifact directory of the model; its manifest has the reference.")],
    model: Annotated[
        str, typer.Option(help="Name of the model or InferenceService whose events count, if the files have several.")
    ] = "",
    threshold: Annotated[
        float, typer.Option(min=0, help="Population stability index from which a distribution has drifted.")
    ] = _THRESHOLD,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="HTML page to write, with the reference beside the rows now.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    trust_artifact: Annotated[
        bool,
        typer.Option("--trust_artifact", help="Load an artifact that is a joblib file, which runs the code in it."),
    ] = False,
) -> None:
    """Compare the requests and answers in files with an artifact's reference.

    [bold]A week of them[/bold]:
      predictors drift report requests-*.jsonl.gz --artifact artifacts/iris --output report.html

    Exit status 2 if something has drifted, 1 if there is nothing to compare, else 0, also where there are too few rows
    to tell. Rows count as often as they are in the files.
    """
    from predictors.serving.errors import ArtifactError, InvalidInput

    with plain_errors(ArtifactError, InvalidInput):
        found = _read(files, artifact, model, threshold, trust_artifact)
    if output is not None:
        _write(output, found)
    if as_json:
        print_json(found.as_json())
    else:
        _show(found)
    if found.drifts:
        raise typer.Exit(DRIFTED)


def _read(files: Sequence[Path], artifact: Path, model: str, threshold: float, trusted: bool) -> "Report":
    from predictors.serving.drift.report import Reader
    from predictors.serving.errors import ArtifactError

    predictor = load_predictor(artifact, trusted)
    if predictor.reference is None:
        raise ArtifactError(
            f"{artifact}: the manifest has no reference to compare with; train the model again, or pack it with "
            "--reference_rows"
        )
    reader = Reader(predictor, predictor.reference, model)
    with _reading(files) as advance:
        try:
            reader.read(files, advance)
        except OSError as error:
            fail(f"{error.filename or 'a file'} cannot be read: {error.strerror or error}")
    return reader.report(threshold)


@contextmanager
def _reading(files: Sequence[Path]) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how much has been read; gives a function to call with each number of further bytes."""
    total = sum(file.stat().st_size for file in files if file.is_file())
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("reading", total=total)
        yield lambda size: progress.update(task, advance=size)


def _write(output: Path, found: "Report") -> None:
    from predictors.serving.drift.page import render

    try:
        output.write_text(render(found), "utf-8")
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}")


def _show(found: "Report") -> None:
    from predictors.serving.drift.page import cells, summary

    console = Console(soft_wrap=True, highlight=False)
    table = Table("side", "feature", box=None, pad_edge=False, header_style="dim")
    for title in ("PSI", "by chance, up to", "JS", "rows"):
        table.add_column(title, justify="right")
    table.add_column("verdict")
    for comparison in found.comparisons:
        table.add_row(*map(_plain, cells(found, comparison)))
    console.print(table, soft_wrap=False)
    for line in summary(found):
        console.print(line, markup=False)


def _plain(text: str) -> str:
    """A cell's text without markup and control characters: names are what a manifest says."""
    from rich.markup import escape

    return escape("".join(character if character.isprintable() else "?" for character in text))
