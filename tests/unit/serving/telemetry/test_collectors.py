"""Our counters and histograms say what prometheus_client's own would say of the same observations."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from predictors.serving.telemetry.buckets import LATENCY_SECONDS, POINTS, PROBABILITY, TOKENS_PER_SECOND
from predictors.serving.telemetry.collectors import Counter, Histogram, exposition

BOUNDS = (0.0001, 0.25, 0.5, 1.0, 2.5, 600.0)
LABELS = ("model", "protocol")
Described = tuple[str, str, str, list[tuple[str, dict[str, str], Any]]]


def exposed(registry: CollectorRegistry) -> list[Described]:
    """What a scrape tells, parsed: each family with its samples in order; sums only nearly, for they are rounded."""
    return [
        (
            family.name,
            family.documentation,
            family.type,
            [
                (
                    sample.name,
                    sample.labels,
                    pytest.approx(sample.value) if sample.name.endswith("_sum") else sample.value,
                )
                for sample in family.samples
                if not sample.name.endswith("_created")
            ],
        )
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        if not family.name.endswith("_created")
    ]


def expected_histogram(values: Iterable[float], bounds: Sequence[float] = BOUNDS) -> list[Described]:
    registry = CollectorRegistry()
    theirs = prometheus_client.Histogram("seconds", "How long.", LABELS, registry=registry, buckets=bounds)
    series = theirs.labels("iris", "v1")
    for value in values:
        series.observe(value)
    return exposed(registry)


def one_by_one(values: Iterable[float], bounds: Sequence[float] = BOUNDS) -> list[Described]:
    registry = CollectorRegistry()
    series = Histogram("seconds", "How long.", LABELS, bounds, registry).labels("iris", "v1")
    for value in values:
        series.observe(value)
    return exposed(registry)


def at_once(values: Sequence[float], bounds: Sequence[float] = BOUNDS) -> list[Described]:
    registry = CollectorRegistry()
    series = Histogram("seconds", "How long.", LABELS, bounds, registry).labels("iris", "v1")
    series.observe_all(np.array(values, dtype=np.float64))
    return exposed(registry)


EDGES = [
    0.0,
    *BOUNDS,
    *(float(np.nextafter(bound, np.inf)) for bound in BOUNDS),
    *(float(np.nextafter(bound, -np.inf)) for bound in BOUNDS),
    1e9,
]


@pytest.mark.parametrize("values", [[], *([value] for value in EDGES), EDGES, [0.3] * 1000], ids=str)
def test_a_histogram_counts_as_prometheus_client_does(values: list[float]) -> None:
    assert one_by_one(values) == expected_histogram(values)
    assert at_once(values) == expected_histogram(values)


@given(st.lists(st.floats(0, 1e6) | st.sampled_from(EDGES), max_size=50))
def test_a_histogram_counts_any_values_as_prometheus_client_does(values: list[float]) -> None:
    expected = expected_histogram(values)
    assert one_by_one(values) == expected
    assert at_once(values) == expected


@pytest.mark.parametrize(
    "bounds",
    [LATENCY_SECONDS, TOKENS_PER_SECOND, POINTS, PROBABILITY, (1.0,), (1, 5, 10)],
    ids=lambda bounds: f"{len(bounds)} to {bounds[-1]}",
)
def test_bounds_are_spelt_as_prometheus_client_spells_them(bounds: Sequence[float]) -> None:
    values = [0.0, *map(float, bounds), 0.3, 700.0]
    assert one_by_one(values, bounds) == expected_histogram(values, bounds)


def test_one_by_one_and_many_at_once_add_up() -> None:
    registry = CollectorRegistry()
    series = Histogram("seconds", "How long.", LABELS, BOUNDS, registry).labels("iris", "v1")
    series.observe(0.5)
    series.observe_all(np.array([0.5, 7.0]))
    series.observe_all(np.array([]))
    series.observe(1e4)
    assert exposed(registry) == expected_histogram([0.5, 0.5, 7.0, 1e4])


def test_a_scrape_is_what_prometheus_client_would_write() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    counters = (
        Counter("requests", 'How "many"\n\\ of them.', LABELS, ours),
        prometheus_client.Counter("requests", 'How "many"\n\\ of them.', LABELS, registry=theirs),
    )
    histograms = (
        Histogram("seconds", "How long.", LABELS, LATENCY_SECONDS, ours),
        prometheus_client.Histogram("seconds", "How long.", LABELS, registry=theirs, buckets=LATENCY_SECONDS),
    )
    Counter("nothing", "Without series.", LABELS, ours)
    prometheus_client.Counter("nothing", "Without series.", LABELS, registry=theirs)
    for registry in (ours, theirs):
        prometheus_client.Gauge("depth", "From prometheus_client.", registry=registry).set(2.5)
    for labels in (("iris", "v1"), ('a "b"\n\\', "ü, {x}")):
        counters[0].labels(*labels).value += 3
        counters[1].labels(*labels).inc(3)
        for histogram in histograms:
            for value in (0.0, 0.00015, 0.75, 1e4):
                histogram.labels(*labels).observe(value)
    expected = [line for line in generate_latest(theirs).splitlines() if b"_created" not in line]
    assert exposition(ours.collect()).splitlines() == expected
    assert generate_latest(ours).splitlines() == expected


def test_each_set_of_labels_has_a_series_of_its_own() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    histograms = (
        Histogram("seconds", 'How "long"\nit\\took.', LABELS, BOUNDS, ours),
        prometheus_client.Histogram("seconds", 'How "long"\nit\\took.', LABELS, registry=theirs, buckets=BOUNDS),
    )
    for histogram in histograms:
        for labels, value in (
            (("iris", "v1"), 0.1),
            (("iris", 'v"2\n\\'), 0.2),
            (("", "v1"), 3.0),
            (("iris", "v1"), 4.0),
        ):
            histogram.labels(*labels).observe(value)
    assert exposed(ours) == exposed(theirs)
    assert len(exposed(ours)[0][3]) == 3 * (len(BOUNDS) + 3)


def test_a_histogram_without_labels_is_one_series() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    Histogram("seconds", "How long.", (), BOUNDS, ours).labels().observe(0.25)
    prometheus_client.Histogram("seconds", "How long.", registry=theirs, buckets=BOUNDS).observe(0.25)
    assert exposed(ours) == exposed(theirs)


@pytest.mark.parametrize("name", ["requests", "bytes_read"])
def test_a_counter_counts_as_prometheus_client_does(name: str) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    counter = Counter(name, "How many.", LABELS, ours)
    expected = prometheus_client.Counter(name, "How many.", LABELS, registry=theirs)
    for labels, count in ((("iris", "v1"), 1), (("intent", 'v"2\n\\'), 41), (("iris", "v1"), 2**53), (("", ""), 0)):
        counter.labels(*labels).value += count
        expected.labels(*labels).inc(count)
    assert exposed(ours) == exposed(theirs)
    assert [value for _, _, value in exposed(ours)[0][3]] == [2**53 + 1.0, 41.0, 0.0]


def test_nothing_is_told_of_labels_that_nobody_asked_for() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    Counter("requests", "How many.", LABELS, ours)
    Histogram("seconds", "How long.", LABELS, BOUNDS, ours)
    prometheus_client.Counter("requests", "How many.", LABELS, registry=theirs)
    prometheus_client.Histogram("seconds", "How long.", LABELS, registry=theirs, buckets=BOUNDS)
    assert exposed(ours) == exposed(theirs)
    assert all(samples == [] for *_, samples in exposed(ours))


def test_the_same_labels_give_the_same_object() -> None:
    registry = CollectorRegistry()
    counter = Counter("requests", "How many.", LABELS, registry)
    histogram = Histogram("seconds", "How long.", LABELS, BOUNDS, registry)
    assert counter.labels("a", "b") is counter.labels("a", "b")
    assert counter.labels("a", "b") is not counter.labels("b", "a")
    assert histogram.labels("a", "b") is histogram.labels("a", "b")
    assert histogram.labels("a", "b") is not histogram.labels("b", "a")


@pytest.mark.parametrize("name", ["requests", "seconds"])
def test_a_name_is_registered_once(name: str) -> None:
    registry = CollectorRegistry()
    Counter("requests", "How many.", LABELS, registry)
    Histogram("seconds", "How long.", LABELS, BOUNDS, registry)
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        Histogram(name, "How long.", LABELS, BOUNDS, registry)
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        prometheus_client.Gauge(name, "How much.", registry=registry)
