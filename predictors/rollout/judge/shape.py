"""Checks of histograms: confidences, lengths of summaries."""

import numpy as np

from predictors.rollout.judge.distance import Distance
from predictors.rollout.judge.histogram import Buckets
from predictors.rollout.judge.subject import Subject
from predictors.rollout.judge.tally import Block, Floats
from predictors.rollout.judge.verdict import Finding, Outcome
from predictors.rollout.judge.words import count, more, percent, shares
from predictors.rollout.signals import Distribution, Signal


class Shape:
    """How different two histograms are: the Kolmogorov-Smirnov distance, on the bounds that both have.

    Args:
        subject: of the check.
        things: for messages: "confidences".
    """

    def __init__(self, subject: Subject, things: str) -> None:
        self._subject = subject
        self._things = things
        self._distance = Distance(subject)
        self._buckets = Buckets()

    def add(self, stable: Signal, canary: Signal) -> None:
        """Add both variants' distributions of one interval."""
        if not (isinstance(stable, Distribution) and isinstance(canary, Distribution)):
            return
        if min(stable.total, canary.total) <= 0:
            return
        for bounds in (stable.bounds, canary.bounds):
            matrix = self._buckets.narrow(bounds)
            if matrix is not None:
                self._distance.merge(matrix)
        if len(self._buckets.bounds):
            self._distance.add(Block.of(self._buckets.counts(canary), self._buckets.counts(stable)), self._larger())

    def finding(self) -> Finding:
        """What is known now; stable's and the canary's numbers are the shares above the bound where they differ
        most."""
        past = self._distance.past
        if not past.samples or not len(self._buckets.bounds):
            return self._subject.waits(f"no {self._things} of both variants in buckets that both have")
        place = self._place()
        above = np.arange(len(past.matched)) > place
        observed = abs(float(self._distance.shift[above].sum()))
        ends = self._distance.ends(observed)
        outcome = self._distance.outcome(ends)
        canary, stable = past.canary[0][above].sum() / past.samples, past.matched[above].sum() / past.matched.sum()
        message = (
            f"{percent(canary)} of {count(past.samples)} {self._things} are above {self._buckets.bounds[place]:g} "
            f"against {percent(stable)} of stable's: a distance of {percent(observed)} {shares(*ends)}, "
            f"at most {percent(self._subject.bound)} is allowed"
        )
        if outcome is Outcome.NOT_YET:
            message += f"; {more(self._distance.missing(observed), 'requests')}"
        return self._subject.finds(outcome, (float(stable), float(canary)), ends, past.samples, message)

    def _place(self) -> int:
        """The bound at which the shares above it differ most, so far."""
        return int(np.argmax(np.abs(np.cumsum(self._distance.shift)[:-1])))

    def _larger(self) -> Floats:
        """The tail that the canary has more of, so far."""
        above = np.arange(len(self._buckets.bounds) + 1) > self._place()
        return (above if self._distance.shift[above].sum() > 0 else ~above).astype(float)
