"""The window: what slides out of it, how much memory it takes, and how seldom it raises a false alarm."""

import numpy as np
import pytest

from predictors.serving.artifacts.reference import Reference
from predictors.serving.drift.compare import compare
from predictors.serving.drift.distance import MAJOR_PSI
from predictors.serving.drift.reference import make_reference
from predictors.serving.drift.window import SLOTS, Window
from predictors.serving.model.types import FloatArray

HOUR = 3600.0


def reference_of(values: FloatArray) -> Reference:
    return make_reference({("input", "x"): values}, "")


def add(window: Window, values: FloatArray, now: float) -> None:
    window.count({("input", "x"): values}, len(values), now)


@pytest.fixture
def window() -> Window:
    return Window(reference_of(np.arange(100.0)), HOUR)


def test_rows_leave_after_the_window(window: Window) -> None:
    for minute in range(0, 60, 5):
        add(window, np.zeros(1), 60.0 * minute)
    assert [window.rows(60.0 * minute) for minute in (59, 60, 62, 65, 115, 10**6)] == [12, 11, 11, 10, 0, 0]
    assert not window.counts(60.0 * 10**6).any()


def test_a_long_pause_empties_it_and_it_fills_again(window: Window) -> None:
    add(window, np.zeros(7), 0.0)
    add(window, np.zeros(3), 1000 * HOUR)
    assert window.rows(1000 * HOUR) == window.counts(1000 * HOUR).sum() == 3


def test_it_begins_at_any_time() -> None:
    window = Window(reference_of(np.arange(100.0)), HOUR)
    add(window, np.zeros(2), 123_456.7)
    assert window.rows(123_456.7) == 2


def test_its_memory_is_fixed(window: Window) -> None:
    kept = window._slots  # what holds the rows
    for step in range(200):
        add(window, np.full(1000, 50.0), 100.0 * step)
    assert window._slots is kept
    assert kept.shape == (SLOTS, window.layout.size)
    assert window.rows(19_900.0) == kept.sum()


def test_columns_that_the_reference_lacks_or_has_as_another_kind_are_left_out(window: Window) -> None:
    window.count({("input", "y"): np.zeros(5), ("output", "x"): np.zeros(5), ("input", "x"): ["a"] * 5}, 5, 0.0)
    assert window.rows(0.0) == 5
    assert not window.counts(0.0).any()


def told(window: Window, now: float) -> float | None:
    """The index, once there are rows enough to tell."""
    (comparison,) = compare(window.layout, window.counts(now))
    return comparison.psi if comparison.enough else None


def test_no_drift_is_no_alarm_and_a_shift_is_one() -> None:
    """A server's life of 1,000 windows: the reference is a sample like each window's rows, which are as few as may be."""
    random = np.random.default_rng(5)
    same, shifted, silent = [], [], 0
    for life in range(250):
        reference = reference_of(random.normal(size=150))
        window = Window(reference, HOUR)
        for hour in range(4):
            now = HOUR * (4 * life + hour + 1)
            window = Window(reference, HOUR)
            while (index := told(window, now)) is None:
                add(window, random.normal(size=20), now)
                silent += 1
            same.append(index)
        add(window, random.normal(1.5, size=2 * window.rows(now)), now)
        shifted.append(told(window, now))
    assert silent > 1000
    assert np.mean(np.array(same) > MAJOR_PSI) <= 0.003
    assert np.mean(np.array(shifted, dtype=np.float64) > MAJOR_PSI) > 0.95
