"""Chooses which requests are copied. It runs on the way of a request, before its answer is written."""

import random
import time
from collections.abc import Callable
from sys import getsizeof

from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.model.types import Batch, Column, ColumnBatch, FeatureBatch, Outputs, PromptBatch
from predictors.serving.protocols.http import Request
from predictors.serving.shadow.canary import HEADER
from predictors.serving.shadow.copies import Copies, Copy
from predictors.serving.shadow.metrics import Outcome, ShadowMetrics
from predictors.serving.shadow.plan import Target
from predictors.serving.telemetry.call import Call

# Larger batches are not copied: to write them as JSON, and to read their answers, would hold up the event loop.
_MAX_ROWS = 1_000
_MAX_BYTES = 256 * 1024
# A canary is given up after so many times what the answer took here, but at least after so many seconds. Otherwise a
# canary that hangs would keep the few copies that may be under way until the callers' time limit.
_PATIENCE_FACTOR, _LEAST_PATIENCE_SECONDS = 10.0, 5.0
_HEADER = HEADER.encode()


class Sampler:
    """Puts a share of one model's requests on the queue.

    Args:
        model: the model here.
        target: the canary, and the share.
        copies: the queue.
        metrics: where dropped copies are counted.
        draw: a random number from 0 to 1, below 1.
    """

    def __init__(
        self,
        model: ServedModel,
        target: Target,
        copies: Copies,
        metrics: ShadowMetrics,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._model = model
        self._url = target.url
        self._share = target.percent / 100
        self._copies = copies
        self._metrics = metrics
        self._draw = draw

    def __call__(self, batch: Batch, outputs: Outputs, call: Call) -> None:
        """Take a request that was answered, or leave it."""
        if self._draw() >= self._share or not self._can_compare(batch, call):
            return
        if self._is_busy(call) or not self._queue(batch, outputs, call):
            self._metrics.count(self._model.name, call.version, Outcome.DROPPED)

    def _can_compare(self, batch: Batch, call: Call) -> bool:
        """Whether the canary could give an equal answer: computed now, and not by chance."""
        if isinstance(batch, PromptBatch) or call.cache not in ("", "miss"):
            return False
        if isinstance(call, Request) and _HEADER in call.headers:
            return False
        return self._model.predictor.is_deterministic(batch)

    def _is_busy(self, call: Call) -> bool:
        """Whether requests wait for the event loop or for the model, so that a copy would make them wait longer."""
        return call.ahead > 0 or self._model.in_flight >= self._model.predictor.workers

    def _queue(self, batch: Batch, outputs: Outputs, call: Call) -> bool:
        if len(batch) > _MAX_ROWS or (size := _bytes_of(batch)) > _MAX_BYTES:
            return False
        allowed = call.deadline - call.started
        taken = time.monotonic() - call.started
        copy = Copy(
            model=self._model,
            url=self._url,
            batch=batch,
            outputs=outputs,
            id=call.id,
            version=call.version,
            traceparent=call.trace.traceparent if call.trace is not None else "",
            allowed_seconds=allowed,
            patience_seconds=min(allowed, max(_LEAST_PATIENCE_SECONDS, _PATIENCE_FACTOR * taken)),
            bytes=size,
        )
        return self._copies.put(copy)


def _bytes_of(batch: Batch) -> int:
    if isinstance(batch, FeatureBatch):
        return batch.features.nbytes
    if isinstance(batch, ColumnBatch):
        return sum(map(_column_bytes, batch.columns.values()))
    assert not isinstance(batch, PromptBatch)  # noqa: S101  # it is left out before
    return sum(map(getsizeof, batch.texts))


def _column_bytes(column: Column) -> int:
    return sum(map(getsizeof, column)) if isinstance(column, list) else column.nbytes
