"""Distances: equal to SciPy's, finite for whatever counts, and as large by chance as they are said to be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, entropy

from predictors.serving.drift.distance import (
    MAJOR_PSI,
    chance,
    jensen_shannon,
    least_rows,
    population_stability,
)


def pairs() -> st.SearchStrategy[tuple[list[int], list[int]]]:
    return st.integers(2, 12).flatmap(
        lambda size: st.tuples(*(st.lists(st.integers(0, 10**9), min_size=size, max_size=size).filter(any),) * 2)
    )


@given(pairs())
def test_jensen_shannon_is_scipys(counts: tuple[list[int], list[int]]) -> None:
    now, then = counts
    # SciPy takes the root of a rounding error where the two are nearly equal.
    assert jensen_shannon(now, then) == pytest.approx(jensenshannon(now, then, base=2), abs=1e-7)


@given(pairs())
def test_the_index_is_scipys_for_many_rows(counts: tuple[list[int], list[int]]) -> None:
    """Where no bin is empty, half a row a bin hardly counts among millions."""
    now, then = ([10**7 + count for count in side] for side in counts)
    p, q = np.array(now) / sum(now), np.array(then) / sum(then)
    assert population_stability(now, then) == pytest.approx(entropy(p, q) + entropy(q, p), rel=1e-4, abs=1e-9)


@given(pairs())
def test_distances_are_finite_symmetric_and_zero_for_equals(counts: tuple[list[int], list[int]]) -> None:
    now, then = counts
    assert 0 <= population_stability(now, then) < math.inf
    assert population_stability(now, then) == pytest.approx(population_stability(then, now))
    assert population_stability(now, now) == pytest.approx(0, abs=1e-12)
    assert 0 <= jensen_shannon(now, then) <= 1


def test_bins_that_both_lack_add_nothing() -> None:
    assert population_stability([50, 50, 0, 0], [20, 80, 0, 0]) == population_stability([50, 50], [20, 80])


def test_what_the_reference_lacks_counts_by_its_share() -> None:
    """One row among a million is nothing, one in 25 is worth a look, a fifth is a major shift."""
    shifts = [population_stability([count, 10**6 - count], [0, 150]) for count in (1, 40_000, 200_000)]
    assert shifts[0] < 0.001
    assert 0.1 < shifts[1] < MAJOR_PSI < shifts[2]


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 30])
def test_chance_is_chi_squares_quantile(freedom: int) -> None:
    exact = chi2.ppf(0.999, freedom) * (1 / 300 + 1 / 1000)
    assert exact * 0.999 <= chance(freedom + 1, 300, 1000) <= exact * 1.04


@pytest.mark.parametrize(("bins", "reference_rows"), [(2, 80), (3, 150), (8, 150), (10, 11_590)])
def test_chance_exceeds_the_bound_about_once_in_a_thousand(bins: int, reference_rows: int) -> None:
    """Yurdakul's distribution holds for our index too, half a row a bin and rare bins included."""
    random = np.random.default_rng(1)
    shares = random.dirichlet(np.full(bins, 5.0))
    rows = least_rows(bins, reference_rows)
    found = np.array(
        [
            population_stability(
                random.multinomial(rows, shares).tolist(), random.multinomial(reference_rows, shares).tolist()
            )
            for _ in range(2000)
        ]
    )
    assert (found > chance(bins, rows, reference_rows)).mean() <= 0.004
    assert found.mean() == pytest.approx((bins - 1) * (1 / rows + 1 / reference_rows), rel=0.15)


@given(st.integers(1, 70), st.integers(1, 10**6))
def test_least_rows_are_the_first_with_little_chance(bins: int, reference_rows: int) -> None:
    rows = least_rows(bins, reference_rows)
    if rows == 0:
        assert chance(max(bins, 2), 10**9, reference_rows) > MAJOR_PSI * 0.999
    else:
        assert chance(max(bins, 2), rows, reference_rows) <= MAJOR_PSI * (1 + 1e-9)
        assert rows == 1 or chance(max(bins, 2), rows - 1, reference_rows) > MAJOR_PSI * (1 - 1e-9)
