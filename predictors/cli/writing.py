"""What commands that write an artifact share."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from predictors.cli.console import errors, fail

Version = Annotated[str, typer.Option(help="Version of the artifact.")]


def check_version(version: str) -> None:
    """Refuse a version that no URL can hold.

    Raises:
        typer.BadParameter: saying what is allowed.
    """
    from predictors.serving.artifacts.manifest import VERSION_PATTERN

    if not re.fullmatch(VERSION_PATTERN, version):
        raise typer.BadParameter("--version takes 1 to 64 letters, digits, dots, dashes and underscores")


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Turn errors of the file system into one sentence, and SIGTERM into Ctrl-C, so that nothing half-written stays.

    Args:
        directory: what is written.
    """
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except OSError as error:
        fail(f"{directory} cannot be written: {error.strerror or error}")
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def copying(total_bytes: int) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how much has been copied; gives a function to call with each number of further bytes."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("copying", total=total_bytes)
        yield lambda size: progress.update(task, advance=size)
