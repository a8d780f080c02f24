"""Metrics of the model store."""

from collections.abc import Callable, Mapping
from functools import partial

from prometheus_client import Gauge

from predictors.serving.dispatch.state import State
from predictors.serving.store.record import Record
from predictors.serving.telemetry.collectors import Counter
from predictors.serving.telemetry.metrics import Metrics


class StoreMetrics:
    """What the store does.

    Args:
        metrics: of the server.
    """

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self._versions = Gauge(
            "model_versions",
            "Versions of the model in the store, by state.",
            ("model_name", "state"),
            registry=registry,
        )
        self._evictions = Counter(
            "model_evictions", "Versions of the model unloaded to make room for others.", ("model_name",), registry
        )

    def add(self, name: str, records: Callable[[], Mapping[str, Record]]) -> None:
        """Show a model.

        Args:
            name: the model's.
            records: gives its versions.
        """
        for state in State:
            count = partial(_count, records, state)
            self._versions.labels(name, state.value).set_function(count)
        self._evictions.labels(name)

    def count_eviction(self, name: str) -> None:
        """Count a version that was unloaded to make room."""
        self._evictions.labels(name).value += 1


def _count(records: Callable[[], Mapping[str, Record]], state: State) -> float:
    return float(sum(record.model.state is state for record in records().values()))
