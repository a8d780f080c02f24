"""What language models write is counted by model and version."""

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from predictors.serving.telemetry.answers import AnswerMetrics, Usage

Value = Callable[..., float]
MODEL = {"model_name": "summarizer", "model_version": "7"}
QUOTED, SHORTENED = {"quoted": True}, {"quoted": False}
WRITTEN = {"quoted": False, "quote": "The words."}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> AnswerMetrics:
    return AnswerMetrics(registry)


@pytest.fixture
def value(registry: CollectorRegistry) -> Value:
    def read(name: str, **labels: str) -> float:
        found = registry.get_sample_value(f"summarizer_{name}", {**MODEL, **labels})
        assert found is not None, (name, labels)
        return found

    return read


def test_all_series_are_there_once_the_model_is(metrics: AnswerMetrics, registry: CollectorRegistry) -> None:
    metrics.announce("summarizer", "7")
    before = {(each.name, *sorted(each.labels.items())) for family in registry.collect() for each in family.samples}
    metrics.count_usage("summarizer", "7", Usage(1, 1, 1, 1, 1))
    both: list[list[dict[str, Any]]] = [[], [QUOTED, WRITTEN]]
    for points in both:
        for reason in ("stop", "length", "deadline"):
            metrics.count_summary("summarizer", "7", points, reason)
    metrics.count_late("summarizer", "7", 1)
    families = [*registry.collect()]
    assert all(family.samples for family in families)
    assert {(each.name, *sorted(each.labels.items())) for family in families for each in family.samples} == before


def test_usage(metrics: AnswerMetrics, value: Value) -> None:
    metrics.count_usage("summarizer", "7", Usage(100, 40, 30, 0.25, 2.0))
    metrics.count_usage("summarizer", "8", Usage(1, 1, 1, 1.0, 1.0))
    assert [value("tokens_total", kind=kind) for kind in ("prompt", "cached", "completion")] == [100, 40, 30]
    assert value("time_to_first_token_seconds_sum") == 0.25
    assert value("tokens_per_second_sum") == 15
    assert value("tokens_per_second_count") == 1


def test_an_answer_without_a_token_has_no_speed(metrics: AnswerMetrics, value: Value) -> None:
    metrics.announce("summarizer", "7")
    metrics.count_usage("summarizer", "7", Usage(10, 0, 0, 0.0, 0.0))
    assert value("tokens_total", kind="prompt") == 10
    assert value("tokens_per_second_count") == value("time_to_first_token_seconds_count") == 0


def test_an_answer_that_took_no_time(metrics: AnswerMetrics, value: Value) -> None:
    metrics.count_usage("summarizer", "7", Usage(10, 0, 1, 0.0, 0.0))
    assert value("tokens_per_second_count") == 1


def test_summaries(metrics: AnswerMetrics, value: Value) -> None:
    metrics.count_summary("summarizer", "7", [WRITTEN, QUOTED, WRITTEN], "stop")
    metrics.count_summary("summarizer", "7", [SHORTENED], "length")
    metrics.count_summary("summarizer", "7", [], "stop")
    metrics.count_summary("summarizer", "7", [], "length")
    metrics.count_summary("summarizer", "7", [], "deadline")
    metrics.count_late("summarizer", "7", 3)
    assert {name: value("summaries_total", outcome=name) for name in ("complete", "length", "empty", "deadline")} == {
        "complete": 1,
        "length": 1,
        "empty": 2,
        "deadline": 4,
    }
    assert {kind: value("points_total", kind=kind) for kind in ("written", "quoted", "shortened")} == {
        "written": 2,
        "quoted": 1,
        "shortened": 1,
    }
    assert (value("summary_points_sum"), value("summary_points_count")) == (4, 5)
    assert value("summary_points_bucket", le="0.0") == 3
