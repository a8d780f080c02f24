"""Asking the pods themselves."""

import threading

from predictors.rollout.kube.api import Refused
from predictors.rollout.metrics.counters import Reading
from predictors.rollout.metrics.pods import PodSource
from tests.unit.rollout.metrics.fakes import MODEL, NOW, FakePods, exposition, pod, requests, scrapes

ONE, TWO = pod("one"), pod("two")


def test_counters_by_pod() -> None:
    pods = scrapes({"one": exposition(requests(3), NOW), "two": exposition(requests(4, 1))})
    look = PodSource(pods).look([ONE], [TWO], MODEL)
    assert look.readings == {"uid-one": Reading(requests(3), NOW), "uid-two": Reading(requests(4, 1))}
    assert look.faults == ()


def test_no_pods() -> None:
    assert PodSource(FakePods({})).look([], [], MODEL).readings == {}


def test_each_pod_that_cannot_be_read_is_named_with_the_reason() -> None:
    pods = FakePods(
        {
            ("refused", "/metrics"): Refused("you may not"),
            ("locked", "/metrics"): (401, '{"error": "no"}'),
            ("html", "/metrics"): "<html>\n",
            ("cut", "/metrics"): exposition(requests(3))[:-3],
            ("one", "/metrics"): exposition(requests(3)),
        }
    )
    names = ("refused", "locked", "html", "cut", "gone")
    look = PodSource(pods).look([pod(name) for name in names], [ONE], MODEL)
    assert [*look.readings] == ["uid-one"]
    assert look.faults == (
        "/metrics of pod cut cannot be read: it is cut off",
        "/metrics of pod gone cannot be read: connection refused",
        "/metrics of pod html cannot be read: it is not in Prometheus' text format",
        "/metrics of pod locked cannot be read: it answers 401",
        "/metrics of pod refused cannot be read: you may not",
    )


def test_pods_are_asked_together() -> None:
    """Each answers only once all have been asked."""
    texts = {f"p{i}": exposition(requests(i)) for i in range(8)}
    pods = scrapes(texts)
    pods.together = threading.Barrier(8)
    look = PodSource(pods).look([pod(name) for name in texts], [], MODEL)
    assert len(look.readings) == 8


def test_a_pod_that_hangs_does_not_hold_up_the_others() -> None:
    pods = FakePods({("one", "/metrics"): "hang", ("two", "/metrics"): exposition(requests(4))})
    try:
        look = PodSource(pods, patience=0.5).look([ONE], [TWO], MODEL)
    finally:
        pods.release.set()
    assert "uid-one" not in look.readings
    assert "pod one did not answer /metrics in time" in look.faults
