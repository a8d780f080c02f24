"""Checks of categories: the shares of labels."""

import numpy as np

from predictors.rollout.judge.distance import Distance
from predictors.rollout.judge.subject import Subject
from predictors.rollout.judge.tally import Block, Floats
from predictors.rollout.judge.verdict import Finding, Outcome
from predictors.rollout.judge.words import more, percent, shares
from predictors.rollout.signals import Shares, Signal

# Rarer categories are taken together, and so are those beyond a number of them.
_RARE, _MOST = 0.01, 200
_OTHER = "other"


class Mix:
    """How different the shares of categories are: the total variation distance.

    Categories that make up less than 1% of all are taken together. Shares that swap between categories that are
    equally frequent are not seen here, only in `agreement`.

    Args:
        subject: of the check.
        things: for messages: "labels".
    """

    def __init__(self, subject: Subject, things: str) -> None:
        self._subject = subject
        self._things = things
        self._distance = Distance(subject)
        self._places: dict[str, int] = {_OTHER: 0}

    def add(self, stable: Signal, canary: Signal) -> None:
        """Add both variants' shares of one interval."""
        if not (isinstance(stable, Shares) and isinstance(canary, Shares)):
            return
        self._meet(stable, canary)
        block = Block.of(self._cells(canary), self._cells(stable))
        if min(block.sizes) > 0:
            self._distance.add(block, self._larger())

    def finding(self) -> Finding:
        """What is known now; stable's and the canary's numbers are the shares of the category that differs most."""
        past = self._distance.past
        if not past.samples:
            return self._subject.waits(f"no {self._things} of both variants yet")
        shift = self._together() @ self._distance.shift
        observed = float(np.abs(shift).sum() / 2)
        ends = self._distance.ends(observed)
        outcome = self._distance.outcome(ends)
        worst = int(np.argmax(np.abs(self._distance.shift)))
        canary, stable = past.canary[0][worst] / past.samples, past.matched[worst] / past.matched.sum()
        message = (
            f"{percent(observed)} of the {self._things} changed {shares(*ends)}, "
            f"at most {percent(self._subject.bound)} may; "
            f"{list(self._places)[worst]!r} has {percent(canary)} against {percent(stable)}"
        )
        if outcome is Outcome.NOT_YET:
            message += f"; {more(self._distance.missing(observed), 'requests')}"
        return self._subject.finds(outcome, (float(stable), float(canary)), ends, past.samples, message)

    def _meet(self, *all_shares: Shares) -> None:
        before = len(self._places)
        for one in all_shares:
            for name in one.counts:
                if len(self._places) < _MOST:
                    self._places.setdefault(name, len(self._places))
        if len(self._places) > before:
            self._distance.merge(np.eye(len(self._places), before))

    def _cells(self, shares: Shares) -> Floats:
        cells = np.zeros(len(self._places))
        for name, number in shares.counts.items():
            cells[self._places.get(name, 0)] += max(number, 0)
        return cells

    def _rare(self) -> Floats:
        past = self._distance.past
        total = past.canary[0] / max(past.samples, 1) + past.matched / max(past.matched.sum(), 1)
        rare: Floats = total < 2 * _RARE
        return rare

    def _together(self) -> Floats:
        """``[2 + K, K]``: rare categories in the first row."""
        rare = self._rare().astype(float)
        return np.vstack([rare, np.diag(1 - rare)])

    def _larger(self) -> Floats:
        """The categories that the canary has more of, so far."""
        rare, shift = self._rare().astype(bool), self._distance.shift
        event = np.where(rare, shift[rare].sum() > 0, shift > 0)
        return event.astype(float)
