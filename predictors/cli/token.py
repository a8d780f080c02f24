"""`predictors token`: make a token, and the line that lets a server accept it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from predictors.cli.console import errors, fail


def token(
    name: Annotated[str, typer.Argument(help="Who gets it; rate limits count by this name, and logs show it.")],
    models: Annotated[
        str, typer.Option(help="Models that it allows, with commas between them; * is all, +repository to load them.")
    ] = "*",
    append_to: Annotated[
        Path | None, typer.Option("--append_to", help="File of digests to add the line to (--token_digests_file).")
    ] = None,
) -> None:
    """Make a token. It is shown once: the server's file holds its digest only.

    predictors token shop --models iris,intent --append_to token-digests
    """
    from predictors.serving.access.token_file import line_of, new_token

    made = new_token()
    try:
        line = line_of(made, name, models)
    except ValueError as error:
        fail(str(error).replace("line 1", "the line", 1))
    if append_to is None:
        errors.print("The line for the server's file of digests:")
        errors.print(line, markup=False)
        errors.print("The token:")
    else:
        _append(append_to, line)
    sys.stdout.write(made + "\n")


def _append(path: Path, line: str) -> None:
    try:
        before = path.read_text("utf-8") if path.exists() else ""
        gap = "" if before.endswith("\n") or not before else "\n"
        path.write_text(f"{before}{gap}{line}\n", "utf-8")
    except (OSError, UnicodeError) as error:
        fail(f"{path} cannot be written: {error}")
