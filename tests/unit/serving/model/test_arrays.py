"""Arrays made in slices are those that NumPy makes at once."""

from typing import Any

import numpy as np
import pytest

from predictors.serving.model import arrays
from predictors.serving.model.arrays import to_array

FLOAT, SMALL = np.dtype(np.float64), np.dtype(np.int8)


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_AT_ONCE", 6)


@pytest.mark.parametrize("count", [0, 1, 6, 7, 13])
def test_numbers(count: int) -> None:
    values: list[Any] = [*range(count)]
    for dtype in (FLOAT, SMALL, np.dtype(np.bool_)):
        array = to_array(values, dtype)
        assert array.dtype == dtype
        assert array.tolist() == np.array(values, dtype=dtype).tolist()


@pytest.mark.parametrize("count", [1, 3, 4, 10])
def test_rows(count: int) -> None:
    rows = [[row, row + 0.5] for row in range(count)]
    assert to_array(rows, FLOAT, 2).tolist() == rows


def test_rows_wider_than_a_slice() -> None:
    rows = [[*range(20)] for _ in range(3)]
    assert to_array(rows, FLOAT, 20).tolist() == rows


def test_a_number_out_of_range_in_any_slice() -> None:
    with pytest.raises(OverflowError):
        to_array([0] * 12 + [300], SMALL)
    with pytest.raises(OverflowError):
        to_array([0] * 12 + [10**400], FLOAT)
