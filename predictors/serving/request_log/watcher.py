"""Chooses which requests are logged. It runs on the way of an answer, before that is written."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import Batch, Outputs
from predictors.serving.request_log.backlog import Backlog
from predictors.serving.request_log.entry import Entry, batch_bytes, column_bytes
from predictors.serving.telemetry.call import Call


class Watcher:
    """Queues a share of one model's requests, with their answers.

    Args:
        predictor: the model.
        ratio: the share.
        backlogs: the queue of each sink.
        draw: a random number from 0 to 1, below 1.
    """

    def __init__(
        self,
        predictor: Predictor[Any],
        ratio: float,
        backlogs: Sequence[Backlog],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._predictor = predictor
        self._ratio = ratio
        self._backlogs = backlogs
        self._draw = draw

    def __call__(self, batch: Batch, outputs: Outputs, call: Call) -> None:
        """Take a request that was answered, or leave it."""
        if self._draw() >= self._ratio:
            return
        entry = self._entry(batch, outputs, call)
        for backlog in self._backlogs:
            backlog.put(entry)

    def _entry(self, batch: Batch, outputs: Outputs, call: Call) -> Entry:
        predictor = self._predictor
        kept = {spec.name: outputs[spec.name] for spec in predictor.outputs if spec.name in outputs}
        answered = time.time()
        return Entry(
            model=predictor.name,
            version=call.version,
            id=call.id,
            input=predictor.input,
            batch=batch,
            outputs=kept,
            generates=predictor.generates,
            asked=answered - (time.monotonic() - call.started),
            answered=answered,
            # A batch may be a view of the request's body, all of which then stays in memory.
            bytes=max(batch_bytes(batch), call.bytes_in) + sum(map(column_bytes, kept.values())),
        )
