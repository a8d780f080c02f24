"""What the garbage collector is kept from looking at, and how often it looks at all of it."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from predictors.serving.garbage import Garbage
from tests.unit.serving.dispatch.test_batcher import Clock


class Cycle:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_all_is_looked_at_no_more_than_every_ten_minutes() -> None:
    clock = Clock()
    garbage = Garbage(clock.monotonic)
    first = weakref.ref(Cycle())
    garbage.exempt()
    assert first() is None
    second = weakref.ref(Cycle())
    clock.now += 599
    garbage.exempt()
    gc.collect()
    assert second() is not None  # it is skipped
    clock.now += 1
    garbage.exempt()
    assert second() is None
