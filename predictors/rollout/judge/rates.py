"""Checks of rates: the canary's against stable's, and one of the canary alone."""

import numpy as np

from predictors.rollout.judge.bracket import Bracket, Claims
from predictors.rollout.judge.evidence import Events, Guesser, on_difference, on_rate
from predictors.rollout.judge.subject import Ends, Subject
from predictors.rollout.judge.tally import Block, Floats, Tally
from predictors.rollout.judge.verdict import Finding, Outcome
from predictors.rollout.judge.words import count, more, percent, points, shares
from predictors.rollout.signals import Rate, Shares, Signal

# One is ready for a disaster, one for a rate that is a few points worse, one for a canary that gets worse later.
WORSE = (
    Guesser(canary=0.5, stable=0.01, strength=1, memory=0, capital=0.3),
    Guesser(canary=0.05, stable=0.01, strength=20, memory=0, capital=0.4),
    Guesser(canary=0.05, stable=0.01, strength=20, memory=1, capital=0.3),
)
# Of success. Most of the capital expects hardly an error: then about 320 requests without one pass a bound of 1 point.
NO_WORSE = (
    Guesser(canary=0.999, stable=0.999, strength=100, memory=0, capital=0.7),
    Guesser(canary=0.98, stable=0.98, strength=25, memory=0, capital=0.3),
)
# Enough for the confusion of 20 labels.
_MOST_CELLS = 400
BAD = Events(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))
_STEPS = np.geomspace(0.001, 0.99, 19)


def _grid(bound: float, others: Floats) -> tuple[Floats, int]:
    grid = np.unique(np.append(others, bound))
    return grid, int(np.searchsorted(grid, bound))


def _cells(rate: Rate) -> Floats:
    bad = min(max(rate.bad, 0), rate.total)
    return np.array([bad, rate.total - bad], dtype=float)


class Difference:
    """How much larger the canary's rate is than stable's.

    Args:
        subject: of the check.
        things, verb: for messages: "requests", "failed".
    """

    def __init__(self, subject: Subject, things: str, verb: str) -> None:
        self._subject = subject
        self._things, self._verb = things, verb
        grid, allowed = _grid(min(subject.bound, 0.999), np.concatenate([-_STEPS, [0.0], _STEPS]))
        self._bracket = Bracket(Claims(grid, grid, -grid, allowed), subject.levels, (WORSE, NO_WORSE), on_difference)
        self._past = Tally(2, 2)

    def add(self, stable: Signal, canary: Signal) -> None:
        """Add both variants' rates of one interval."""
        if not (isinstance(stable, Rate) and isinstance(canary, Rate)) or min(stable.total, canary.total) <= 0:
            return
        block = Block.of(_cells(canary), _cells(stable))
        self._bracket.add(self._past, block, BAD, BAD)
        self._past.add(block)

    def finding(self) -> Finding:
        """What is known now."""
        if not self._past.samples:
            return self._subject.waits(f"no {self._things} of both variants yet")
        bad, good = self._past.canary[0]
        stable = self._past.matched[0] / self._past.matched.sum()
        outcome = self._bracket.outcome
        message = (
            f"{count(bad)} of {count(bad + good)} {self._things} {self._verb} ({percent(bad / (bad + good))}), "
            f"stable {percent(stable)} of {count(self._past.stable[0].sum())}"
        )
        if outcome is Outcome.NOT_YET:
            missing = self._bracket.missing(self._past, bad / (bad + good) - stable, BAD, BAD)
            message += f": {more(missing, self._things)}"
        else:
            interval = points(self._bracket.low, self._bracket.high)
            message += f": {interval}, at most {self._subject.bound * 100:g} allowed"
        ends = Ends(self._bracket.low, self._bracket.high)
        return self._subject.finds(outcome, (float(stable), float(bad / (bad + good))), ends, bad + good, message)


class Alone:
    """How large a rate of the canary is, whatever stable's is: shadowed requests with different answers.

    Args:
        subject: of the check; its bound is a rate.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        grid, allowed = _grid(min(max(subject.bound, 1e-4), 0.999), _STEPS)
        self._bracket = Bracket(Claims(grid, grid, 1 - grid, allowed), subject.levels, (WORSE, NO_WORSE), on_rate)
        self._past = Tally(2, 2)
        self._cells: dict[str, float] = {}

    def add(self, rate: Signal, confusion: Signal | None) -> None:
        """Add one interval, with what answers changed into what."""
        if not isinstance(rate, Rate) or rate.total <= 0:
            return
        # Nothing is said about stable, so one request that has nothing of the event does for it.
        block = Block.of(_cells(rate), np.array([0.0, 1.0]))
        self._bracket.add(self._past, block, BAD, BAD)
        self._past.add(block)
        for cell, number in confusion.counts.items() if isinstance(confusion, Shares) else ():
            if cell in self._cells or len(self._cells) < _MOST_CELLS:
                self._cells[cell] = self._cells.get(cell, 0) + number

    def finding(self) -> Finding:
        """What is known now."""
        if not self._past.samples:
            return self._subject.waits("no answers have been compared yet")
        bad, good = self._past.canary[0]
        rate, outcome, ends = bad / (bad + good), self._bracket.outcome, Ends(self._bracket.low, self._bracket.high)
        message = (
            f"{count(bad)} of {count(bad + good)} answers differ from stable's: {percent(rate)} "
            f"{shares(*ends)}, at most {percent(self._subject.bound)} may"
        )
        if often := sorted(self._cells.items(), key=lambda cell: (-cell[1], cell[0]))[:3]:
            message += "; most often " + ", ".join(f"{cell} ({count(number)})" for cell, number in often)
        if outcome is Outcome.NOT_YET:
            message += f"; {more(self._bracket.missing(self._past, rate, BAD, BAD), 'requests')}"
        return self._subject.finds(outcome, (None, float(rate)), ends, bad + good, message)
