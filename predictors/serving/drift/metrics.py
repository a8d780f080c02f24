"""How far the traffic is from the reference, computed when Prometheus asks."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from predictors.serving.drift.compare import compare
from predictors.serving.drift.watch import Watcher
from predictors.serving.telemetry.collectors import Written, series_name

_ROWS, _DRIFT = "model_drift_rows", "model_drift"


class DriftMetrics(Collector):
    """The gauges of drift.

    Args:
        watchers: of the models.
        registry: where the gauges are registered.
    """

    def __init__(self, watchers: Iterable[Watcher], registry: CollectorRegistry) -> None:
        self._watchers = watchers
        registry.register(self)

    def collect(self) -> Iterator[Written]:
        """Called by prometheus_client at each scrape."""
        rows: list[str] = []
        distances: list[str] = []
        for watcher in self._watchers:
            seen = watcher.seen()
            if seen is None:
                continue
            labels = {"model_name": watcher.name, "model_version": seen.version}
            count = seen.window.rows(watcher.now)
            rows.append(f"{series_name(_ROWS, labels)} {count}\n")
            if not count:  # as most of many versions have none
                continue
            for each in compare(seen.window.layout, seen.window.counts(watcher.now)):
                if not each.enough:
                    continue
                place = labels | {"side": each.distribution.side, "feature": each.distribution.name}
                for statistic, value in (("psi", each.psi), ("js", each.js)):
                    distances.append(f"{series_name(_DRIFT, place | {'statistic': statistic})} {value:.6g}\n")
        yield Written(_ROWS, "Rows in the window that is compared with the reference.", "gauge", rows, {})
        text = (
            "Distance of the window from the reference: psi (population stability index) or js (Jensen-Shannon "
            "distance). There is none while the window has too few rows to tell drift from chance."
        )
        yield Written(_DRIFT, text, "gauge", distances, {})
