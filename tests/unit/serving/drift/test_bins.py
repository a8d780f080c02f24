"""Bins: ties, constants, gaps, huge and tiny numbers, classes that few rows have."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.serving.artifacts.reference import Distribution, Reference
from predictors.serving.drift.bins import affordable_bins, categories_of, edges_of, least_reference_rows
from predictors.serving.drift.columns import Columns
from predictors.serving.drift.distance import MAJOR_PSI, least_rows, population_stability
from predictors.serving.drift.reference import make_reference
from predictors.serving.drift.tally import Layout
from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import FloatArray


def counts(distribution: Distribution, values: FloatArray | list[str | None]) -> list[int]:
    layout = Layout(Reference(distributions=(distribution,)))
    total = layout.empty()
    layout.count({distribution.key: values}, total)
    return layout.part(distribution, total)


def made(values: FloatArray | list[str | None]) -> Distribution:
    (distribution,) = make_reference({("input", "x"): values}, "").distributions
    return distribution


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=12), st.integers(2, 10))
def test_edges_ascend(numbers: list[float], bins: int) -> None:
    values = np.resize(numbers, 101)
    edges = edges_of(values, bins)
    assert 1 <= len(edges) < max(bins, 3)
    assert all(low < high for low, high in pairwise(edges))
    assert all(map(math.isfinite, edges))


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=12))
def test_every_row_is_counted_once(numbers: list[float]) -> None:
    values = np.resize(numbers, 101)
    distribution = made(values)
    assert sum(distribution.counts) == 101
    assert distribution.counts[-1] == 0
    assert list(distribution.counts) == counts(distribution, values)


def test_bins_have_about_as_many_rows_each() -> None:
    distribution = made(np.random.default_rng(0).normal(size=10_000))
    assert len(distribution.edges) == 9
    assert max(distribution.counts[:-1]) - min(distribution.counts[:-1]) <= 1


def test_a_value_that_many_share_has_a_bin_of_its_own() -> None:
    values = np.concatenate([np.zeros(600), np.linspace(-1, 1, 400)])
    distribution = made(values)
    assert max(distribution.counts) in range(600, 605)
    moved = counts(distribution, values + 0.01)
    assert population_stability(moved, distribution.counts) > MAJOR_PSI


def test_an_fp32_value_falls_where_its_fp64_value_does() -> None:
    values = np.repeat([0.1, 0.2, 0.3, 0.7], 60)
    distribution = made(values)
    assert counts(distribution, values.astype(np.float32).astype(np.float64)) == list(distribution.counts)


@pytest.mark.parametrize("value", [0.0, 1.0, -273.15, 3.4e38, -3.4e38, 5e-324, 1e-40])
def test_a_constant_that_changes_is_seen_either_way(value: float) -> None:
    constant = np.full(200, value)
    distribution = made(constant)
    assert sorted(distribution.counts) == [0, 0, 0, 200]
    assert counts(distribution, constant.astype(np.float32).astype(np.float64)) == list(distribution.counts)
    for other in (value - 1e33, value + 1e33):
        assert population_stability(counts(distribution, np.full(200, other)), distribution.counts) > MAJOR_PSI


def test_a_missing_number_has_a_bin_of_its_own() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    distribution = made(values)
    gaps = np.where(np.arange(1000) % 4 == 0, np.nan, values)
    now = counts(distribution, gaps)
    assert now[-1] == 250
    assert distribution.bin_names()[-1] == "missing"
    assert population_stability(now, distribution.counts) > MAJOR_PSI


def test_huge_values_count_in_the_outermost_bins() -> None:
    distribution = made(np.random.default_rng(0).normal(size=1000))
    now = counts(distribution, np.array([-3.4e38, 3.4e38, 1e308, np.inf]))
    assert (now[0], now[-2], now[-1]) == (1, 2, 1)


def test_unseen_and_missing_labels_are_others() -> None:
    distribution = made([*["a"] * 100, *["b"] * 100])
    assert distribution.bin_names() == ["a", "b", "other"]
    assert counts(distribution, ["a", "c", None, "other", ""]) == [1, 0, 4]


def test_a_class_that_the_rows_lack_has_a_place() -> None:
    columns: Columns = {("output", "prediction"): [*["a"] * 100, *["b"] * 100]}
    (distribution,) = make_reference(columns, "", ["a", "b", "c"]).distributions
    assert distribution.categories == ("a", "b", "c")
    assert distribution.counts == (100, 100, 0, 0)
    assert population_stability([100, 100, 100, 0], distribution.counts) > MAJOR_PSI


def test_rare_categories_are_counted_together() -> None:
    values: list[str | None] = [f"frequent {i % 3}" if i < 180 else f"rare {i}" for i in range(200)]
    distribution = made(values)
    assert len(distribution.categories) < affordable_bins(200)
    assert {f"frequent {i}" for i in range(3)} <= {*distribution.categories}
    assert sum(distribution.counts) == 200
    assert len(categories_of([f"{i}" for i in range(10_000)], 10)) == 9


def test_a_column_without_any_value_is_left_out() -> None:
    columns: Columns = {
        ("input", "x"): np.arange(200.0),
        ("input", "nothing"): np.full(200, np.nan),
        ("input", "no text"): [None] * 200,
    }
    assert [each.name for each in make_reference(columns, "").distributions] == ["x"]


def test_of_many_columns_the_first_are_kept_and_all_answers() -> None:
    columns: Columns = {("input", f"{i}"): np.arange(100.0) for i in range(300)}
    columns["output", "confidence"] = np.arange(100.0)
    assert [each.name for each in make_reference(columns, "").distributions] == [*map(str, range(64)), "confidence"]


@pytest.mark.parametrize("rows", [0, 1, 66])
def test_too_few_rows_are_refused(rows: int) -> None:
    assert least_reference_rows() == 67
    with pytest.raises(ArtifactError, match=f"needs at least 67 rows, to tell a shift from chance; there are {rows}$"):
        made(np.arange(float(rows)))
    assert made(np.arange(67.0)).rows == 67


@given(st.integers(67, 10**6))
def test_a_window_needs_at_most_twice_the_reference(rows: int) -> None:
    assert 0 < least_rows(affordable_bins(rows), rows) <= 2 * rows


BAD = {
    "either": {"edges": [1], "categories": ["a"], "counts": [1, 1, 1]},
    "neither": {"counts": [1, 1]},
    "count": {"edges": [1, 2], "counts": [1, 1, 1]},
    "ascend": {"edges": [2, 1], "counts": [1, 1, 1, 1]},
    "equal": {"edges": [1, 1], "counts": [1, 1, 1, 1]},
    "finite": {"edges": [1, "inf"], "counts": [1, 1, 1, 1]},
    "nan": {"edges": ["nan"], "counts": [1, 1, 1]},
    "differ": {"categories": ["a", "a"], "counts": [1, 1, 1]},
    "negative": {"categories": ["a"], "counts": [-1, 2]},
    "empty": {"categories": ["a"], "counts": [0, 0]},
    "huge": {"categories": ["a"], "counts": [2**60, 0]},
    "many": {"categories": [f"{i}" for i in range(70)], "counts": [1] * 71},
    "side": {"side": "both", "categories": ["a"], "counts": [1, 0]},
    "name": {"name": "", "categories": ["a"], "counts": [1, 0]},
    "more": {"categories": ["a"], "counts": [1, 0], "shares": [1]},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD)
def test_a_manifest_with_a_wrong_distribution_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Distribution.model_validate({"side": "input", "name": "x", **fields})


def test_a_name_twice_is_refused() -> None:
    one = Distribution(side="input", name="x", categories=("a",), counts=(1, 0))
    Reference(distributions=(one, one.model_copy(update={"side": "output"})))
    with pytest.raises(ValueError, match="two distributions have the same name"):
        Reference(distributions=(one, one))
