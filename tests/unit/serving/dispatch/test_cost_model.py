"""What work costs: a fixed part and one that grows with size, learnt from what was observed."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.serving.dispatch.cost_model import CostModel

FIXED, EACH = 0.005, 0.0002


def observe(cost: CostModel, size: int, fixed: float = FIXED, each: float = EACH) -> None:
    cost.learn(size, fixed + each * size)


def test_nothing_is_known_before_anything_was_observed() -> None:
    cost = CostModel()
    assert not cost.known
    assert cost.estimate(1) == math.inf
    cost.learn(1, 0.001)
    assert cost.known
    assert cost.estimate(1) == pytest.approx(0.001)


@pytest.mark.parametrize(("fixed", "each"), [(FIXED, EACH), (0.0, EACH), (FIXED, 0.0)])
def test_two_sizes_give_the_line(fixed: float, each: float) -> None:
    cost = CostModel()
    for size in (10, 100):
        observe(cost, size, fixed, each)
    assert cost.fixed == pytest.approx(fixed, abs=1e-12)
    assert cost.each == pytest.approx(each, abs=1e-12)
    assert cost.estimate(1000) == pytest.approx(fixed + 1000 * each)


def test_exact_observations_of_any_sizes_give_the_line() -> None:
    cost, rng = CostModel(), random.Random(0)
    for _ in range(1000):
        observe(cost, rng.randint(1, 200))
    assert cost.fixed == pytest.approx(FIXED, rel=1e-6)
    assert cost.each == pytest.approx(EACH, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_noisy_observations_give_nearly_the_line(seed: int) -> None:
    cost, rng = CostModel(), random.Random(seed)
    for _ in range(1000):
        size = rng.randint(1, 200)
        cost.learn(size, (FIXED + EACH * size) * rng.uniform(0.9, 1.1))
    assert cost.fixed == pytest.approx(FIXED, rel=0.25)
    assert cost.each == pytest.approx(EACH, rel=0.15)
    assert cost.estimate(100) == pytest.approx(FIXED + EACH * 100, rel=0.05)


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_of_one_size_alone_no_part_is_fixed(size: int) -> None:
    cost = CostModel()
    for _ in range(100):
        cost.learn(size, 0.003)
    assert cost.fixed == pytest.approx(0, abs=1e-12)
    assert cost.estimate(size) == pytest.approx(0.003)
    assert cost.estimate(10 * size) == pytest.approx(0.03)


def test_sizes_that_hardly_differ_are_as_one() -> None:
    cost, rng = CostModel(), random.Random(1)
    for _ in range(200):
        cost.learn(rng.randint(99, 101), 0.003 * rng.uniform(0.5, 1.5))
        assert cost.fixed == pytest.approx(0, abs=1e-12)


def test_time_that_falls_with_size_is_all_fixed() -> None:
    cost = CostModel()
    for _ in range(50):
        cost.learn(1, 0.004)
        cost.learn(100, 0.002)
    assert cost.each == 0
    assert 0.002 < cost.fixed < 0.004


def test_an_outlier_counts_as_four_times_the_expected_at_most() -> None:
    once, bounded = CostModel(), CostModel()
    for cost in (once, bounded):
        for _ in range(100):
            cost.learn(1, 0.001)
    once.learn(1, 3600.0)
    bounded.learn(1, 4 * bounded.estimate(1))
    assert once.estimate(1) == bounded.estimate(1)
    assert 0.001 < once.estimate(1) < 0.0012


def test_a_quicker_one_is_taken_as_it_is() -> None:
    cost = CostModel()
    for _ in range(100):
        cost.learn(1, 0.001)
    cost.learn(1, 0.0)
    assert cost.estimate(1) == pytest.approx(0.001 * (1 - 0.03), rel=0.01)


@pytest.mark.parametrize("factor", [0.01, 0.5, 3.0, 100.0])
def test_what_was_learnt_long_ago_is_forgotten(factor: float) -> None:
    cost = CostModel()
    for _ in range(200):
        for size in (1, 100):
            observe(cost, size)
    for _ in range(500):
        for size in (1, 100):
            observe(cost, size, FIXED * factor, EACH * factor)
    assert cost.fixed == pytest.approx(FIXED * factor, rel=0.01)
    assert cost.each == pytest.approx(EACH * factor, rel=0.01)


def test_the_last_thirty_or_so_count() -> None:
    cost = CostModel()
    for _ in range(500):
        cost.learn(1, 0.001)
    for _ in range(23):  # 0.97 ** 23 is a half
        cost.learn(1, 0.003)
    assert cost.estimate(1) == pytest.approx(0.002, rel=0.02)


def test_it_can_be_told_to_begin_anew() -> None:
    cost = CostModel()
    for size in (10, 100):
        observe(cost, size, 1.0, 1.0)
    cost.forget()
    assert not cost.known
    assert cost.estimate(1) == math.inf
    for size in (10, 100):
        observe(cost, size)
    assert cost.fixed == pytest.approx(FIXED)
    assert cost.each == pytest.approx(EACH)


def test_a_clock_too_coarse_to_see_the_first_ones_does_no_harm() -> None:
    cost = CostModel()
    for _ in range(3):
        cost.learn(1, 0.0)
    for _ in range(500):
        cost.learn(1, 0.001)
    assert cost.estimate(1) == pytest.approx(0.001, rel=0.01)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(1e-9, 1e4)), min_size=1, max_size=60))
def test_no_part_is_negative(observations: list[tuple[int, float]]) -> None:
    cost = CostModel()
    for size, seconds in observations:
        cost.learn(size, seconds)
        assert cost.each >= 0
        assert cost.fixed >= -1e-9 * cost.estimate(size)  # but for rounding
        assert 0 < cost.estimate(size) < math.inf
