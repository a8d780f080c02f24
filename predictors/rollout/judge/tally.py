"""Counts of both variants in the same cells, as far as they have been seen."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# How many observations are remembered: all, and about the last 300, so that a canary that gets worse after a long
# good time is noticed.
MEMORIES = (1e18, 300.0)
_MEMORIES = np.array(MEMORIES)


class Block(NamedTuple):
    """Both variants in one interval.

    Args:
        canary, stable: ``[..., K]`` and ``[..., L]``, observations in each cell; cells of the two need not be the same.
        sizes: ``[...]``, how many there are of the canary, and of stable.
    """

    canary: Floats
    stable: Floats
    sizes: tuple[Floats, Floats]

    @classmethod
    def of(cls, canary: Floats, stable: Floats) -> "Block":
        """A block of these counts."""
        return cls(canary, stable, (canary.sum(axis=-1), stable.sum(axis=-1)))


class Tally:
    """Sums of blocks. Leading dimensions, if any, are rollouts side by side: simulations of many run fast.

    Args:
        canary: number of cells K.
        stable: number of cells L.
        rollouts: leading dimensions.

    Attributes:
        canary, stable: ``[..., M, K]`` and ``[..., M, L]``, with each of the memories.
        matched: ``[..., L]``, stable's counts if it had had, in each interval, as many requests as the canary: direct
            standardization. Only with this can rates be shown side by side when both the rate and the canary's weight
            change over time (Simpson's paradox).
    """

    def __init__(self, canary: int, stable: int, rollouts: tuple[int, ...] = ()) -> None:
        self.canary = np.zeros((*rollouts, len(MEMORIES), canary))
        self.stable = np.zeros((*rollouts, len(MEMORIES), stable))
        self.matched = np.zeros((*rollouts, stable))

    def add(self, block: Block) -> None:
        """Add an interval in which both variants were seen."""
        canary, stable = block.sizes
        self.canary = _faded(self.canary, canary) + block.canary[..., None, :]
        self.stable = _faded(self.stable, stable) + block.stable[..., None, :]
        self.matched = self.matched + block.stable * (canary / stable)[..., None]

    def merge_canary(self, matrix: Floats) -> None:
        """Put the canary's cells together: ``[new, old]``, 1 where an old cell becomes a part of the new one."""
        self.canary = self.canary @ matrix.T

    def merge_stable(self, matrix: Floats) -> None:
        """The same for stable's."""
        self.stable = self.stable @ matrix.T
        self.matched = self.matched @ matrix.T

    @property
    def samples(self) -> float:
        """The canary's observations, in all rollouts."""
        return float(self.canary[..., 0, :].sum())


def _faded(counts: Floats, coming: Floats) -> Floats:
    """Counts made smaller, where the memory would not hold those that come too."""
    totals = counts.sum(axis=-1)
    room = np.maximum(_MEMORIES - coming[..., None], 0)
    keep = np.minimum(room / np.maximum(totals, 1e-9), 1.0)
    faded: Floats = counts * keep[..., None]
    return faded
