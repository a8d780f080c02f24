"""How commands tell people what went wrong: one sentence on standard error, and exit status 1."""

from typing import NoReturn

import typer
from rich.console import Console

errors = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(message: str) -> NoReturn:
    """Print an error and end the command."""
    errors.print("[red]error:[/red] ", end="")
    errors.print(message, markup=False)
    raise typer.Exit(1)
