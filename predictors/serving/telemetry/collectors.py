"""Counters and histograms that cost a fraction of a microsecond, for what is counted with every request.

prometheus_client's own cost up to five microseconds: they search the buckets one by one, and take a lock although only
one thread writes. These are written by the event loop alone, and converted to prometheus_client's form at each scrape.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

T = TypeVar("T")

_FORMAT: Callable[[float], str] = floatToGoString


class _Family(Collector, Generic[T]):
    """A metric that keeps a value for each set of labels."""

    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], new: Callable[[], T], registry: CollectorRegistry
    ) -> None:
        self._name, self._text, self._label_names, self._new = name, text, labels, new
        self._values: dict[tuple[str, ...], T] = {}
        registry.register(self)

    def labels(self, *values: str) -> T:
        """The value under these labels; the same object each time."""
        value = self._values.get(values)
        if value is None:
            value = self._values[values] = self._new()
        return value

    def describe(self) -> Iterable[Metric]:
        """For the registry, which refuses a second metric of the same name."""
        return self.collect()


class Tally:
    """The count under one set of labels."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Counter(_Family[Tally]):
    """A metric with a tally for each set of labels.

    Args:
        name: the metric's, without ``_total``.
        text: what it is.
        labels: the labels' names.
        registry: where it is registered.
    """

    def __init__(self, name: str, text: str, labels: tuple[str, ...], registry: CollectorRegistry) -> None:
        super().__init__(name, text, labels, Tally, registry)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Called by prometheus_client at each scrape."""
        family = CounterMetricFamily(self._name, self._text, labels=self._label_names)
        for values, tally in self._values.items():
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


class Histogram(_Family[Series]):
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
        self._bounds = tuple(bounds)
        super().__init__(name, text, labels, lambda: Series(self._bounds), registry)
        if not labels:
            self.labels()  # its only series, which starts at 0

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Called by prometheus_client at each scrape."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._label_names)
        for values, series in self._values.items():
            total, buckets = 0, []
            for bound, count in zip((*self._bounds, float("inf")), series.counts, strict=True):
                total += count
                buckets.append((_FORMAT(bound), total))
            family.add_metric(values, buckets, series.total)
        yield family
