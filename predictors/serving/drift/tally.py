"""Counts of rows, in the bins of a reference."""

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from predictors.serving.artifacts.reference import Distribution, Reference
from predictors.serving.drift.columns import Columns, Values
from predictors.serving.drift.distance import least_rows


class Layout:
    """Where each value of a reference's columns is counted, in one array for all of them.

    Args:
        reference: says which bins there are.
    """

    def __init__(self, reference: Reference) -> None:
        self.distributions = reference.distributions
        widths = [len(each.counts) for each in self.distributions]
        *starts, self.size = accumulate(widths, initial=0)
        self._spans = {
            each.key: slice(start, start + width)
            for each, start, width in zip(self.distributions, starts, widths, strict=True)
        }
        self.least_rows = {each.key: least_rows(sum(map(bool, each.counts)), each.rows) for each in self.distributions}
        """How many rows of each distribution are needed to tell drift from chance; 0 if no number is enough."""
        self._places = {each.key: _placing(each) for each in self.distributions}

    def empty(self) -> NDArray[np.int64]:
        """No rows yet."""
        return np.zeros(self.size, dtype=np.int64)

    def count(self, columns: Columns, counts: NDArray[np.int64]) -> None:
        """Add rows to counts that `empty` gave, except columns that the reference lacks, or has as another kind."""
        for key, values in columns.items():
            placing = self._places.get(key)
            places = None if placing is None else placing.places(values)
            if places is not None:
                span = self._spans[key]
                counts[span] += np.bincount(places, minlength=span.stop - span.start)

    def part(self, distribution: Distribution, counts: NDArray[np.int64]) -> list[int]:
        """The counts of one distribution."""
        numbers: list[int] = counts[self._spans[distribution.key]].tolist()
        return numbers


class _Numbers:
    """Places of numbers between edges."""

    def __init__(self, edges: tuple[float, ...]) -> None:
        self._edges = np.array([*edges, np.inf])  # NumPy sorts NaN behind infinity: into the place for what is missing

    def places(self, values: Values) -> NDArray[np.intp] | None:
        return None if isinstance(values, list) else self._edges.searchsorted(values, side="right")


class _Categories:
    """Places of strings."""

    def __init__(self, categories: tuple[str, ...]) -> None:
        self._places: dict[str | None, int] = {category: place for place, category in enumerate(categories)}
        self._other = len(categories)

    def places(self, values: Values) -> list[int] | None:
        return [self._places.get(value, self._other) for value in values] if isinstance(values, list) else None


def _placing(distribution: Distribution) -> _Numbers | _Categories:
    return _Numbers(distribution.edges) if distribution.edges else _Categories(distribution.categories)
