"""Made-up traffic of two variants, for judges to judge."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from predictors.rollout.judge import Judge, Outcome, Verdict
from predictors.rollout.judge.bracket import Bracket, Claims, Levels
from predictors.rollout.judge.evidence import on_difference
from predictors.rollout.judge.rates import BAD, NO_WORSE, WORSE
from predictors.rollout.judge.tally import Block, Tally
from predictors.rollout.signals import Distribution, Interval, Rate, Sample, Shares
from predictors.rollout.spec import Check

Ints: TypeAlias = NDArray[Any]

FINE = tuple(float(f"{10 ** (-4 + step / 10):.3g}") for step in range(69))
COARSE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DEFAULT_LEVELS = Levels(0.01, 0.05)
STEPS = ((5, 120), (25, 300), (50, 300))


def distribution(values: NDArray[np.float64], bounds: tuple[float, ...]) -> Distribution:
    """A histogram of values."""
    counts = np.bincount(np.searchsorted(bounds, values), minlength=len(bounds) + 1)
    return Distribution(bounds, tuple(counts.tolist()), float(values.sum()))


@dataclass(frozen=True)
class Variant:
    """What a variant's requests are like.

    Args:
        errors: share of failures.
        median, sigma: of the lognormal latency, seconds.
        labels: shares of three labels.
        sure: first parameter of the beta distribution of confidences; the second is 2.
        bounds: of the latency's buckets.
        signals: that it exports.
    """

    errors: float = 0.0
    median: float = 0.02
    sigma: float = 0.5
    labels: tuple[float, ...] = (0.5, 0.3, 0.2)
    sure: float = 8.0
    bounds: tuple[float, ...] = field(default=FINE, repr=False)
    signals: frozenset[str] = frozenset({"errors", "latency", "labels", "confidence"})

    def sample(self, count: int, random: np.random.Generator) -> Sample:
        """Signals of some requests."""
        bad = int(random.binomial(count, self.errors))
        good = count - bad
        sample: dict[str, Rate | Distribution | Shares] = {"errors": Rate(bad, count)}
        if "latency" in self.signals:
            values = self.median * np.exp(random.normal(0, self.sigma, good))
            sample["latency"] = distribution(values, self.bounds)
        if "labels" in self.signals:
            shares = random.multinomial(good, self.labels).tolist()
            sample["labels"] = Shares(dict(zip(("setosa", "versicolor", "virginica"), shares, strict=True)))
        if "confidence" in self.signals:
            sample["confidence"] = distribution(random.beta(self.sure, 2, good), tuple(n / 20 for n in range(5, 21)))
        return sample


class Ending(NamedTuple):
    """How a rollout ended.

    Args:
        outcome: Pass: it got beyond the last step of less than 50%; Fail; NotYet: neither until the time was over.
        seconds: since the first step began.
        verdict: the last one.
    """

    outcome: Outcome
    seconds: float
    verdict: Verdict


@dataclass(frozen=True)
class Rollout:
    """A rollout by steps of (weight, hold); a step is left when its hold is over and all checks pass.

    Args:
        rate: requests/s of both variants together.
        every: seconds between looks.
        until: the rollout ends when it reaches this step (0-based).
        limit: seconds after which it is given up.
    """

    rate: float = 10.0
    every: float = 5.0
    until: int = 2
    limit: float = 3600.0
    checks: tuple[Check, ...] | None = None

    def run(self, stable: Variant, canary: Variant, random: np.random.Generator) -> Ending:
        """Roll out."""
        judge, now, step, since = Judge(self.checks, 0.95), 0.0, 0, 0.0
        verdict = judge.verdict()
        while now < self.limit and step < self.until:
            weight, hold = STEPS[step]
            requests = self.rate * self.every * np.array([1 - weight / 100, weight / 100])
            counts = random.poisson(requests)
            samples = stable.sample(int(counts[0]), random), canary.sample(int(counts[1]), random)
            judge.add(Interval(now, now + self.every, weight, *samples))
            now += self.every
            verdict = judge.verdict()
            if verdict.outcome is Outcome.FAIL:
                return Ending(Outcome.FAIL, now, verdict)
            if verdict.outcome is Outcome.PASS and now - since >= hold:
                step, since = step + 1, now
        return Ending(Outcome.PASS if step >= self.until else Outcome.NOT_YET, now, verdict)


def errors_side_by_side(failures: Ints, requests: Ints, bound: float, levels: Levels) -> tuple[Ints, Ints]:
    """What the check of errors says in many rollouts at once, looking after each interval.

    Args:
        failures, requests: ``[looks, 2, rollouts]``, of stable and of the canary.
        bound: of the check.
        levels: of error.

    Returns:
        ``[looks, rollouts]``, 1 where it fails; 1 where it passes.
    """
    limit = np.array([bound])
    bracket = Bracket(Claims(limit, limit, -limit, 0), levels, (WORSE, NO_WORSE), on_difference)
    tally = Tally(2, 2, (failures.shape[2],))
    fails, passes = [], []
    for bad, count in zip(failures.astype(float), requests.astype(float), strict=True):
        stable, canary = (np.stack([b, c - b], axis=-1) for b, c in zip(bad, count, strict=True))
        block = Block.of(canary, stable)
        bracket.add(tally, block, BAD, BAD)
        tally.add(block)
        fails.append(bracket.surely_larger[:, 0])
        passes.append(bracket.surely_smaller[:, 0])
    return np.array(fails), np.array(passes)


@dataclass(frozen=True)
class ErrorRollouts:
    """Rollouts with a check of errors alone, side by side, with the steps of `Rollout`.

    Args:
        rate: requests/s of both variants together.
        count: number of rollouts.
        every: seconds between looks.
        until: a rollout ends when it reaches this step (0-based).
        limit: seconds after which they are given up.
        levels: of error; by default, five checks share the 5%.
    """

    rate: float = 10.0
    count: int = 400
    every: float = 5.0
    until: int = 2
    limit: float = 3600.0
    levels: Levels = DEFAULT_LEVELS

    def run(self, stable: float, canary: float, random: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
        """Roll out variants with these shares of failures.

        Returns:
            ``[count]``, seconds until it failed, or infinity; seconds until it reached the last step, or infinity.
        """
        limit = np.array([0.01])
        bracket = Bracket(Claims(limit, limit, -limit, 0), self.levels, (WORSE, NO_WORSE), on_difference)
        tally, step, since = Tally(2, 2, (self.count,)), np.zeros(self.count, dtype=int), np.zeros(self.count)
        failed, passed = np.full(self.count, np.inf), np.full(self.count, np.inf)
        weights, holds = np.array(STEPS).T
        waiting = np.zeros((2, self.count, 2))
        for look in range(1, round(self.limit / self.every) + 1):
            now, weight = look * self.every, weights[step] / 100
            for place, (share, bad) in enumerate(((weight, canary), (1 - weight, stable))):
                requests = random.poisson(self.rate * self.every * share)
                failures = random.binomial(requests, bad)
                waiting[place] += np.stack([failures, requests - failures], axis=-1)
            # As `pool` does: an interval without a request of one variant waits. Almost nothing stands for it meanwhile.
            ready = (waiting.sum(axis=-1) > 0).all(axis=0)
            block = Block.of(*np.where(ready[None, :, None], waiting, 1e-12))
            waiting[:, ready] = 0
            bracket.add(tally, block, BAD, BAD)
            tally.add(block)
            ended = np.isfinite(failed) | np.isfinite(passed)
            fails = bracket.surely_larger[:, 0] & ~ended
            failed[fails] = now
            moves = bracket.surely_smaller[:, 0] & ~ended & ~fails & (now - since >= holds[step])
            step[moves] += 1
            since[moves] = now
            passed[moves & (step == self.until)] = now
            step = np.minimum(step, self.until - 1)
            if (np.isfinite(failed) | np.isfinite(passed)).all():
                break
        return failed, passed
