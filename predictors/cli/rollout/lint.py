"""`predictors rollout lint`: what is wrong with an InferenceRollout before it is applied."""

import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from predictors.cli.cluster import Format, Output, sentences
from predictors.cli.console import fail, print_json
from predictors.cli.rollout import exits

_STDIN = "-"


class Line(NamedTuple):
    """A problem in a file.

    Args:
        line: from 1.
        field: its path, with dots.
        severity: error or warning.
        message: one sentence.
    """

    line: int
    field: str
    severity: str
    message: str


class Checked(NamedTuple):
    """An InferenceRollout of a file.

    Args:
        file, name: which.
        problems: in it.
        facts: what to expect of it.
    """

    file: str
    name: str
    problems: list[Line]
    facts: list[str]


def lint(
    files: Annotated[list[str], typer.Argument(help="YAML files; - is standard input.", show_default=False)],
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
    output: Output = Format.TEXT,
) -> None:
    """Check InferenceRollouts in files, without a cluster: errors, advice, how long they take and how much traffic.

    [bold]A file[/bold]:
      predictors rollout lint iris.yaml
    [bold]What a chart renders[/bold], in CI:
      helm template models charts/predictors -f values.yaml | predictors rollout lint --strict -

    Other kinds of objects are passed over.

    [bold]Exit status[/bold]: 0 nothing is wrong, 1 there are errors (with --strict: or
    warnings), or nothing to check.
    """
    found: list[Checked] = []
    with sentences():
        for file in files:
            found += _check(file)
    if not found:
        fail("there is no InferenceRollout in what was given")
    if output is Format.JSON:
        print_json([each._asdict() | {"problems": [one._asdict() for one in each.problems]} for each in found])
    else:
        for each in found:
            _print(each)
    severities = {problem.severity for each in found for problem in each.problems}
    if "error" in severities or (strict and severities):
        raise typer.Exit(exits.ERROR)


def _check(file: str) -> list[Checked]:
    from predictors.rollout.terminal.documents import BadYaml, rollouts
    from predictors.rollout.terminal.lint import lint as look

    found = []
    try:
        for document in rollouts(_text(file)):
            report = look(document.value)
            lines = [
                Line(document.line(path), ".".join(map(str, path)), "error" if is_error else "warning", message)
                for path, message, is_error in report.problems
            ]
            name = str((document.value.get("metadata") or {}).get("name") or "?")
            found.append(Checked(file, name, lines, list(report.facts)))
    except BadYaml as error:
        fail(f"{file}: {error}")
    return found


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == _STDIN else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")


def _print(checked: Checked) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for each in checked.problems:
        console.print(f"{checked.file}:{each.line}: ", end="", markup=False)
        console.print(each.severity, style="red" if each.severity == "error" else "yellow", end="")
        console.print(f": {each.field}: {each.message}", markup=False)
    console.print(f"{checked.name}: {'; '.join(checked.facts) if checked.facts else 'not valid'}", markup=False)
