"""Counts → signals."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.rollout.metrics.samples import comparable, sample, total
from predictors.rollout.signals import Distribution, Rate, Sample, Shares
from tests.unit.rollout.metrics.fakes import requests, seconds


def latency(bounds: tuple[float, ...], counts: tuple[int, ...]) -> Sample:
    return {"latency": Distribution(bounds, counts, 1.0)}


def test_nothing_gives_no_signal() -> None:
    assert sample({}) == {}
    assert sample({("queue_length", "9"): 3.0}) == {}


def test_failures_of_all_that_counts() -> None:
    codes = {"200": 90, "OK": 5, "503": 3, "DEADLINE_EXCEEDED": 1, "429": 1, "400": 1000, "NOT_FOUND": 7}
    counts: dict[tuple[str, ...], float] = {("model_requests_total", code): count for code, count in codes.items()}
    assert sample(counts) == {"errors": Rate(5, 100)}


def test_that_nothing_happened_is_a_signal_too() -> None:
    assert sample({**requests(0), ("predictions_total", "setosa"): 0.0, **seconds(0, 0, 0)}) == {
        "errors": Rate(0, 0),
        "labels": Shares({"setosa": 0}),
        "latency": Distribution((0.1, 0.2), (0, 0, 0), 0.0),
    }


def test_a_histogram_is_not_cumulative() -> None:
    assert sample(seconds(3, 5, 8))["latency"] == Distribution((0.1, 0.2), (3, 2, 3), 0.1 * 8)


@pytest.mark.parametrize(
    ("bounds", "cumulative", "expected"),
    [
        (("0.1", "0.2"), (3, 5), None),  # cut off before the last bucket
        (("NaN", "0.1", "+Inf"), (7, 3, 5), Distribution((0.1,), (3, 2), 0.5)),
        (("often", "1e-1", "+Inf"), (7, 3, 5), Distribution((0.1,), (3, 2), 0.5)),
        (("+Inf", "10.0", "2.0"), (9, 8, 3), Distribution((2.0, 10.0), (3, 5, 1), 0.9)),
        (("0.1", "0.2", "+Inf"), (5, 3, 6), Distribution((0.1, 0.2), (5, 0, 1), 0.6)),
    ],
)
def test_odd_histograms(bounds: tuple[str, ...], cumulative: tuple[float, ...], expected: Distribution | None) -> None:
    found = sample(seconds(*cumulative, bounds=bounds)).get("latency")
    if expected is None:
        assert found is None
    else:
        assert isinstance(found, Distribution)
        assert found._replace(sum=0) == expected._replace(sum=0)


def test_summaries() -> None:
    outcomes = {"complete": 6, "length": 2, "empty": 2, "deadline": 5}
    counts: dict[tuple[str, ...], float] = {("summarizer_summaries_total", name): n for name, n in outcomes.items()}
    counts |= {("summarizer_points_total", "written"): 30, ("summarizer_points_total", "quoted"): 10}
    assert sample(counts) == {
        "summary_empty": Rate(2, 10),
        "summary_cut": Rate(5, 15),
        "summary_quoted": Rate(10, 40),
    }


def test_shadowed_requests() -> None:
    outcomes = {"agree": 90, "differ": 8, "error": 2, "dropped": 1000}
    counts: dict[tuple[str, ...], float] = {("shadow_comparisons_total", name): n for name, n in outcomes.items()}
    counts |= {("shadow_confusion_total", "setosa", "virginica"): 8, ("shadow_confusion_total", "setosa", "setosa"): 90}
    assert sample(counts) == {
        "agreement": Rate(10, 100),
        "confusion": Shares({"setosa → virginica": 8, "setosa → setosa": 90}),
    }


def test_pods_add_up() -> None:
    one: Sample = {"errors": Rate(1, 10), "labels": Shares({"a": 1, "b": 0}), **latency((1.0, 2.0), (1, 2, 3))}
    other: Sample = {"errors": Rate(2, 5), "labels": Shares({"a": 4, "c": 2}), **latency((1.0, 2.0), (1, 0, 1))}
    assert total([one, other]) == {
        "errors": Rate(3, 15),
        "labels": Shares({"a": 5, "b": 0, "c": 2}),
        "latency": Distribution((1.0, 2.0), (2, 2, 4), 2.0),
    }


def test_a_signal_of_one_pod_alone() -> None:
    assert total([{}, {"errors": Rate(1, 2)}, {}]) == {"errors": Rate(1, 2)}
    assert total([]) == {}


def test_pods_with_other_buckets_add_up_in_those_that_they_share() -> None:
    one, other = latency((1.0, 2.0, 4.0), (1, 2, 3, 4)), latency((0.5, 2.0, 3.0, 4.0), (1, 1, 1, 1, 1))
    assert total([one, other])["latency"] == Distribution((2.0, 4.0), (5, 5, 5), 2.0)


def test_variants_are_compared_in_the_buckets_that_they_share() -> None:
    stable: Sample = {"errors": Rate(0, 1), **latency((1.0, 2.0, 4.0), (1, 2, 3, 4))}
    canary: Sample = latency((0.5, 2.0, 3.0, 4.0), (1, 1, 1, 1, 1))
    assert comparable(stable, canary) == (
        {"errors": Rate(0, 1), **latency((2.0, 4.0), (3, 3, 4))},
        latency((2.0, 4.0), (2, 2, 1)),
    )
    assert comparable(stable, stable) == (stable, stable)


BOUNDS = st.sets(st.sampled_from([0.1, 0.2, 0.5, 1.0, 2.0]), max_size=5).map(sorted)


@st.composite
def distributions(draw: st.DrawFn) -> Distribution:
    bounds = tuple(draw(BOUNDS))
    counts = draw(st.lists(st.integers(0, 50), min_size=len(bounds) + 1, max_size=len(bounds) + 1))
    return Distribution(bounds, tuple(counts), float(sum(counts)))


def up_to(distribution: Distribution, bound: float) -> int:
    return sum(distribution.counts[: sum(each <= bound for each in distribution.bounds)])


@given(st.lists(distributions(), min_size=1, max_size=4))
def test_no_observation_is_lost_or_moved(parts: list[Distribution]) -> None:
    together = total([{"latency": part} for part in parts])["latency"]
    assert isinstance(together, Distribution)
    assert together.total == sum(part.total for part in parts)
    for bound in together.bounds:
        assert up_to(together, bound) == sum(up_to(part, bound) for part in parts)


@given(
    st.dictionaries(
        st.tuples(
            st.sampled_from(["model_requests_total", "predictions_total", "prediction_confidence_bucket"])
        ).flatmap(
            lambda name: st.sampled_from(["", "a", "503", "NaN", "+Inf", "0.5", "-1"]).map(lambda label: (*name, label))
        ),
        st.floats(0, 2.0**53),
    )
)
def test_any_counts_give_signals_that_hold_together(counts: dict[tuple[str, ...], float]) -> None:
    for signal in sample(counts).values():
        if isinstance(signal, Rate):
            assert 0 <= signal.bad <= signal.total
        elif isinstance(signal, Distribution):
            assert len(signal.counts) == len(signal.bounds) + 1
            assert list(signal.bounds) == sorted({*signal.bounds})
            assert min(signal.counts) >= 0
        else:
            assert isinstance(signal, Shares)
            assert Counter(signal.counts).total() >= 0
