"""Watches the answers of one model, and counts a sample of them.

A look at a batch takes some tens of microseconds, so about twenty batches a second at most are looked at, and some
rows of each. The time to the next look is random: whatever rhythm the callers have, each of their requests is as likely
to be looked at. All other batches cost a look at the clock.
"""

import logging
import random
import time
from collections.abc import Callable
from typing import NamedTuple

from predictors.serving.artifacts.reference import Reference
from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.drift.columns import input_columns, output_columns
from predictors.serving.drift.window import Window
from predictors.serving.model.types import Batch, Outputs, TextBatch
from predictors.serving.telemetry.call import Call

logger = logging.getLogger(__name__)

# The mean time between two looks, seconds.
_GAP_SECONDS = 0.05
# The time to the next look after one that failed, seconds: a fault is logged, and most are there each time.
_FAULT_SECONDS = 60.0
# The rows of a batch that are looked at; of texts, which take longer.
_MOST_ROWS, _MOST_TEXTS = 100, 5


class Seen(NamedTuple):
    """What was seen of a version of a model.

    Args:
        version: the model's.
        reference: its own.
        window: counts of the rows.
    """

    version: str
    reference: Reference
    window: Window


class Watcher:
    """Counts a sample of what a model answers, in the bins of the reference of the version that is loaded.

    Args:
        model: is watched.
        seconds: the window's length.
        clock: monotonic seconds.
        draw: a random number from 0 to 1, below 1.
    """

    def __init__(
        self,
        model: ServedModel,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.name = model.name
        self._model = model
        self._seconds = seconds
        self._clock = clock
        self._draw = draw
        self._next = 0.0  # before that time, nothing is looked at
        self._seen: Seen | None = None

    def __call__(self, batch: Batch, outputs: Outputs, call: Call) -> None:
        """Count a batch, or leave it."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + 2 * _GAP_SECONDS * self._draw()
        seen = self.seen()
        if seen is None:
            return
        try:
            self._count(seen.window, batch, outputs, now)
        except Exception:  # whatever is wrong with it must not cost a caller the answer
            logger.exception("model %s: drift cannot be measured", self.name)
            self._next = now + _FAULT_SECONDS

    def _count(self, window: Window, batch: Batch, outputs: Outputs, now: float) -> None:
        predictor = self._model.predictor
        step = -(-len(batch) // (_MOST_TEXTS if isinstance(batch, TextBatch) else _MOST_ROWS))
        rows = slice(int(self._draw() * step), None, step)
        columns = input_columns(predictor, batch, rows) | output_columns(predictor, outputs, rows)
        window.count(columns, len(range(len(batch))[rows]), now)

    def seen(self) -> Seen | None:
        """What was seen of the version that is loaded; None if it has no reference, or none is loaded."""
        predictor = self._model.predictor
        reference, version = predictor.reference, predictor.version
        if reference is None or not version:
            return None
        if self._seen is None or (version, reference) != self._seen[:2]:
            self._seen = Seen(version, reference, Window(reference, self._seconds))
        elif reference is not self._seen.reference:  # the model was loaded again; the same object is fast to compare
            self._seen = self._seen._replace(reference=reference)
        return self._seen

    @property
    def now(self) -> float:
        """Seconds on the watcher's clock."""
        return self._clock()
