"""Compares counts of rows with a reference, distribution by distribution."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictors.serving.artifacts.reference import Distribution
from predictors.serving.drift.distance import chance, jensen_shannon, population_stability
from predictors.serving.drift.tally import Layout


class Comparison(NamedTuple):
    """One distribution beside its reference.

    Args:
        distribution: of the reference.
        counts: of the rows now, in its bins.
        psi: population stability index; 0 without rows.
        js: Jensen-Shannon distance; 0 without rows.
        chance: what the index seldom exceeds without drift; infinity without rows.
        least_rows: how many rows are needed to tell; 0 if no number is enough.
    """

    distribution: Distribution
    counts: Sequence[int]
    psi: float
    js: float
    chance: float
    least_rows: int

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return sum(self.counts)

    @property
    def enough(self) -> bool:
        """Whether there are enough rows to tell drift from chance."""
        return 0 < self.least_rows <= self.rows


def compare(layout: Layout, counts: NDArray[np.int64]) -> Iterator[Comparison]:
    """Compare each distribution.

    Args:
        layout: of the reference.
        counts: as it has counted them.
    """
    for distribution in layout.distributions:
        now, then = layout.part(distribution, counts), distribution.counts
        bins = sum(map(bool, then))
        needed = layout.least_rows[distribution.key]
        if not sum(now):
            yield Comparison(distribution, now, 0.0, 0.0, float("inf"), needed)
            continue
        noise = chance(bins, sum(now), distribution.rows)
        yield Comparison(distribution, now, population_stability(now, then), jensen_shannon(now, then), noise, needed)
