"""Buckets that change: pods of different versions may export other bounds."""

import numpy as np

from predictors.rollout.judge.tally import Floats
from predictors.rollout.signals import Distribution


class Buckets:
    """The bounds that all distributions so far have in common.

    Attributes:
        bounds: ``[B]``, ascending; empty: none in common, or nothing seen.
    """

    def __init__(self) -> None:
        self.bounds: Floats = np.zeros(0)
        self._given: tuple[float, ...] | None = None

    def narrow(self, bounds: tuple[float, ...]) -> Floats | None:
        """Leave out what these bounds do not have.

        Returns:
            ``[new, old]``, 1 where an old bucket becomes a part of a new one; None: nothing changed.
        """
        if bounds == self._given:
            return None
        old, given = self.bounds, np.array(bounds, dtype=float)
        self.bounds = given if self._given is None else np.intersect1d(old, given)
        self._given = bounds
        return _merging(old, self.bounds)

    def counts(self, distribution: Distribution) -> Floats:
        """``[B + 1]``, a distribution's observations in these buckets."""
        counts: Floats = np.maximum(np.array(distribution.counts, dtype=float), 0)
        if len(distribution.bounds) == len(self.bounds):
            return counts
        merged: Floats = _merging(np.array(distribution.bounds), self.bounds) @ counts
        return merged


def _merging(old: Floats, new: Floats) -> Floats:
    """Old buckets by the new bucket that holds them; without new bounds, all are one."""
    places = np.append(np.searchsorted(new, old), len(new))
    matrix = np.zeros((len(new) + 1, len(old) + 1))
    matrix[places, np.arange(len(old) + 1)] = 1
    return matrix


def above(bounds: Floats, thresholds: Floats) -> Floats:
    """``[G, B + 1]``, the share of each bucket that is above each threshold, if logarithms are spread evenly inside
    of buckets.

    The first bucket is taken to begin at a quarter of its end; what is above all bounds counts as above all
    thresholds.
    """
    ends = np.log(np.maximum(bounds, 1e-12))
    starts = np.concatenate([[ends[0] - np.log(4)], ends[:-1]])
    at = np.log(np.maximum(thresholds, 1e-12))[:, None]
    inside = np.clip((ends - at) / np.maximum(ends - starts, 1e-12), 0, 1)
    return np.hstack([inside, np.ones((len(thresholds), 1))])


def surely_above(bounds: Floats, thresholds: Floats) -> Floats:
    """``[G, B + 1]``, 1 for buckets that are above each threshold as a whole."""
    starts = np.concatenate([[-np.inf], bounds])
    # Bounds that were printed and read again still are the same bounds.
    return (starts >= thresholds[:, None] * (1 - 1e-9)).astype(float)


def quantile(bounds: Floats, counts: Floats, share: float) -> float:
    """The value below which a share of the observations is, with the logarithm interpolated inside of its bucket; at
    most the last bound."""
    total = np.cumsum(counts)
    goal = share * total[-1]
    place = int(np.searchsorted(total, goal))
    if place >= len(bounds):
        return float(bounds[-1])
    end = np.log(max(bounds[place], 1e-12))
    start = np.log(max(bounds[place - 1], 1e-12)) if place else end - np.log(4)
    before = total[place - 1] if place else 0.0
    inside = (goal - before) / counts[place] if counts[place] > 0 else 1.0
    return float(np.exp(start + inside * (end - start)))
