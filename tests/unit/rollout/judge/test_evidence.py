"""The bets: no claim that is true loses money on average, and the closest point of a claim is the closest."""

import numpy as np
import pytest

from predictors.rollout.judge.evidence import Events, Evidence, Guesser, Pair, on_difference
from predictors.rollout.judge.tally import Block, Floats, Tally

RATES = Events(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))


def divergence(guess: float, rates: Floats) -> Floats:
    """Kullback-Leibler divergence of rates from a guess."""
    return np.asarray(guess * np.log(guess / rates) + (1 - guess) * np.log((1 - guess) / (1 - rates)))


@pytest.mark.parametrize("seed", range(40))
def test_the_closest_rates_are_the_closest_and_the_bet_is_fair_for_all_rates_of_the_claim(seed: int) -> None:
    random = np.random.default_rng(seed)
    canary, stable = random.beta(0.5, 0.5, 2).clip(1e-4, 1 - 1e-4)
    n, m = random.integers(1, 500, 2).tolist()
    allowed = random.uniform(-0.6, 0.6)
    guess = Pair(np.array([[canary]]), np.array([[stable]]))
    closest = on_difference(guess, (np.array(n), np.array(m)), np.array([allowed]))
    p, s = closest.canary.item(), closest.stable.item()
    if canary - stable <= allowed:
        assert (p, s) == (canary, stable)
        return
    line = np.linspace(max(0, -allowed), min(1, 1 - allowed), 20_001)[1:-1]
    distances = n * divergence(canary, line + allowed) + m * divergence(stable, line)
    assert s == pytest.approx(line[distances.argmin()], abs=1e-3)
    assert p - s == pytest.approx(allowed, abs=1e-9)
    rates = random.uniform(0, 1, (2000, 2))
    rates = np.vstack([rates[rates[:, 0] - rates[:, 1] <= allowed], np.stack([line + allowed, line], axis=1)])
    # The expected gain of a block: each request is a factor, and they are independent.
    gain = n * np.log(rates[:, 0] * canary / p + (1 - rates[:, 0]) * (1 - canary) / (1 - p))
    gain += m * np.log(rates[:, 1] * stable / s + (1 - rates[:, 1]) * (1 - stable) / (1 - s))
    assert gain.max() <= 1e-6


def test_the_capital_stays_one_on_average_when_the_claim_just_holds() -> None:
    random = np.random.default_rng(1)
    ends = []
    for _ in range(400):
        evidence = Evidence(
            np.array([0.05]), [Guesser(0.3, 0.1, 2, 0, 0.5), Guesser(None, None, 10, 1, 0.5)], on_difference
        )
        past = Tally(2, 2)
        for _ in range(6):
            bad = random.binomial((8, 20), (0.15, 0.1))
            block = Block.of(np.array([bad[0], 8 - bad[0]], dtype=float), np.array([bad[1], 20 - bad[1]], dtype=float))
            evidence.add(past, block, RATES)
            past.add(block)
        ends.append(np.exp(evidence.capital.item()))
    assert 0.6 < np.mean(ends) < 1.15


def test_the_capital_grows_without_end_when_the_claim_is_wrong() -> None:
    evidence = Evidence(np.array([0.05]), [Guesser(0.3, 0.1, 2, 0, 1.0)], on_difference)
    past, seen = Tally(2, 2), []
    for _ in range(20):
        block = Block.of(np.array([3.0, 7.0]), np.array([5.0, 95.0]))
        evidence.add(past, block, RATES)
        past.add(block)
        seen.append(evidence.capital.item())
    assert seen == sorted(seen)
    assert seen[-1] > 10


def test_a_memory_forgets_and_matched_counts_have_the_canarys_weights() -> None:
    tally = Tally(2, 2)
    # At first little traffic for the canary and no error; then errors of both, when half of the traffic is the canary's.
    tally.add(Block.of(np.array([0.0, 1000.0]), np.array([0.0, 19_000.0])))
    tally.add(Block.of(np.array([100.0, 900.0]), np.array([100.0, 900.0])))
    assert tally.canary[0].tolist() == [100, 1900]
    assert tally.canary[1].tolist() == [100, 900]
    assert tally.matched.tolist() == [100, 1900]
