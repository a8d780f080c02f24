"""Pods come, go, restart and fall silent; what they counted is neither lost nor counted twice."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.rollout.kube.api import Object
from predictors.rollout.metrics.meter import Meter
from predictors.rollout.signals import Distribution, Interval, Rate, Value
from tests.unit.rollout.metrics.fakes import MODEL, NOW, FakeSource, pod, requests, seconds

STABLE, OTHER, CANARY, LATE = pod("stable-1"), pod("stable-2"), pod("canary-1"), pod("canary-2")
LONG_AGO = NOW - 86_400


class Bench:
    """A meter, looked at every five seconds."""

    def __init__(self) -> None:
        self.source = FakeSource()
        self.meter = Meter(self.source, MODEL)
        self.now = NOW

    def look(
        self, stable: Sequence[Object] = (STABLE,), canary: Sequence[Object] = (CANARY,), weight: int = 5
    ) -> Interval | None:
        interval = self.meter.look(stable, canary, weight, self.now)
        self.now += 5
        return interval

    def errors(
        self, stable: Sequence[Object] = (STABLE,), canary: Sequence[Object] = (CANARY,)
    ) -> tuple[object, object]:
        interval = self.look(stable, canary)
        assert interval is not None
        return interval.stable.get("errors"), interval.canary.get("errors")


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.source.set(STABLE, requests(1000, 10), LONG_AGO)
    bench.source.set(CANARY, requests(50, 0), LONG_AGO)
    return bench


def test_the_first_look_is_what_later_ones_are_compared_with(bench: Bench) -> None:
    assert bench.look() is None
    bench.source.set(STABLE, requests(1090, 10), LONG_AGO)
    bench.source.set(CANARY, requests(54, 1), LONG_AGO)
    assert bench.look() == Interval(NOW, NOW + 5, 5, {"errors": Rate(0, 90)}, {"errors": Rate(1, 5)})
    assert bench.errors() == (Rate(0, 0), Rate(0, 0))


def test_a_variants_pods_are_summed(bench: Bench) -> None:
    bench.source.set(OTHER, requests(7), LONG_AGO)
    bench.look((STABLE, OTHER))
    bench.source.set(STABLE, requests(1001, 11), LONG_AGO)
    bench.source.set(OTHER, requests(9), LONG_AGO)
    assert bench.errors((STABLE, OTHER)) == (Rate(1, 4), Rate(0, 0))


def test_all_that_a_new_pod_counted_is_new(bench: Bench) -> None:
    bench.look()
    bench.source.set(LATE, requests(3, 1), NOW + 2)
    assert bench.errors(canary=(CANARY, LATE)) == (Rate(0, 0), Rate(1, 4))


@pytest.mark.parametrize("started", [LONG_AGO, None])
def test_what_an_older_pod_counted_before_is_not_new(bench: Bench, started: float | None) -> None:
    bench.look()
    bench.source.set(LATE, requests(300, 100), started)
    assert bench.errors(canary=(CANARY, LATE)) == (Rate(0, 0), Rate(0, 0))
    bench.source.set(LATE, requests(303, 101), started)
    assert bench.errors(canary=(CANARY, LATE)) == (Rate(0, 0), Rate(1, 4))


def test_at_the_first_look_no_pod_is_new(bench: Bench) -> None:
    bench.source.set(CANARY, requests(3, 1), NOW + 1)
    bench.look()
    assert bench.errors() == (Rate(0, 0), Rate(0, 0))


def test_a_container_that_was_restarted_counts_from_zero(bench: Bench) -> None:
    bench.look()
    bench.source.set(CANARY, requests(60, 3), NOW + 1)
    assert bench.errors() == (Rate(0, 0), Rate(3, 63))


def test_a_pod_of_the_same_name_is_another(bench: Bench) -> None:
    bench.look()
    again = pod("canary-1", "uid-again")
    bench.source.set(again, requests(51, 2), NOW + 1)
    assert bench.errors(canary=(again,)) == (Rate(0, 0), Rate(2, 53))


def test_a_silent_pod_is_left_out_and_catches_up(bench: Bench) -> None:
    bench.look()
    last = bench.source.readings.pop("uid-canary-1")
    assert bench.errors() == (Rate(0, 0), None)
    assert bench.meter.faults == ("uid-canary-1 is silent",)
    bench.source.set(CANARY, requests(58, 2), last.started)
    assert bench.errors() == (Rate(0, 0), Rate(2, 10))
    assert not bench.meter.faults


def test_a_pod_that_is_not_ready_for_a_while_catches_up(bench: Bench) -> None:
    bench.look()
    assert bench.errors(canary=()) == (Rate(0, 0), None)
    bench.source.set(CANARY, requests(58, 2), LONG_AGO)
    assert bench.errors() == (Rate(0, 0), Rate(2, 10))


def test_a_pod_that_is_gone_takes_nothing_away(bench: Bench) -> None:
    bench.source.set(OTHER, requests(500), LONG_AGO)
    bench.look((STABLE, OTHER))
    bench.source.set(STABLE, requests(1005, 10), LONG_AGO)
    assert bench.errors((STABLE,)) == (Rate(0, 5), Rate(0, 0))


def test_a_pod_that_is_gone_for_long_is_forgotten(bench: Bench) -> None:
    bench.look()
    bench.look(canary=())
    bench.now += 2 * 3600
    bench.look(canary=())
    bench.source.set(CANARY, requests(500, 0), LONG_AGO)
    assert bench.errors() == (Rate(0, 0), None)
    assert bench.errors() == (Rate(0, 0), Rate(0, 0))


def test_an_interval_has_one_weight(bench: Bench) -> None:
    assert bench.look(weight=5) is None
    assert bench.look(weight=25) is None
    bench.source.set(CANARY, requests(58, 2), LONG_AGO)
    interval = bench.look(weight=25)
    assert interval is not None
    assert (interval.start, interval.end, interval.weight) == (NOW + 5, NOW + 10, 25)
    assert interval.canary == {"errors": Rate(2, 10)}


def test_a_promoted_pod_is_measured_as_stables(bench: Bench) -> None:
    bench.look()
    bench.source.set(CANARY, requests(60), LONG_AGO)
    assert bench.errors((STABLE, CANARY), ()) == (Rate(0, 10), None)


def test_what_stables_pods_compare_is_about_the_canary(bench: Bench) -> None:
    bench.look()
    shadow = {("shadow_comparisons_total", "agree"): 9.0, ("shadow_comparisons_total", "differ"): 1.0}
    bench.source.set(STABLE, requests(1000, 10) | shadow, LONG_AGO)
    bench.source.set(CANARY, requests(50, 0) | {("shadow_comparisons_total", "differ"): 4.0}, LONG_AGO)
    interval = bench.look()
    assert interval is not None
    assert (interval.stable, interval.canary) == (
        {"errors": Rate(0, 0)},
        {"errors": Rate(0, 0), "agreement": Rate(1, 10)},
    )


def test_both_variants_have_the_same_buckets(bench: Bench) -> None:
    bench.look()
    bench.source.set(STABLE, seconds(1, 2, 3), LONG_AGO)
    bench.source.set(CANARY, seconds(1, 2, 3, bounds=("0.15", "0.2", "+Inf")), LONG_AGO)
    interval = bench.look()
    assert interval is not None
    for each in (interval.stable["latency"], interval.canary["latency"]):
        assert isinstance(each, Distribution)
        assert (each.bounds, each.counts) == ((0.2,), (2, 1))


def test_results_of_queries_are_in_the_canarys_sample(bench: Bench) -> None:
    bench.source.values = {"memory": 3.5, "none": None}
    bench.look()
    interval = bench.look()
    assert interval is not None
    assert interval.canary == {
        "errors": Rate(0, 0), "custom:memory": Value(3.5), "custom:none": Value(None)
    }  # fmt: skip


@given(st.data())
def test_what_pods_counted_while_known_is_counted_once(data: st.DataObject) -> None:
    """However pods answer, and start again: all is counted but what a process counted after its last look."""
    bench, pods = Bench(), [pod(f"p{i}") for i in range(3)]
    counts, started = [5] * 3, [LONG_AGO] * 3
    for each in pods:
        bench.source.set(each, requests(5), LONG_AGO)
    bench.look(pods, ())
    seen, expected = counts.copy(), 0
    measured = 0
    starts = itertools.count(1)
    for _ in range(data.draw(st.integers(1, 6))):
        bench.source.readings.clear()
        for i, each in enumerate(pods):
            if data.draw(st.booleans(), f"{i} restarts"):
                counts[i], seen[i], started[i] = 0, 0, NOW + next(starts) / 1024
            counts[i] += data.draw(st.integers(0, 9))
            if data.draw(st.booleans(), f"{i} answers"):
                bench.source.set(each, requests(counts[i]), started[i])
                expected += counts[i] - seen[i]
                seen[i] = counts[i]
        errors, _ = bench.errors(pods, ())
        measured += errors.total if isinstance(errors, Rate) else 0
    assert measured == expected
