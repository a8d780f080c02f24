"""Looking often does not make false alarms: simulations, with fixed seeds."""

import numpy as np
import pytest

from predictors.rollout.judge import Judge, Outcome
from predictors.rollout.judge.bracket import Levels
from predictors.rollout.signals import Interval, Rate
from predictors.rollout.spec import Check
from tests.unit.rollout.judge.traffic import COARSE, Ints, Rollout, Variant, errors_side_by_side

ROLLOUTS, LOOKS = 400, 240
STABLE, CANARY = 75, 25
REQUESTS = np.tile(np.array([STABLE, CANARY])[None, :, None], (LOOKS, 1, ROLLOUTS))
LEVELS = Levels(0.05, 0.05)


def failures(seed: int, stable: float, canary: float) -> Ints:
    """``[looks, 2, rollouts]``, with rates that drift up and down together by a half."""
    random = np.random.default_rng(seed)
    drift = np.sin(np.arange(LOOKS) / 9)[:, None, None] * stable / 2
    return random.binomial(REQUESTS, np.array([stable, canary])[None, :, None] + drift)


@pytest.mark.parametrize(("rate", "bound"), [(0.1, 0.0), (0.02, 0.0), (0.02, 0.01), (0.3, 0.05)])
def test_at_most_5_percent_of_canaries_that_are_just_good_enough_ever_fail(rate: float, bound: float) -> None:
    fails, _ = errors_side_by_side(failures(11, rate, rate + bound), REQUESTS, bound, LEVELS)
    assert fails.any(axis=0).mean() <= 0.05


def test_a_test_at_each_look_would_fail_many_more() -> None:
    """The simulation tells methods apart: this is a z-test of 5% at each look."""
    bad = failures(11, 0.1, 0.1).cumsum(axis=0)
    counts = REQUESTS.cumsum(axis=0)
    share = bad.sum(axis=1) / counts.sum(axis=1)
    z = (bad[:, 1] / counts[:, 1] - bad[:, 0] / counts[:, 0]) / np.sqrt(share * (1 - share) * (1 / counts).sum(axis=1))
    assert (z[5:] > 1.645).any(axis=0).mean() > 0.25


@pytest.mark.parametrize(("rate", "bound"), [(0.0, 0.01), (0.02, 0.01), (0.1, 0.05)])
def test_at_most_5_percent_of_canaries_that_are_just_too_bad_ever_pass(rate: float, bound: float) -> None:
    _, passes = errors_side_by_side(failures(12, rate, rate + bound), REQUESTS, bound, LEVELS)
    assert passes.any(axis=0).mean() <= 0.05


def test_a_judge_says_the_same_as_rollouts_side_by_side() -> None:
    bad = failures(13, 0.01, 0.04)[:60, :, :3]
    fails, passes = errors_side_by_side(bad, REQUESTS[:60, :, :3], 0.01, LEVELS)
    for rollout in range(3):
        judge = Judge([Check(type="errors")], 0.95)
        for look in range(60):
            stable, canary = bad[look, :, rollout].tolist()
            judge.add(Interval(0, 5, 25, {"errors": Rate(stable, STABLE)}, {"errors": Rate(canary, CANARY)}))
            outcome = judge.verdict().outcome
            assert (outcome is Outcome.FAIL) == fails[look, rollout]
            assert fails[look, rollout] or (outcome is Outcome.PASS) == passes[look, rollout]
    assert fails[-1].any()


@pytest.mark.parametrize(
    "variant", [Variant(errors=0.02), Variant(sigma=1.0), Variant(bounds=COARSE), Variant(sigma=0.02, median=0.0249)]
)
def test_equal_variants_with_all_checks_do_not_fail(variant: Variant) -> None:
    random = np.random.default_rng(13)
    rollout = Rollout(rate=40, limit=100)
    ends = [rollout.run(variant, variant, random).outcome for _ in range(8)]
    assert Outcome.FAIL not in ends


def test_drift_does_not_look_like_a_difference() -> None:
    """Simpson's paradox: the canary gets most of its requests when both variants fail often."""
    judge = Judge([Check(type="errors")], 0.95)
    random = np.random.default_rng(14)
    for _ in range(150):
        for weight, rate in ((5, 0.001), (50, 0.2)):
            stable, canary = 100 - weight, weight
            bad = random.binomial((stable, canary), rate)
            samples = ({"errors": Rate(int(bad[0]), stable)}, {"errors": Rate(int(bad[1]), canary)})
            judge.add(Interval(0, 5, weight, *samples))
    finding = judge.verdict().findings[0]
    assert finding.outcome is not Outcome.FAIL
    # Added up, stable has 7% of failures, and the canary 18%.
    assert finding.stable == pytest.approx(finding.canary, abs=0.02)
    assert finding.low is None or finding.low < 0.01
