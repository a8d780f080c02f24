"""A request that was answered, as it waits to be logged."""

from sys import getsizeof
from typing import NamedTuple

from predictors.serving.model.types import Batch, Column, ColumnBatch, FeatureBatch, Input, Outputs, TextBatch

EVENTS = 2
"""Of each entry: one about the request, one about the answer."""


class Entry(NamedTuple):
    """A request and its answer.

    Args:
        model, version: which answered.
        id: the request's.
        input: what the model takes.
        batch: what was asked.
        outputs: what was answered, of the outputs that V2 has.
        generates: whether the model writes texts.
        asked, answered: seconds since the epoch.
        bytes: how much memory it takes.
    """

    model: str
    version: str
    id: str
    input: Input
    batch: Batch
    outputs: Outputs
    generates: bool
    asked: float
    answered: float
    bytes: int


def column_bytes(column: Column) -> int:
    """The memory that a column takes."""
    return sum(map(getsizeof, column)) if isinstance(column, list) else column.nbytes


def batch_bytes(batch: Batch) -> int:
    """The memory that a batch takes."""
    if isinstance(batch, FeatureBatch):
        return batch.features.nbytes
    if isinstance(batch, ColumnBatch):
        return sum(map(column_bytes, batch.columns.values()))
    if isinstance(batch, TextBatch):
        return column_bytes(batch.texts)
    return getsizeof(batch.text) + sum(getsizeof(content) for _, content in batch.messages)
