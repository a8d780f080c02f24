"""Counters and histograms that cost a fraction of a microsecond, for what is counted with every request.

prometheus_client's own take up to five microseconds: they search the buckets one by one, and take a lock although only
one thread writes. These are written by the event loop alone, and handed to prometheus_client at each scrape.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_FORMAT: Callable[[float], str] = floatToGoString


class _Metric(Collector):
    def describe(self) -> Iterable[Metric]:
        """For the registry, which refuses a second metric of the same name."""
        return self.collect()


class Tally:
    """The count under one set of labels."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Counter(_Metric):
    """A metric with a tally for each set of labels.

    Args:
        name: the metric's, without ``_total``.
        text: what it is.
        labels: the labels' names.
        registry: where it is registered.
    """

    def __init__(self, name: str, text: str, labels: tuple[str, ...], registry: CollectorRegistry) -> None:
        self._name, self._text, self._labels = name, text, labels
        self._tallies: dict[tuple[str, ...], Tally] = {}
        registry.register(self)

    def labels(self, *values: str) -> Tally:
        """The tally under these values of the labels; the same object each time."""
        tally = self._tallies.get(values)
        if tally is None:
            tally = self._tallies[values] = Tally()
        return tally

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What prometheus_client asks for at each scrape."""
        family = CounterMetricFamily(self._name, self._text, labels=self._labels)
        for values, tally in self._tallies.items():
            family.add_metric(values, tally.value)
        yield family


class Series:
    """The observations under one set of labels.

    Args:
        bounds: upper bounds of the buckets, ascending; one more bucket takes the rest.
    """

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def observe_all(self, values: NDArray[np.float64]) -> None:
        """Count many values at once, float64 ``[N]``."""
        places = np.searchsorted(self._bounds, values)
        for place, count in enumerate(np.bincount(places, minlength=len(self.counts)).tolist()):
            self.counts[place] += count
        self.total += float(values.sum())


class Histogram(_Metric):
    """A metric with a series for each set of labels.

    Args:
        name: the metric's.
        text: what it is.
        labels: the labels' names.
        bounds: upper bounds of the buckets, ascending.
        registry: where it is registered.
    """

    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._text, self._labels, self._bounds = name, text, labels, tuple(bounds)
        self._series: dict[tuple[str, ...], Series] = {}
        if not labels:
            self.labels()  # there is but one, and it is 0 at first
        registry.register(self)

    def labels(self, *values: str) -> Series:
        """The series under these values of the labels; the same object each time."""
        series = self._series.get(values)
        if series is None:
            series = self._series[values] = Series(self._bounds)
        return series

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What prometheus_client asks for at each scrape."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for values, series in self._series.items():
            total, buckets = 0, []
            for bound, count in zip((*self._bounds, float("inf")), series.counts, strict=True):
                total += count
                buckets.append((_FORMAT(bound), total))
            family.add_metric(values, buckets, series.total)
        yield family
