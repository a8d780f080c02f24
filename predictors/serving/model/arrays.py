"""From lists of numbers to arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Numbers converted at once. NumPy holds the GIL meanwhile: a million would keep the event loop from answering probes.
_AT_ONCE = 50_000


def to_array(values: Sequence[Any], dtype: np.dtype[Any], width: int = 0) -> NDArray[Any]:
    """Make an array, of many numbers in slices.

    Args:
        values: numbers, or rows of them.
        dtype: of the array.
        width: numbers in each row; 0 if there are no rows.

    Raises:
        OverflowError: an integer outside the range of the type.
    """
    step = _AT_ONCE // max(width, 1) or 1
    if len(values) <= step:
        return np.array(values, dtype=dtype)
    array = np.empty((len(values), width) if width else len(values), dtype=dtype)
    for start in range(0, len(values), step):
        array[start : start + step] = values[start : start + step]
    return array
