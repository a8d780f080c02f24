"""What language models write is counted by model and version."""

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from predictors.serving.telemetry.answers import AnswerMetrics, Usage

Value = Callable[..., float]
MODEL = {"model_name": "summarizer", "model_version": "7"}
QUOTED, WRITTEN = {"text": "You pay.", "quoted": True}, {"text": "It costs.", "quoted": False}


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
    for points in ([], [QUOTED, WRITTEN]):
        for shortened in (False, True):
            metrics.count_summary("summarizer", "7", points, shortened=shortened)
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
    metrics.count_summary("summarizer", "7", [WRITTEN, QUOTED, WRITTEN], shortened=False)
    metrics.count_summary("summarizer", "7", [WRITTEN], shortened=True)
    metrics.count_summary("summarizer", "7", [], shortened=False)
    metrics.count_summary("summarizer", "7", [], shortened=True)
    metrics.count_late("summarizer", "7", 3)
    assert {name: value("summaries_total", outcome=name) for name in ("complete", "length", "empty", "deadline")} == {
        "complete": 1,
        "length": 1,
        "empty": 2,
        "deadline": 3,
    }
    assert (value("points_total", kind="written"), value("points_total", kind="quoted")) == (3, 1)
    assert (value("summary_points_sum"), value("summary_points_count")) == (4, 4)
    assert value("summary_points_bucket", le="0.0") == 2
