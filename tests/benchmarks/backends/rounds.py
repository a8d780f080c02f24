"""Runs the contenders, each in its own process; only one works at a time."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from tests.benchmarks.backends.contenders import REFERENCE, Contender
from tests.live import ROOT

SIZES = (1, 8, 64, 512)
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Difference:
    """How far a contender is from scikit-learn on one kind of rows.

    Args:
        rows: how many were scored.
        largest: absolute difference of a probability.
        other_class: rows whose most probable class differs.
    """

    rows: int
    largest: float
    other_class: int


@dataclass
class Measured:
    """What was measured of a contender.

    Args:
        memory_bytes: what loading and a first prediction added to the resident set of a process with numpy.
        times: microseconds a call, one figure for each round, by rows in a call.
        differences: by kind of rows; empty for the reference and for whole predictors.
    """

    memory_bytes: int
    times: dict[int, list[float]] = field(default_factory=lambda: {size: [] for size in SIZES})
    differences: dict[str, Difference] = field(default_factory=dict)


class Process:
    """A worker.

    Args:
        process: has just been started.
        log: the file that its stderr goes to.
    """

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process, self._log = process, log
        self.memory_bytes = int(self._read())

    def ask(self, **request: Any) -> Any:
        """Send a request and wait for the answer.

        Raises:
            RuntimeError: the worker ended; with what it wrote to stderr.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker ended:\n{self._log.read_text()}")
        return json.loads(line)


@contextmanager
def running(contender: Contender, python: Path, directory: Path) -> Iterator[Process]:
    """Run a contender's process until the block ends."""
    interpreter = sys.executable if contender.needs is None else str(python)
    command = [interpreter, "-m", "tests.benchmarks.backends.worker", contender.key, str(directory)]
    log = directory / f"{contender.key}.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **_ONE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield Process(process, log)
        finally:
            process.kill()


class Schedule(NamedTuple):
    """How much is timed.

    Args:
        rounds: how often each batch size of each contender is timed.
        seconds: length of each measurement.
    """

    rounds: int
    seconds: float


def measure(
    contenders: Sequence[Contender], python: Path, directory: Path, schedule: Schedule, console: Console
) -> dict[Contender, Measured]:
    """Compare all contenders with scikit-learn, then time them in turn, round by round.

    Args:
        contenders: with scikit-learn before the others of its model.
        python: the Python executable of the environment that they need.
        directory: the prepared files.
        schedule: how much is timed.
        console: shows the progress.
    """
    with ExitStack() as stack:
        processes = {each: stack.enter_context(running(each, python, directory)) for each in contenders}
        found = {each: Measured(process.memory_bytes) for each, process in processes.items()}
        for each in contenders:
            if each.needs is not None:
                processes[each].ask(score_to=str(_scores(directory, each)))
                reference = next(one for one in contenders if (one.name, one.model) == (REFERENCE, each.model))
                if each is not reference:
                    found[each].differences = compare(_scores(directory, each), _scores(directory, reference))
        turns = [(size, each) for _ in range(schedule.rounds) for size in SIZES for each in contenders]
        for size, each in track(turns, "measuring", console=console):
            found[each].times[size].append(processes[each].ask(size=size, seconds=schedule.seconds))
    return found


def compare(scores: Path, reference: Path) -> dict[str, Difference]:
    """Compare two archives of probabilities, kind by kind."""
    differences = {}
    with np.load(scores) as ours, np.load(reference) as theirs:
        for kind in theirs.files:
            one, other = ours[kind], theirs[kind]
            differing = int((one.argmax(axis=1) != other.argmax(axis=1)).sum())
            differences[kind] = Difference(len(other), float(np.abs(one - other).max()), differing)
    return differences


def _scores(directory: Path, contender: Contender) -> Path:
    return directory / f"{contender.key}-scores.npz"
