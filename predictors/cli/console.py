"""What commands print: JSON on standard output; on standard error, one sentence before exit status 1."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console

errors = Console(stderr=True, highlight=False, soft_wrap=True)

# Packages that only the extra `train` brings.
_TRAINING_PACKAGES = ("joblib", "scipy", "sklearn")


def fail(message: str, status: int = 1) -> NoReturn:
    """Print an error and end the command.

    Raises:
        typer.Exit: always, with that status.
    """
    errors.print("[red]error:[/red] ", end="")
    errors.print(message, markup=False)
    raise typer.Exit(status)


@contextmanager
def plain_errors(*expected: type[Exception]) -> Iterator[None]:
    """Turn errors that a user can fix into one sentence and exit status 1.

    Args:
        expected: exceptions whose text is meant for the user. That scikit-learn is missing is always explained.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _TRAINING_PACKAGES:
            raise
        fail("scikit-learn is not installed: install kserve-predictors[train]")
    except expected as error:
        fail(str(error))


def printable(text: str) -> str:
    """Replace control characters, with which a document or a server could steer the terminal."""
    return "".join(each if each.isprintable() else " " for each in text)


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
