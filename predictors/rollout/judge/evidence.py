"""Evidence against a claim about two rates, valid at every look: betting on what comes next.

The claim (the null hypothesis) is: in every interval, the canary's rate of an event is at most stable's rate plus
d. We start with a capital of 1 and bet against the claim at each interval, by a rule that knows only earlier
intervals, so that no bet gains on average as long as the claim holds. By Ville's inequality the capital then ever
reaches 1/a with a probability of at most a, however often one looks and whatever makes one stop. So a capital of
1/a refutes the claim, at level a.

- The bet is the likelihood ratio of the interval's counts under a guess (p', s') of the two rates against (p, s),
  the point of the claim that is the closest to the guess in Kullback-Leibler divergence, n KL(p'|p) + m KL(s'|s),
  for n requests of the canary and m of stable. At that point the divergence's gradient makes an obtuse angle with
  all of the claim, which is convex, and that is what it takes: the expected ratio is at most exp(gradient · step) ≤
  1 for each pair of rates in the claim. Turner, Ly and Grünwald, "Generic E-variables for exact sequential k-sample
  tests that allow for optional stopping", 2022; Turner and Grünwald, "Exact anytime-valid confidence intervals for
  contingency tables and beyond", 2023.
- A ratio is taken for each interval by itself: the claim compares rates of the same time only. Rates that drift
  while the weights change cost nothing.
- Guesses are the rates seen so far, drawn towards a prior: betting by plug-in, as in Waudby-Smith and Ramdas,
  "Estimating means of bounded random variables by betting", 2024. Where a guess agrees with the claim nothing is
  staked. Several guessers share the capital; its mean is again a fair game.
- Events may be of degree, between 0 and 1 (a part of a bucket): by the inequality of means the ratio is then below
  one that is linear in the degree, and that one has the expectation above.
- The sets of claims that are not refuted yet form a confidence sequence: Howard, Ramdas, McAuliffe and Sekhon,
  "Time-uniform, nonparametric, nonasymptotic confidence sequences", 2021.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from predictors.rollout.judge.tally import Block, Floats, Tally


class Guesser(NamedTuple):
    """How a rate is guessed: (seen bad + rate * strength) / (seen + strength).

    Args:
        canary, stable: the rates before anything is seen; None: what both together have shown.
        strength: how many requests that is worth.
        memory: index of the memory of a tally.
        capital: share of the whole.
    """

    canary: float | None
    stable: float | None
    strength: float
    memory: int
    capital: float


class Events(NamedTuple):
    """What is counted: the degree, 0 to 1, to which each cell belongs to it.

    Args:
        canary, stable: ``[G, K]`` and ``[G, L]``, or with 1 in place of G: for each of G claims.
    """

    canary: Floats
    stable: Floats

    def none(self) -> "Events":
        """The opposite."""
        return Events(1 - self.canary, 1 - self.stable)


class Pair(NamedTuple):
    """Rates of the two variants, ``[..., guessers, claims]``."""

    canary: Floats
    stable: Floats


Projection: TypeAlias = Callable[[Pair, tuple[Floats, Floats], Floats], Pair]


class Evidence:
    """The capital of bets against claims of one kind.

    Args:
        claims: ``[G]``, the largest difference that each allows.
        guessers: that share the capital.
        projection: of guesses on the claims.
    """

    def __init__(self, claims: Floats, guessers: Sequence[Guesser], projection: Projection) -> None:
        self._claims = claims
        self._projection = projection
        self._memories = [guesser.memory for guesser in guessers]
        self._strengths = np.array([guesser.strength for guesser in guessers])[:, None]
        self._priors = Pair(
            np.array([[np.nan if guesser.canary is None else guesser.canary] for guesser in guessers]),
            np.array([[np.nan if guesser.stable is None else guesser.stable] for guesser in guessers]),
        )
        self._pools = any(guesser.canary is None or guesser.stable is None for guesser in guessers)
        self._logs: Floats = np.log([guesser.capital for guesser in guessers])[:, None] + np.zeros(len(claims))

    @property
    def capital(self) -> Floats:
        """``[..., G]``, natural logarithms."""
        most = self._logs.max(axis=-2)
        total: Floats = most + np.log(np.exp(self._logs - most[..., None, :]).sum(axis=-2))
        return total

    def add(self, past: Tally, block: Block, events: Events) -> None:
        """Bet on an interval.

        Args:
            past: all earlier intervals.
            block: the interval; nothing of it may have shaped the events.
            events: that the claims are about.
        """
        guess = self._guess(past, events)
        null = self._projection(guess, block.sizes, self._claims)
        n, m = (size[..., None, None] for size in block.sizes)
        canary, stable = block.canary @ events.canary.T, block.stable @ events.stable.T
        gain = _log_ratio(guess.canary, null.canary, canary[..., None, :], n)
        self._logs = self._logs + gain + _log_ratio(guess.stable, null.stable, stable[..., None, :], m)

    def cap(self, most: float) -> None:
        """Give away what is above a logarithm of the capital: a capital may shrink at any time."""
        self._logs = self._logs - np.maximum(self.capital - most, 0)[..., None, :]

    def growth(self, past: Tally, events: Events) -> Floats:
        """``[G]``, expected growth of the logarithm for each request of the canary, at the rates seen so far."""
        guess = Pair(*(rates[:1] for rates in self._guess(past, events)))
        n, m = past.canary[0].sum(), past.stable[0].sum()
        null = self._projection(guess, (n, m), self._claims)
        one = np.array(1.0)
        gain = _log_ratio(guess.canary, null.canary, guess.canary, one)
        gain = gain + _log_ratio(guess.stable, null.stable, guess.stable, one) * (m / n)
        row: Floats = gain[0]
        return row

    def _guess(self, past: Tally, events: Events) -> Pair:
        canary, stable = past.canary @ events.canary.T, past.stable @ events.stable.T
        n, m = past.canary.sum(axis=-1)[..., None], past.stable.sum(axis=-1)[..., None]
        pooled = (canary[..., :1, :] + stable[..., :1, :] + 0.5) / (n[..., :1, :] + m[..., :1, :] + 1)
        return Pair(
            self._draw(canary, n, self._priors.canary, pooled), self._draw(stable, m, self._priors.stable, pooled)
        )

    def _draw(self, seen: Floats, size: Floats, priors: Floats, pooled: Floats) -> Floats:
        """Rates drawn towards their priors."""
        prior = np.where(np.isnan(priors), pooled, priors) if self._pools else priors
        total = size[..., self._memories, :] + self._strengths
        rates = (seen[..., self._memories, :] + prior * self._strengths) / total
        bounded: Floats = np.minimum(np.maximum(rates, 1e-9), 1 - 1e-9)
        return bounded


def _log_ratio(guess: Floats, null: Floats, bad: Floats, total: Floats) -> Floats:
    ratio: Floats = bad * np.log(guess / null) + (total - bad) * np.log((1 - guess) / (1 - null))
    return ratio


def on_difference(guess: Pair, sizes: tuple[Floats, Floats], claims: Floats) -> Pair:
    """The closest rates with canary - stable ≤ d, in closed form: the root of a cubic.

    It is the maximum-likelihood estimate under a fixed difference of Miettinen and Nurminen, "Comparative analysis
    of two rates", 1985, appendix.
    """
    n, m = (size[..., None, None] for size in sizes)
    a, b = n * guess.canary, m * guess.stable
    total, bad = n + m, a + b
    l2 = (n + 2 * m) * claims - total - bad
    l1 = (m * claims - total - 2 * b) * claims + bad
    l0 = b * claims * (1 - claims)
    third = l2 / (3 * total)
    q = third**3 - l1 * l2 / (6 * total**2) + l0 / (2 * total)
    p = np.copysign(np.sqrt(np.maximum(third**2 - l1 / (3 * total), 1e-300)), q)
    angle = (np.pi + np.arccos(np.clip(q / p**3, -1, 1))) / 3
    stable = 2 * p * np.cos(angle) - third
    stable = np.clip(stable, np.maximum(-claims, 0) + 1e-12, np.minimum(1 - claims, 1) - 1e-12)
    agrees = guess.canary - guess.stable <= claims
    return Pair(np.where(agrees, guess.canary, stable + claims), np.where(agrees, guess.stable, stable))


def on_rate(guess: Pair, sizes: tuple[Floats, Floats], claims: Floats) -> Pair:
    """The closest rates with canary ≤ d, whatever stable's is."""
    return Pair(np.minimum(guess.canary, claims), guess.stable)
