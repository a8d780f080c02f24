"""What a prediction costs in process, without a protocol: ``make bench-rows``."""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table

from predictors.intent.model import IntentPredictor
from predictors.iris.model import IrisPredictor
from predictors.serving.model.types import FeatureBatch, Job, TextBatch
from predictors.serving.settings import Source
from tests.live import ARTIFACTS

FLOWER = [5.1, 3.5, 1.4, 0.2]
TEXT = "where is my parcel it should have been here on monday"
SIZES = (1, 8, 64, 512)


def microseconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of a call, over at least 20 calls."""
    work()
    times = []
    for _ in range(max(20, repeats)):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--repeats",
        type=int,
        default=300,
        help="rows to predict for each batch size, in at least 20 calls (default: 300)",
    )
    repeats = parser.parse_args().repeats
    iris, intent = (
        IrisPredictor("iris", Source(ARTIFACTS / "iris")),
        IntentPredictor("intent", Source(ARTIFACTS / "intent")),
    )
    iris.load()
    intent.load()
    job = Job(time.monotonic() + 3600)
    table = Table("rows", "iris", "intent", "iris, a row", "intent, a row", title="microseconds a batch, medians")
    for size in SIZES:
        flowers, texts = FeatureBatch(np.array([FLOWER] * size)), TextBatch([TEXT] * size)
        times = (
            microseconds(partial(iris.infer, flowers, job), repeats // size),
            microseconds(partial(intent.infer, texts, job), repeats // size),
        )
        table.add_row(str(size), *(f"{time:.0f}" for time in times), *(f"{time / size:.1f}" for time in times))
    Console().print(table)


if __name__ == "__main__":
    main()
