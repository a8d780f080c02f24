"""Which series matter, and what was added to them."""

from hypothesis import given
from hypothesis import strategies as st

from predictors.rollout.metrics.counters import Reading, added, caught_up, reading
from predictors.rollout.metrics.exposition import Reader
from tests.unit.rollout.metrics.fakes import requests

TEXT = """\
process_start_time_seconds 1800000000.25
model_requests_total{model_name="iris",model_version="1",protocol="v1",code="200"} 3
model_requests_total{model_name="iris",model_version="2",protocol="grpc",code="200"} 4
model_requests_total{model_name="iris",model_version="1",protocol="v1",code="500",limit=""} 1
model_requests_total{model_name="iris",model_version="1",protocol="v1",code="429",limit="client"} 50
model_requests_total{model_name="intent",model_version="1",protocol="v1",code="200"} 100
model_requests_total{code="200"} 100
model_queue_depth{model_name="iris"} 7
model_request_latency_seconds_bucket{model_name="iris",le="0.5"} 2
model_request_latency_seconds_count{model_name="iris"} 2
model_request_latency_seconds_sum{model_name="iris"} 0.75
shadow_confusion_total{model_name="iris",stable_label="a",canary_label="b"} 5
"""


def test_only_what_matters_of_one_model_is_read() -> None:
    """What a limit refused says nothing of a variant."""
    assert reading(Reader().points(TEXT), "iris") == Reading(
        {
            ("model_requests_total", "200"): 7,
            ("model_requests_total", "500"): 1,
            ("model_request_latency_seconds_bucket", "0.5"): 2,
            ("model_request_latency_seconds_sum",): 0.75,
            ("shadow_confusion_total", "a", "b"): 5,
        },
        1800000000.25,
    )


def test_metrics_of_another_server_give_nothing() -> None:
    assert reading(Reader().points("go_goroutines 12\nhttp_requests_total 4\n"), "iris") == Reading({}, None)


def test_a_difference() -> None:
    earlier = Reading({("a",): 5, ("b",): 2}, 1.0)
    assert added(earlier, Reading({("a",): 7, ("b",): 2, ("c",): 4}, 1.0)) == {("a",): 2, ("b",): 0, ("c",): 4}


def test_a_process_that_started_again_counts_from_zero() -> None:
    assert added(Reading(requests(5, 1), 1.0), Reading(requests(9, 1), 2.0)) == requests(9, 1)


def test_a_counter_that_fell_tells_of_a_restart_where_nothing_else_does() -> None:
    assert added(Reading(requests(5, 2)), Reading(requests(9, 1))) == requests(9, 1)
    assert added(Reading(requests(5, 1)), Reading(requests(9, 1))) == requests(4, 0)


def test_a_start_time_that_is_missing_once_is_no_restart() -> None:
    assert added(Reading(requests(5, 1), 1.0), Reading(requests(9, 1))) == requests(4, 0)
    later = caught_up(Reading(requests(5, 1), 1.0), Reading(requests(9, 1)))
    assert later == Reading(requests(9, 1), 1.0)


def test_a_series_that_is_missing_once_does_not_count_twice() -> None:
    first, third = Reading({("a",): 5, ("b",): 2}, 1.0), Reading({("a",): 9, ("b",): 3}, 1.0)
    second = caught_up(first, Reading({("a",): 7}, 1.0))
    assert added(second, third) == {("a",): 2, ("b",): 1}


COUNTS = st.dictionaries(st.sampled_from([("a",), ("b", "x")]), st.floats(0, 1e6))
STARTS = st.none() | st.sampled_from([1.0, 2.0])


@given(COUNTS, COUNTS, STARTS, STARTS)
def test_nothing_is_ever_taken_away(
    one: dict[tuple[str, ...], float], other: dict[tuple[str, ...], float], begun: float | None, again: float | None
) -> None:
    earlier, later = Reading(one, begun), Reading(other, again)
    assert all(0 <= count <= other[key] for key, count in added(earlier, later).items())
    assert caught_up(earlier, later).counts.items() >= other.items()
