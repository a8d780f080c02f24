"""The queue of copies, which is bounded."""

import asyncio

import pytest

from predictors.serving.model.types import TextBatch
from predictors.serving.shadow.copies import Copies, Copy
from tests.unit.serving.dispatch.test_registry import run
from tests.unit.serving.shadow.served import new_model

MODEL = new_model()
MIB = 2**20


def copy_of(size: int) -> Copy:
    return Copy(
        model=MODEL, url="http://x", batch=TextBatch(["a"]), outputs={}, id="id", version="1", traceparent="",
        allowed_seconds=60, patience_seconds=5, bytes=size,
    )  # fmt: skip


@pytest.mark.parametrize(("size", "fit"), [(1, 64), (MIB, 8), (5 * MIB, 1), (8 * MIB, 1), (8 * MIB + 1, 0)])
def test_it_is_bounded_by_number_and_by_bytes(size: int, fit: int) -> None:
    async def scenario() -> None:
        copies = Copies()
        assert [copies.put(copy_of(size)) for _ in range(100)] == [True] * fit + [False] * (100 - fit)
        for _ in range(fit):
            assert (await copies.get()).bytes == size
        assert copies.put(copy_of(8 * MIB))  # all is given back

    run(scenario())


def test_copies_come_in_order_and_are_waited_for() -> None:
    async def scenario() -> None:
        copies = Copies()
        waiting = asyncio.create_task(copies.get())
        await asyncio.sleep(0)
        assert not waiting.done()
        for size in (1, 2):
            copies.put(copy_of(size))
        assert (await waiting).bytes == 1
        assert (await copies.get()).bytes == 2

    run(scenario())
