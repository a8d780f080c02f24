"""A process with one contender: it loads, then scores or times as requested, one JSON line for each request.

Started as ``python -m … KEY DIRECTORY``. The first line of its output is the memory that loading took, in bytes.
"""

import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.backends import contenders, inputs
from tests.benchmarks.backends.contenders import Score

LEAST_CALLS = 5
_EXAMPLES = {"iris": np.array([[5.1, 3.5, 1.4, 0.2]]), "intent": ["where is my parcel"]}


def resident_bytes() -> int:
    """The resident set of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def microseconds(score: Score, pool: Sequence[Any], size: int, seconds: float) -> float:
    """Median time of a call with ``size`` rows, different ones each time, for some seconds and at least `LEAST_CALLS`."""
    batches = itertools.cycle([pool[start : start + size] for start in range(0, len(pool) - size + 1, size)])
    score(next(batches))
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < LEAST_CALLS or time.perf_counter() < end:
        batch = next(batches)
        started = time.perf_counter()
        score(batch)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


def main() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    contender, directory = contenders.by_key(sys.argv[1]), Path(sys.argv[2])
    before = resident_bytes()
    score = contender.load(directory)
    score(_EXAMPLES[contender.model])
    _answer(resident_bytes() - before)
    kinds = inputs.read(directory, contender.model)
    pool = next(iter(kinds.values()))
    for line in sys.stdin:
        request = json.loads(line)
        if "score_to" in request:
            np.savez(request["score_to"], allow_pickle=False, **{name: score(rows) for name, rows in kinds.items()})
            _answer(None)
        else:
            _answer(microseconds(score, pool, request["size"], request["seconds"]))


def _answer(value: float | None) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
