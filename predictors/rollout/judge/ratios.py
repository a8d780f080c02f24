"""Checks of a quantile's ratio: latencies, times to the first token, speeds.

"The canary's quantile is at most r times stable's" is put as a claim about two rates: the share of the canary's
observations above r t is at most the share of stable's above t, where t is stable's quantile. t is taken from earlier
intervals, so the bets of `evidence` apply as they are, for all r of a grid at once, and t may follow a latency that
drifts. Where t misses the quantile by chance, the claim is about a quantile nearby.

Buckets limit what can be known, and are treated so:

- t is interpolated inside of its bucket, and stable's share above it too, so that this share is what the quantile says.
- For a Fail, only the canary's buckets that are above r times the *end* of t's bucket, as a whole, count as above r t.
  So equal variants never fail because of where bounds are. What is slower by less than that does not fail either: with
  buckets 1.26 apart, a bound of 1.25 is met by the next bucket; with buckets 1.21 apart, only by the one after it.
- For a Pass, the canary's share above r t is interpolated. Otherwise equal variants with buckets wider than r would
  never pass. A canary that is slower by more than the bound, but inside of one bucket, may pass.

A server that answers within a millisecond or two is slower by half when its connections are new or its caches cold,
which a canary with little traffic always is. So latencies are compared with stable's plus a little slack.

The quantiles in the finding are interpolated too. For quantiles, Howard and Ramdas, "Sequential estimation of quantiles
with applications to A/B testing and best-arm identification", 2022, give confidence sequences of each; one for the
ratio of two of them would need several times as many requests.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from predictors.rollout.judge.bracket import Bracket, Claims
from predictors.rollout.judge.evidence import Events, Guesser, on_difference
from predictors.rollout.judge.histogram import Buckets, above, quantile, surely_above
from predictors.rollout.judge.subject import Ends, Subject
from predictors.rollout.judge.tally import Block, Tally
from predictors.rollout.judge.verdict import Finding, Outcome
from predictors.rollout.judge.words import more, percentile, ratio, seconds, times
from predictors.rollout.signals import Distribution, Signal


class _Looked(NamedTuple):
    larger: Events
    smaller: Events


class Ratio:
    """How many times as large the canary's quantile is as stable's.

    Args:
        subject: of the check; its bound is a ratio.
        share: of observations below the quantile.
        show: a value for people.
        slack: is added to stable's quantile before it is compared: a difference that does not count.
    """

    def __init__(
        self, subject: Subject, share: float, show: Callable[[float], str] = seconds, slack: float = 0.0
    ) -> None:
        self._subject = subject
        self._show = show
        self._share = share
        self._slack = slack
        bound = max(subject.bound, 1e-3)
        grid = np.unique(np.append(np.geomspace(0.1, 20, 34), bound))
        same = np.zeros(len(grid))
        claims = Claims(grid, same, same, int(np.searchsorted(grid, bound)))
        self._grid = grid
        self._bracket = Bracket(claims, subject.levels, _guessers(1 - share), on_difference)
        self._canary, self._stable = Buckets(), Buckets()
        self._past = Tally(1, 1)

    def add(self, stable: Signal, canary: Signal) -> None:
        """Add both variants' distributions of one interval."""
        if not (isinstance(stable, Distribution) and isinstance(canary, Distribution)):
            return
        if min(stable.total, canary.total) <= 0:
            return
        self._narrow(stable, canary)
        block = Block.of(self._canary.counts(canary), self._stable.counts(stable))
        looked = self._look()
        if looked:
            self._bracket.add(self._past, block, looked.larger, looked.smaller)
        self._past.add(block)

    def finding(self) -> Finding:
        """What is known now."""
        if not self._past.samples:
            return self._subject.waits("no observations of both variants yet")
        if not (len(self._canary.bounds) and len(self._stable.bounds)):
            return self._subject.waits("the histograms of a variant's pods have no bound of a bucket in common")
        canary = quantile(self._canary.bounds, self._past.canary[0], self._share)
        stable = quantile(self._stable.bounds, self._past.matched, self._share)
        ends = Ends(self._bracket.low, self._bracket.high)
        outcome = self._bracket.outcome
        effect = canary / (stable + self._slack)
        slack = f" (and {self._show(self._slack)})" if self._slack else ""
        message = (
            f"{percentile(self._share)} {self._show(canary)} against {self._show(stable)} of stable{slack}: "
            f"{times(effect)} times {ratio(*ends)}, at most {self._subject.bound:g} is allowed"
        )
        looked = self._look()
        if outcome is Outcome.NOT_YET and looked:
            missing = self._bracket.missing(self._past, effect, looked.larger, looked.smaller)
            message += f"; {more(missing, 'requests')}"
        return self._subject.finds(outcome, (stable, canary), ends, self._past.samples, message)

    def _narrow(self, stable: Distribution, canary: Distribution) -> None:
        matrix = self._canary.narrow(canary.bounds)
        if matrix is not None:
            self._past.merge_canary(matrix)
        matrix = self._stable.narrow(stable.bounds)
        if matrix is not None:
            self._past.merge_stable(matrix)

    def _look(self) -> _Looked | None:
        """What to count in the next interval; None: stable's quantile is not known yet."""
        seen = self._past.stable[1]
        if not (len(self._canary.bounds) and len(self._stable.bounds)) or seen.sum() * (1 - self._share) < 1:
            return None
        bounds = self._stable.bounds
        place = int(np.searchsorted(np.cumsum(seen), self._share * seen.sum()))
        upper = bounds[[min(place, len(bounds) - 1)]]
        middle = np.array([quantile(bounds, seen, self._share)])
        stable = above(bounds, middle)
        return _Looked(
            Events(surely_above(self._canary.bounds, self._grid * (upper + self._slack)), stable),
            Events(above(self._canary.bounds, self._grid * (middle + self._slack)), stable),
        )


