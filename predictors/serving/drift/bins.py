"""Which bins to count a column in: as many as the rows of the reference can tell apart."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from predictors.serving.artifacts.reference import MAX_BINS
from predictors.serving.drift.distance import least_rows
from predictors.serving.model.types import FloatArray

# More tell no more of a shift, and each adds its noise.
_MOST_BINS = 10
# The least rows of the reference in a bin. Source: W. Cochran, "Some Methods for Strengthening the Common Chi-Square
# Tests", Biometrics 10 (1954).
_LEAST_IN_BIN = 5
# A window needs at most this many times the rows of the reference.
_MOST_TIMES = 2
# How far beside its only value a column's edges lie, as a part of it, and at least: FP32 holds a number to 6e-8 of it,
# and none that is smaller than 1e-45.
_BESIDE, _TINY = 1e-6, 1e-44
_LARGEST = float(np.finfo(np.float64).max)


def affordable_bins(rows: int) -> int:
    """How many bins a reference of so many rows has at most; 0 if it has too few rows for two.

    So many that a window with at most twice its rows is told from chance.
    """
    if not rows:
        return 0
    return max(
        (bins for bins in range(2, _MOST_BINS + 1) if 0 < least_rows(bins, rows) <= _MOST_TIMES * rows), default=0
    )


def least_reference_rows() -> int:
    """How many rows a reference must have."""
    return next(rows for rows in range(2, 1000) if affordable_bins(rows))


def edges_of(values: FloatArray, bins: int) -> tuple[float, ...]:
    """Edges between bins of about equally many rows.

    An edge lies halfway between two values that are there, so that a value that comes as FP32 falls into the same bin.
    A value that many rows share has a bin of its own.

    Args:
        values: finite float64, ``[N]``.
        bins: the most bins.
    """
    distinct, counts = np.unique(values, return_counts=True)
    until = np.cumsum(counts)[:-1]
    levels = len(values) * np.arange(1, bins) / bins
    chosen = sorted({int(np.abs(until - level).argmin()) for level in levels}) if len(until) else []
    places: list[int] = []
    for place in chosen:
        below = until[place] - (until[places[-1]] if places else 0)
        if min(below, len(values) - until[place]) >= _LEAST_IN_BIN:
            places.append(place)
    if places:
        between = (distinct[place] / 2 + distinct[place + 1] / 2 for place in places)
        return tuple(sorted({float(each) for each in between}))
    return _around(float(distinct[0]), float(distinct[-1]))


def _around(low: float, high: float) -> tuple[float, ...]:
    """Edges just outside the only bin."""
    below, above = low - max(abs(low) * _BESIDE, _TINY), high + max(abs(high) * _BESIDE, _TINY)
    return max(below, -_LARGEST), min(above, _LARGEST)


def categories_of(values: Iterable[str | None], bins: int, known: Sequence[str] = ()) -> tuple[str, ...]:
    """The categories to count: the most frequent, if there are too many; the rest is among the others.

    Args:
        values: of each row; None where there is none.
        bins: the most categories, the others among them.
        known: values that there may be, too.
    """
    counts = Counter(dict.fromkeys(known, 0))
    counts.update(value for value in values if value is not None)
    used = sum(map(bool, counts.values()))
    if used <= bins and len(counts) < MAX_BINS:
        return tuple(sorted(counts))
    return tuple(sorted(value for value, _ in counts.most_common(bins - 1)))
