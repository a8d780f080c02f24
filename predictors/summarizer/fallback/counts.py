"""What became of requests that the model itself did not answer."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Protocol, TypeAlias
from weakref import WeakSet

from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from predictors.serving.model.standby import Outcome, Reason

Counts: TypeAlias = Mapping[tuple[Reason, Outcome], int]


class HasFallback(Protocol):
    """A model with a fallback."""

    name: str
    version: str

    @property
    def fallback_counts(self) -> Counts:
        """Requests, by why the model did not answer and what became of them."""


class FallbackCollector(Collector):
    """Reports them. All series are there from the start, so that an alert sees the first."""

    def __init__(self) -> None:
        self.models: WeakSet[HasFallback] = WeakSet()
        """The models whose requests are reported."""

    def collect(self) -> Iterator[Metric]:
        """Read the counts."""
        family = CounterMetricFamily(
            "summarizer_fallback",
            "Requests that the model itself did not answer, by why and by what became of them.",
            labels=("model_name", "model_version", "reason", "outcome"),
        )
        totals: dict[tuple[str, str], Counter[tuple[Reason, Outcome]]] = {}
        for model in self.models:  # two may have the same name and version: one that has taken the other's place
            totals.setdefault((model.name, model.version), Counter()).update(model.fallback_counts)
        for (name, version), counts in totals.items():
            for reason in Reason:
                for outcome in Outcome:
                    family.add_metric([name, version, reason, outcome], counts[reason, outcome])
        yield family
