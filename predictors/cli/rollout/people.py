"""Whoever looks on while `predictors rollout run` drives: a person at a terminal, or the log of a pipeline."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

import typer
from rich.console import Console
from rich.live import Live

from predictors.cli.console import errors
from predictors.cli.rollout.lines import Lines
from predictors.cli.rollout.view import Picture

if TYPE_CHECKING:
    from predictors.rollout.driver import Job


class Onlooker:
    """A person at a terminal: sees a picture that changes, and is asked.

    Args:
        job: the rollout.
    """

    def __init__(self, job: "Job") -> None:
        self._job = job
        self._live = self._new()

    def __enter__(self) -> "Onlooker":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, status: dict[str, Any]) -> None:
        """See where the rollout is."""
        target = self._job.target
        picture = Picture(target.namespace, target.name, status, self._job.spec.strategy, time.time())
        self._live.update(picture, refresh=True)

    def warn(self, message: str) -> None:
        """Read about something that is tried again."""
        self._live.console.print(message, style="yellow", markup=False)

    def agrees(self, question: str) -> bool:
        """Answer a question."""
        self._live.stop()
        answer = typer.confirm(question)
        self._live = self._new()
        self._live.start()
        return answer

    @staticmethod
    def _new() -> Live:
        return Live(console=Console(highlight=False), auto_refresh=False, vertical_overflow="crop")


class Log:
    """Nobody: lines of a log.

    Args:
        stream: takes them.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines = Lines(self._write, time.time)

    def __enter__(self) -> "Log":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def show(self, status: dict[str, Any]) -> None:
        """Write what is new."""
        self._lines.show(status)

    def warn(self, message: str) -> None:
        """Write it."""
        errors.print(message, markup=False)

    def agrees(self, question: str) -> bool:
        """Nobody is there to answer."""
        return False

    def _write(self, line: str) -> None:
        self._stream.write(line)
        self._stream.flush()
