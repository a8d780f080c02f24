"""The names that are read are those that the predictors export."""

import pytest
from prometheus_client import CollectorRegistry

from predictors.rollout.metrics.counters import SERIES, Reading, reading
from predictors.rollout.metrics.exposition import Reader
from predictors.rollout.metrics.samples import sample
from predictors.rollout.signals import Sample
from predictors.serving.shadow.metrics import Outcome, ShadowMetrics
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.metrics import Metrics

MODEL = "summarizer"
# One model does not have all of these, but a server may.
SIGNALS = {
    "errors", "latency", "labels", "confidence", "summary_points", "summary_empty", "summary_cut", "summary_quoted",
    "tokens_per_second", "time_to_first_token", "agreement", "confusion",
}  # fmt: skip


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


def exported(metrics: Metrics) -> str:
    return metrics.exposition().decode()


def announced(metrics: Metrics) -> None:
    metrics.announce(MODEL, "7", ("yes", "no"))
    metrics.answers.announce(MODEL, "7")


def read(metrics: Metrics) -> Reading:
    return reading(Reader().points(exported(metrics)), MODEL)


def signals(metrics: Metrics) -> Sample:
    return sample(read(metrics).counts)


def test_every_series_that_is_read_is_exported_with_the_labels_that_matter(metrics: Metrics) -> None:
    announced(metrics)
    shadow = ShadowMetrics(metrics.registry)
    shadow.count(MODEL, "7", Outcome.AGREE, "8")
    shadow.count_labels(MODEL, [("yes", "no")], ("yes", "no"))
    labels: dict[str, set[str]] = {point.name: {*point.labels} for point in Reader().points(exported(metrics))}
    for name, matter in SERIES.items():
        assert {"model_name", *matter} <= labels[name], name
    assert {*signals(metrics)} == SIGNALS
    assert read(metrics).started


def test_signals_of_a_model_that_was_loaded_are_there_without_a_request(metrics: Metrics) -> None:
    announced(metrics)
    assert {*signals(metrics)} == SIGNALS - {"agreement", "confusion"}
    metrics.announce("iris", "1", ())
    assert {*sample(reading(Reader().points(exported(metrics)), "iris").counts)} == {"errors", "latency"}


def test_all_outcomes_of_shadowed_requests_are_known(metrics: Metrics) -> None:
    shadow = ShadowMetrics(metrics.registry)
    for outcome, count in zip(Outcome, (100, 10, 1, 1000), strict=True):
        for _ in range(count):
            shadow.count(MODEL, "7", outcome, "8")
    assert signals(metrics)["agreement"] == (11, 111)


def test_a_request_without_a_code_is_a_failure(metrics: Metrics) -> None:
    call = Call("1", "/", "v2")
    call.model = MODEL
    metrics.count_request(call)
    assert signals(metrics)["errors"] == (1, 1)
