"""Two bodies of evidence, one from each side, make an interval of an effect, and an outcome."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictors.rollout.judge.evidence import Events, Evidence, Guesser, Projection
from predictors.rollout.judge.tally import Block, Floats, Tally
from predictors.rollout.judge.verdict import Outcome

# Natural logarithm of what a capital may keep above what a Pass needs. A canary that gets worse later loses a Pass
# after a few bad requests, not after as many as were good.
_SPARE = 2.0


class Levels(NamedTuple):
    """Probabilities of error, over all looks.

    Args:
        fail: of a wrong Fail: a check's share of 1 - confidence, since any wrong Fail of any check rolls back (union
            bound).
        wrong_pass: of a wrong Pass: 1 - confidence, for every check. A bad canary is promoted only if the check that
            it ought to fail passes it, so nothing has to be
            shared out (intersection-union test: Berger, "Multiparameter hypothesis testing and acceptance sampling",
            1982).
    """

    fail: float
    wrong_pass: float


class Claims(NamedTuple):
    """What the evidence is against, for each effect of a grid.

    Args:
        effects: ``[G]``, ascending.
        limits: ``[G]``, how large the canary's rate is at most if the effect is at most that; as the projection has
            it.
        opposites: ``[G]``, the same of the opposite event if the effect is at least that.
        allowed: index of the effect that is the bound.
    """

    effects: Floats
    limits: Floats
    opposites: Floats
    allowed: int


class Bracket:
    """An interval of an effect that holds at every look.

    Args:
        claims: the grid.
        levels: of error.
        guessers: for the evidence that the effect is larger, and that it is smaller; the latter guess the opposite
            event.
        projection: see `evidence`.
    """

    def __init__(
        self,
        claims: Claims,
        levels: Levels,
        guessers: tuple[Sequence[Guesser], Sequence[Guesser]],
        projection: Projection,
    ) -> None:
        self._claims = claims
        self._needs = -np.log(levels.fail), -np.log(levels.wrong_pass)
        self._larger = Evidence(claims.limits, guessers[0], projection)
        self._smaller = Evidence(claims.opposites, guessers[1], projection)
        self._most: Floats = np.full(len(claims.effects), -np.inf)

    def add(self, past: Tally, block: Block, larger: Events, smaller: Events) -> None:
        """Add an interval.

        Args:
            past: all earlier ones.
            block: the interval.
            larger: events that a larger effect makes more frequent in the canary than the limits.
            smaller: the same events, counted so that what is not exact makes the effect look larger.
        """
        self._larger.add(past, block, larger)
        self._smaller.add(past, block, smaller.none())
        self._smaller.cap(self._needs[1] + _SPARE)
        # A claim that has been refuted once stays so: Ville's inequality is about the highest capital ever.
        self._most = np.maximum(self._most, self._larger.capital)

    @property
    def surely_larger(self) -> NDArray[np.bool_]:
        """``[..., G]``, whether the effect is larger than each of the grid."""
        refuted: NDArray[np.bool_] = self._most >= self._needs[0]
        return refuted

    @property
    def surely_smaller(self) -> NDArray[np.bool_]:
        """``[..., G]``, whether it is smaller than each."""
        refuted: NDArray[np.bool_] = self._smaller.capital >= self._needs[1]
        return refuted

    @property
    def low(self) -> float | None:
        """The effect is larger, surely."""
        refuted = np.flatnonzero(self.surely_larger)
        return float(self._claims.effects[refuted[-1]]) if refuted.size else None

    @property
    def high(self) -> float | None:
        """The effect is smaller, surely."""
        refuted = np.flatnonzero(self.surely_smaller)
        return float(self._claims.effects[refuted[0]]) if refuted.size else None

    @property
    def outcome(self) -> Outcome:
        """Whether the bound is outside of the interval, and on which side."""
        bound = self._claims.effects[self._claims.allowed]
        low, high = self.low, self.high
        if low is not None and low >= bound:
            return Outcome.FAIL
        return Outcome.PASS if high is not None and high <= bound else Outcome.NOT_YET

    def missing(self, past: Tally, observed: float, larger: Events, smaller: Events) -> float | None:
        """About how many more requests of the canary are needed, at the rates seen so far; None: too many.

        Args:
            past: all intervals.
            observed: the effect so far.
            larger, smaller: see `add`.
        """
        if observed > self._claims.effects[self._claims.allowed]:
            return self._until(self._larger, self._needs[0], self._larger.growth(past, larger))
        return self._until(self._smaller, self._needs[1], self._smaller.growth(past, smaller.none()))

    def _until(self, evidence: Evidence, need: float, growth: Floats) -> float | None:
        at = self._claims.allowed
        # Bets lose at first, while the rates are learned.
        missing = need - min(float(evidence.capital[at]), need)
        return missing / float(growth[at]) if growth[at] > 1e-6 else None
