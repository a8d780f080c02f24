"""Bad canaries are caught, and good ones pass, with the requests that a rollout has: simulations, with fixed seeds."""

from dataclasses import replace

import numpy as np
import pytest

from predictors.rollout.judge import Judge, Outcome
from predictors.rollout.signals import Interval, Rate
from predictors.rollout.spec import Check
from tests.unit.rollout.judge.traffic import COARSE, Ending, ErrorRollouts, Rollout, Variant

GOOD = Variant()


def ends(stable: Variant, canary: Variant, count: int, rollout: Rollout) -> list[Ending]:
    random = np.random.default_rng(21)
    return [rollout.run(stable, canary, random) for _ in range(count)]


@pytest.mark.parametrize("stable", [0.0, 0.01, 0.03])
def test_5_points_of_errors_at_10_requests_a_second_are_caught_before_weight_50(stable: float) -> None:
    failed, passed = ErrorRollouts().run(stable, stable + 0.05, np.random.default_rng(20))
    assert np.isfinite(failed).mean() >= 0.95
    assert np.isfinite(passed).mean() <= 0.01


def test_a_canary_that_only_fails_is_caught_within_seconds() -> None:
    found = ends(GOOD, replace(GOOD, errors=1.0), 20, Rollout())
    assert {end.outcome for end in found} == {Outcome.FAIL}
    assert max(end.seconds for end in found) <= 20
    assert found[0].verdict.message.startswith("errors: ")


def test_a_look_with_many_failures_is_enough() -> None:
    judge = Judge(None, 0.95)
    judge.add(Interval(0, 5, 5, {"errors": Rate(0, 4000)}, {"errors": Rate(200, 200)}))
    assert judge.verdict().outcome is Outcome.FAIL


def test_300_to_500_requests_without_an_error_pass() -> None:
    judge, requests = Judge([Check(type="errors")], 0.95), 0
    while judge.verdict().outcome is Outcome.NOT_YET:
        judge.add(Interval(0, 5, 5, {"errors": Rate(0, 95)}, {"errors": Rate(0, 5)}))
        requests += 5
    assert judge.verdict().outcome is Outcome.PASS
    assert 299 <= requests <= 500


@pytest.mark.parametrize(
    ("canary", "check", "seconds"),
    [
        (replace(GOOD, median=0.06), "latency", 60),
        (replace(GOOD, labels=(0.1, 0.3, 0.6)), "labels", 400),
        (replace(GOOD, sure=3.0), "confidence", 300),
    ],
)
def test_what_is_wrong_is_caught_before_weight_25(canary: Variant, check: str, seconds: float) -> None:
    found = ends(GOOD, canary, 12, Rollout())
    assert {end.outcome for end in found} == {Outcome.FAIL}
    assert {f.name for end in found for f in end.verdict.findings if f.outcome is Outcome.FAIL} == {check}
    assert np.median([end.seconds for end in found]) < seconds


@pytest.mark.parametrize("bounds", [COARSE, GOOD.bounds])
def test_a_canary_that_is_slow_by_3_times_is_caught_whatever_the_buckets(bounds: tuple[float, ...]) -> None:
    found = ends(replace(GOOD, bounds=bounds), Variant(median=0.06, bounds=bounds), 12, Rollout(every=10))
    assert {end.outcome for end in found} == {Outcome.FAIL}


@pytest.mark.parametrize(
    ("stable", "canary"),
    [
        (GOOD, GOOD),
        (replace(GOOD, bounds=COARSE), replace(GOOD, bounds=COARSE)),
        (replace(GOOD, bounds=COARSE), GOOD),
        (Variant(median=0.001, bounds=COARSE), Variant(median=0.001, bounds=COARSE)),
        (Variant(sigma=0.02, bounds=COARSE), Variant(sigma=0.02, bounds=COARSE)),
    ],
)
def test_equal_variants_pass_with_600_requests(stable: Variant, canary: Variant) -> None:
    found = ends(stable, canary, 4, Rollout(rate=100, every=5, limit=600, until=1))
    assert {end.outcome for end in found} == {Outcome.PASS}
    assert np.median([end.seconds for end in found]) <= 240


def test_a_canary_that_gets_worse_at_a_higher_weight_loses_its_pass_and_then_fails() -> None:
    random, judge, seen = np.random.default_rng(22), Judge([Check(type="errors")], 0.95), []
    for look in range(400):
        weight, rate = (5, 0.0) if look < 200 else (25, 0.06)
        requests = np.array([1000 - 10 * weight, 10 * weight])
        bad = random.binomial(requests, (0.0, rate))
        samples = [{"errors": Rate(int(b), int(n))} for b, n in zip(bad, requests, strict=True)]
        judge.add(Interval(0, 5, weight, *samples))
        seen.append(judge.verdict().outcome)
        if look >= 200 and seen[-1] is Outcome.FAIL:
            break
    assert seen[199] is Outcome.PASS
    assert seen[-1] is Outcome.FAIL
    # Within 5 looks of 250 requests, after 10,000 good ones.
    assert len(seen) <= 205


def test_a_pass_of_many_good_requests_is_lost_after_a_few_bad_ones() -> None:
    judge = Judge([Check(type="errors")], 0.95)
    for _ in range(200):
        judge.add(Interval(0, 5, 5, {"errors": Rate(0, 950)}, {"errors": Rate(0, 50)}))
    assert judge.verdict().outcome is Outcome.PASS
    for _ in range(4):
        judge.add(Interval(0, 5, 5, {"errors": Rate(0, 950)}, {"errors": Rate(1, 50)}))
    assert judge.verdict().outcome is Outcome.NOT_YET