def _guessers(tail: float) -> tuple[tuple[Guesser, ...], tuple[Guesser, ...]]:
    """Guesses of the shares above thresholds, where stable's is the tail; see `rates`."""
    slow, slower = (1 + tail) / 2, min(1.5 * tail, 0.9)
    larger = (
        Guesser(canary=slow, stable=tail, strength=2, memory=0, capital=0.3),
        Guesser(canary=slower, stable=tail, strength=20, memory=0, capital=0.4),
        Guesser(canary=slower, stable=tail, strength=20, memory=1, capital=0.3),
    )
    smaller = (
        Guesser(canary=1 - tail / 3, stable=1 - tail, strength=50, memory=0, capital=0.6),
        Guesser(canary=1 - tail / 3, stable=1 - tail, strength=50, memory=1, capital=0.4),
    )
    return larger, smaller


def inverse(distribution: Distribution) -> Distribution:
    """The distribution of the reciprocals: speeds become durations, for which less is better."""
    kept = [bound for bound in distribution.bounds if bound > 0]
    merged = distribution.counts[len(distribution.bounds) - len(kept) :]
    dropped = sum(distribution.counts[: len(distribution.bounds) - len(kept)])
    counts = (merged[0] + dropped, *merged[1:])
    return Distribution(tuple(1 / bound for bound in reversed(kept)), tuple(reversed(counts)))


class Slowness:
    """The same for speeds in tokens/s: how many times as slow the canary is.

    Args:
        subject: of the check; its bound is a ratio.
        share: of observations that are faster than the quantile.
    """

    def __init__(self, subject: Subject, share: float) -> None:
        self._ratio = Ratio(subject, share, lambda duration: f"{1 / duration:.3g} tokens/s")

    def add(self, stable: Signal, canary: Signal) -> None:
        """Add both variants' distributions of one interval."""
        if isinstance(stable, Distribution) and isinstance(canary, Distribution):
            self._ratio.add(inverse(stable), inverse(canary))

    def finding(self) -> Finding:
        """What is known now."""
        found = self._ratio.finding()
        if not (found.stable and found.canary):
            return found
        return replace(
            found,
            stable=1 / found.stable,
            canary=1 / found.canary,
            message=found.message.replace(" times ", " times as slow "),
        )
