"""How much memory models take, compared with what Python's own count of allocations says."""

import gc
import tracemalloc

import numpy as np
import pytest

from predictors.intent.model import IntentPredictor
from predictors.iris.model import IrisPredictor
from predictors.serving.model.footprint import footprint
from predictors.serving.settings import Source
from tests.live import ARTIFACTS


@pytest.mark.parametrize("kind", [IrisPredictor, IntentPredictor])
def test_a_model_takes_about_what_its_allocations_do(kind: type[IrisPredictor] | type[IntentPredictor]) -> None:
    source = Source(ARTIFACTS / kind.kind)
    kind("first", source).load()  # what is made once, whatever is loaded
    gc.collect()
    tracemalloc.start()
    try:
        model = kind("second", source)
        model.load()
        gc.collect()
        allocated, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert allocated / 1.5 <= model.memory()["model"] <= 1.5 * allocated


def test_everything_counts_once_and_views_with_what_they_show() -> None:
    class Holder:
        def __init__(self) -> None:
            self.array = np.zeros(100_000)
            self.views = [self.array[:10], self.array[5:]]
            self.itself = self
            self.module = np

    assert 800_000 < footprint(Holder()) < 802_000
    assert 800_000 < footprint([np.zeros(100_000)[:1]]) < 802_000
