"""Buckets are fine enough to compare versions, and wide enough for every model."""

import itertools

import pytest

from predictors.serving.telemetry.buckets import LATENCY_SECONDS, POINTS, PROBABILITY, TOKENS_PER_SECOND


@pytest.mark.parametrize("bounds", [LATENCY_SECONDS, TOKENS_PER_SECOND], ids=("latency", "tokens"))
def test_neighbours_differ_by_what_a_check_allows(bounds: tuple[float, ...]) -> None:
    ratios = [after / before for before, after in itertools.pairwise(bounds)]
    assert 1.25 < min(ratios) < max(ratios) < 1.27


def test_what_they_reach() -> None:
    assert LATENCY_SECONDS[0] == 0.0001
    assert LATENCY_SECONDS[-1] == 631
    assert (TOKENS_PER_SECOND[0], TOKENS_PER_SECOND[-1]) == (0.1, 10_000)
    assert (PROBABILITY[0], PROBABILITY[-1]) == (0.25, 1)
    assert POINTS[0] == 0


def test_powers_of_ten_are_bounds_exactly() -> None:
    assert {*LATENCY_SECONDS} >= {0.0001, 0.001, 0.01, 0.1, 1, 10, 100}


@pytest.mark.parametrize("bounds", [LATENCY_SECONDS, TOKENS_PER_SECOND, POINTS, PROBABILITY], ids=len)
def test_they_ascend(bounds: tuple[float, ...]) -> None:
    assert list(bounds) == sorted({*bounds})
