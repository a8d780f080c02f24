"""What became of requests that the model itself did not answer."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from predictors.serving.model.standby import Outcome, Reason

Counts: TypeAlias = Mapping[tuple[Reason, Outcome], int]


class FallbackCollector(Collector):
    """Reports them. All series are there from the start, so that an alert sees the first.

    Args:
        name: the model's.
        counts: of requests, by why the model did not answer and what became of them.
    """

    def __init__(self, name: str, counts: Counts) -> None:
        self._name = name
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Read the counts."""
        family = CounterMetricFamily(
            "summarizer_fallback",
            "Requests that the model itself did not answer, by why and by what became of them.",
            labels=("model_name", "reason", "outcome"),
        )
        for reason in Reason:
            for outcome in Outcome:
                family.add_metric([self._name, reason, outcome], self._counts[reason, outcome])
        yield family
