"""What is queued of an answer."""

import time
from typing import Any

import numpy as np
import pytest

from predictors.serving.model.types import (
    Batch,
    ColumnBatch,
    FeatureBatch,
    Outputs,
    PromptBatch,
    TensorSpec,
    TextBatch,
)
from predictors.serving.request_log.backlog import Backlog
from predictors.serving.request_log.entry import Entry
from predictors.serving.request_log.watcher import Watcher
from predictors.serving.telemetry.call import Call
from tests.unit.serving.request_log.entries import FLOWER, Counted, Model

FLOWERS = FeatureBatch(np.zeros((3, 2)))


def new_call(bytes_in: int = 0) -> Call:
    call = Call("the-id", "/", "v1")
    call.version, call.bytes_in = "7", bytes_in
    return call


def queued(batch: Batch, outputs: Outputs, call: Call | None = None) -> Entry:
    """What a watcher queues that takes everything."""
    backlog = Backlog(Counted().counts)
    Watcher(Model(), 1.0, [backlog])(batch, outputs, call or new_call())
    (entry,) = backlog.take(10)
    return entry


def test_an_entry_says_what_was_asked_and_answered_and_when() -> None:
    call = new_call()
    time.sleep(0.01)
    before = time.time()
    entry = queued(FLOWERS, {"label": ["cat"] * 3, "points": [{"internal": 1}]}, call)
    assert before <= entry.answered <= time.time()
    assert entry.answered - entry.asked >= 0.01
    assert (entry.model, entry.version, entry.id, entry.input) == ("paced", "7", "the-id", FLOWER)
    assert entry.batch is FLOWERS
    assert entry.outputs == {"label": ["cat"] * 3}  # V2 knows no points


@pytest.mark.parametrize(
    ("batch", "at_least"),
    [
        (FeatureBatch(np.zeros((100, 2))), 1600),
        (TextBatch(["x" * 3000, "y" * 1000]), 4000),
        (ColumnBatch({"age": np.zeros(10), "city": ["x" * 1000, None]}), 1080),
        (PromptBatch([("user", "x" * 5000)]), 5000),
        (PromptBatch(text="x" * 5000), 5000),
    ],
)
def test_an_entry_is_as_large_as_its_values(batch: Batch, at_least: int) -> None:
    assert at_least <= queued(batch, {}).bytes <= at_least + 1000
    assert queued(batch, {"label": ["z" * 2000]}).bytes >= at_least + 2000


def test_an_entry_is_as_large_as_the_body_that_it_may_keep_in_memory() -> None:
    assert queued(FLOWERS, {}, new_call(bytes_in=4_000_000)).bytes >= 4_000_000


@pytest.mark.parametrize(("ratio", "expected"), [(0.0, []), (0.25, [0, 1]), (1.0, [0, 1, 2, 3])])
def test_a_share_is_taken(ratio: float, expected: list[int]) -> None:
    draws = iter([0.0, 0.249, 0.25, 0.999])
    backlog = Backlog(Counted().counts)
    watcher = Watcher(Model(), ratio, [backlog], lambda: next(draws))
    for i in range(4):
        call = new_call()
        call.id = str(i)
        watcher(FLOWERS, {}, call)
    assert [int(entry.id) for entry in backlog.take(9)] == expected


def test_each_sink_gets_the_entry_and_a_full_one_drops_it() -> None:
    counted: Any = Counted(), Counted()
    full, free = (Backlog(each.counts) for each in counted)
    for _ in range(2000):
        full.put(queued(FLOWERS, {}))
    Watcher(Model(), 1.0, [full, free])(FLOWERS, {}, new_call())
    assert [len(full), len(free)] == [2000, 1]
    assert [each.seen() for each in counted] == [{"dropped": 2}, {}]


def test_the_outputs_of_a_model_that_was_loaded_anew_are_its_own() -> None:
    model, backlog = Model(), Backlog(Counted().counts)
    watcher = Watcher(model, 1.0, [backlog])
    model.outputs = (TensorSpec("score", "FP64", (-1,)),)
    watcher(FLOWERS, {"score": np.zeros(3), "label": ["cat"]}, new_call())
    assert [*backlog.take(1)[0].outputs] == ["score"]
