"""How different what the canary answers is from what stable answers.

Two effects, both between 0 (the same) and 1 (nothing in common):

- of categories, the total variation distance: the largest difference of the shares of any set of categories; half
  of the sum of all differences;
- of a histogram, the Kolmogorov-Smirnov distance: the largest difference of the shares that are above any bound.

For a Fail: a distance of at most d claims of *every* set that its shares differ by at most d. We bet against the
claim about one set, the one that differs most so far, which earlier intervals alone choose; so the bets of
`evidence` apply, and nothing is lost for the number of sets.

For a Pass: a distance of at least d claims of *some* set that its shares differ by that much. For that set, the sum
over intervals of h (canary's share - stable's share), with h = n m / (n + m), has increments that are sub-Gaussian
with variance h/4, so the normal mixture bounds it at all looks: Robbins, "Statistical methods related to the law of
the iterated logarithm", 1970; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic
confidence sequences", 2021, section 3.2 (one-sided). The largest observed difference is at least the one of that
set, so it plus the bound's width is an upper end, again whatever the number of sets.
"""

import numpy as np

from predictors.rollout.judge.evidence import Events, Evidence, Guesser, on_difference
from predictors.rollout.judge.subject import Ends, Subject
from predictors.rollout.judge.tally import Block, Floats, Tally
from predictors.rollout.judge.verdict import Outcome

# Variance at which the normal mixture is the tightest, about; in units of h/4, for some hundred requests.
_MIXED = 10.0
_GUESSERS = (
    Guesser(canary=None, stable=None, strength=20, memory=0, capital=0.6),
    Guesser(canary=None, stable=None, strength=20, memory=1, capital=0.4),
)


class Distance:
    """An interval of a distance, and both variants' counts in the same cells.

    Args:
        subject: of the check.

    Attributes:
        past: the counts.
        shift: ``[K]``, the canary's share of each cell minus stable's, in the same intervals, weighted by h.
    """

    def __init__(self, subject: Subject) -> None:
        bound = min(subject.bound, 0.999)
        self.past = Tally(1, 1)
        self._sum: Floats = np.zeros(1)
        self._weight = 0.0
        self._grid = np.unique(np.append(np.linspace(0, 0.98, 50), bound))
        self._allowed = bound
        self._levels = subject.levels
        self._evidence = Evidence(self._grid, _GUESSERS, on_difference)
        self._most: Floats = np.full(len(self._grid), -np.inf)

    @property
    def shift(self) -> Floats:
        """See the class."""
        return self._sum / max(self._weight, 1e-12)

    def merge(self, matrix: Floats) -> None:
        """Put cells together; see `Tally`."""
        self.past.merge_canary(matrix)
        self.past.merge_stable(matrix)
        self._sum = matrix @ self._sum

    def add(self, block: Block, event: Floats) -> None:
        """Add an interval.

        Args:
            block: the interval.
            event: ``[K]``, the set of cells that differs most, as chosen before the interval.
        """
        if self.past.samples:
            self._evidence.add(self.past, block, Events(event[None, :], event[None, :]))
            # A claim that has been refuted once stays so.
            self._most = np.maximum(self._most, self._evidence.capital)
        self.past.add(block)
        n, m = block.sizes
        weight = float(n * m / (n + m))
        self._weight += weight
        self._sum = self._sum + weight * (block.canary / n - block.stable / m)

    def ends(self, observed: float) -> Ends:
        """The interval, by the observed distance."""
        refuted = np.flatnonzero(self._most >= -np.log(self._levels.fail))
        high = observed + self._width(self._weight)
        return Ends(float(self._grid[refuted[-1]]) if refuted.size else None, min(high, 1.0))

    def outcome(self, ends: Ends) -> Outcome:
        """Whether the bound is outside of the interval, and on which side."""
        low, high = ends
        if low is not None and low >= self._allowed:
            return Outcome.FAIL
        return Outcome.PASS if high is not None and high <= self._allowed else Outcome.NOT_YET

    def missing(self, observed: float) -> float | None:
        """About how many more observations of the canary are needed, None: too many."""
        # What is not proven yet is taken for chance, which fades as the root of the number of observations.
        proven = self._most[0] >= -np.log(self._levels.fail)
        for factor in np.geomspace(1.1, 1e4, 100):
            expected = observed if proven else observed / np.sqrt(factor)
            if self._width(self._weight * factor) <= abs(self._allowed - expected):
                return float(factor - 1) * self.past.samples
        return None

    def _width(self, weight: float) -> float:
        variance = weight / 4
        root = np.sqrt((variance + _MIXED) / _MIXED)
        return float(np.sqrt(2 * (variance + _MIXED) * np.log1p(root / (2 * self._levels.wrong_pass))) / weight)
