"""Counters and histograms that cost a fraction of a microsecond, for what is counted with every request.

prometheus_client's own cost up to five microseconds: they search the buckets one by one, and take a lock although only
one thread writes. These are written by the event loop alone. They also write their own part of a scrape, since
prometheus_client takes eight microseconds a line, and a histogram has a hundred: no request is answered meanwhile.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

_EOF = b"# EOF\n"
_FORMAT: Callable[[float], str] = floatToGoString
_openmetrics: Callable[[Collector], bytes] = generate_openmetrics


class Written(Metric):
    """A metric with its text. Samples are made of it only for those who ask, which a scrape does not.

    Args:
        name, text: the metric's, as in prometheus_client.
        kind: counter or histogram.
        series: its lines, without those that describe it.
        exemplars: what OpenMetrics has behind some of these lines, by the line's place.
    """

    def __init__(self, name: str, text: str, kind: str, series: list[str], exemplars: dict[int, str]) -> None:
        super().__init__(name, text, kind)
        del self.samples  # the base class's empty list, which would hide ours
        self._series, self._exemplars = series, exemplars

    @cached_property
    def lines(self) -> str:
        """Its part of an exposition in Prometheus' text format."""
        name = self.name + "_total" * (self.type == "counter")
        return "".join((self._head(name), *self._series))

    @property
    def openmetrics(self) -> str:
        """Its part of an exposition in OpenMetrics' format."""
        lines = self._series.copy()
        for place, exemplar in self._exemplars.items():
            lines[place] = f"{lines[place][:-1]}{exemplar}\n"
        return "".join((self._head(self.name), *lines))

    def _head(self, name: str) -> str:
        text = self.documentation.replace("\\", r"\\").replace("\n", r"\n")
        return f"# HELP {name} {text}\n# TYPE {name} {self.type}\n"

    @cached_property
    def samples(self) -> list[Sample]:  # type: ignore[override]  # as good as a list that was filled before
        """The series and their values."""
        return [sample for family in text_string_to_metric_families(self.lines) for sample in family.samples]


def exposition(metrics: Iterable[Metric]) -> bytes:
    """Prometheus' text format of metrics, whoever they are from."""
    return b"".join(
        each.lines.encode() if isinstance(each, Written) else generate_latest(_Single(each)) for each in metrics
    )


def openmetrics_exposition(metrics: Iterable[Metric]) -> bytes:
    """The same in OpenMetrics' format, with exemplars."""
    parts = (
        each.openmetrics.encode() if isinstance(each, Written) else _openmetrics(_Single(each)).removesuffix(_EOF)
        for each in metrics
    )
    return b"".join((*parts, _EOF))


class _Single(Collector):
    """One metric, to be written by prometheus_client."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        return (self._metric,)


class _Numbers(Protocol):
    """What is kept for one set of labels."""

    def numbers(self) -> Sequence[str]:
        """The values of its series, in their order."""

    def exemplars(self) -> dict[int, str]:
        """What OpenMetrics has behind some of these, by their place."""


T = TypeVar("T", bound=_Numbers)


class _Family(Collector, Generic[T]):
    """A metric that keeps a value for each set of labels."""

    kind: str

    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], new: Callable[[], T], registry: CollectorRegistry
    ) -> None:
        self._name, self._text, self._label_names, self._new = name, text, labels, new
        self._values: dict[tuple[str, ...], T] = {}
        self._series: dict[tuple[str, ...], tuple[str, ...]] = {}  # as they are written, but for their values
        registry.register(self)

    def labels(self, *values: str) -> T:
        """The value under these labels; the same object each time."""
        value = self._values.get(values)
        if value is None:
            value = self._values[values] = self._new()
            self._series[values] = self._named(dict(zip(self._label_names, values, strict=True)))
        return value

    def forget(self, *first: str) -> None:
        """Drop the series whose first labels have these values."""
        for values in [values for values in self._values if values[: len(first)] == first]:
            del self._values[values], self._series[values]

    def _named(self, labels: dict[str, str]) -> tuple[str, ...]:
        """The names of the series under a set of labels."""
        raise NotImplementedError

    def collect(self) -> Iterator[Written]:
        """Called by prometheus_client at each scrape."""
        lines: list[str] = []
        exemplars: dict[int, str] = {}
        for values, value in self._values.items():
            exemplars |= {len(lines) + place: text for place, text in value.exemplars().items()}
            lines += [
                f"{series} {number}\n" for series, number in zip(self._series[values], value.numbers(), strict=True)
            ]
        yield Written(self._name, self._text, self.kind, lines, exemplars)

    def describe(self) -> Iterable[Metric]:
        """For the registry, which refuses a second metric of the same name."""
        return self.collect()


def series_name(name: str, labels: dict[str, str]) -> str:
    """A series as the text format writes it, its labels in alphabetical order."""
    inside = ",".join(f'{label}="{_escaped(labels[label])}"' for label in sorted(labels))
    return f"{name}{{{inside}}}" if inside else name


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


class Tally:
    """The count under one set of labels."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def numbers(self) -> Sequence[str]:
        """The count."""
        return (f"{self.value}.0",)

    def exemplars(self) -> dict[int, str]:
        """None."""
        return {}


class Counter(_Family[Tally]):
    """A metric with a tally for each set of labels.

    Args:
        name: the metric's, without ``_total``.
        text: what it is.
        labels: the labels' names.
        registry: where it is registered.
    """

    kind = "counter"

    def __init__(self, name: str, text: str, labels: tuple[str, ...], registry: CollectorRegistry) -> None:
        super().__init__(name, text, labels, Tally, registry)

    def _named(self, labels: dict[str, str]) -> tuple[str, ...]:
        return (series_name(f"{self._name}_total", labels),)


class Series:
    """The observations under one set of labels.

    Args:
        bounds: upper bounds of the buckets, ascending; one more bucket takes the rest.
    """

    __slots__ = ("_bounds", "_exemplars", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self._exemplars: dict[int, str] = {}

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def exemplify(self, value: float, trace_id: str) -> None:
        """Let a bucket name the trace of the last value that it got, which has been observed."""
        exemplar = f' # {{trace_id="{trace_id}"}} {_FORMAT(value)} {time.time():.3f}'
        self._exemplars[bisect_left(self._bounds, value)] = exemplar

    def exemplars(self) -> dict[int, str]:
        """The last trace of each bucket that has one."""
        return self._exemplars

    def observe_all(self, values: NDArray[np.float64]) -> None:
        """Count many values at once, float64 ``[N]``."""
        places = np.searchsorted(self._bounds, values)
        for place, count in enumerate(np.bincount(places, minlength=len(self.counts)).tolist()):
            self.counts[place] += count
        self.total += float(values.sum())

    def numbers(self) -> Sequence[str]:
        """The observations up to each bound, all of them, and their sum."""
        numbers = [f"{count}.0" for count in accumulate(self.counts)]
        return *numbers, numbers[-1], _FORMAT(self.total)


class Histogram(_Family[Series]):
    """A metric with a series for each set of labels.

    Args:
        name: the metric's.
        text: what it is.
        labels: the labels' names.
        bounds: upper bounds of the buckets, ascending.
        registry: where it is registered.
    """

    kind = "histogram"

    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._bounds = tuple(bounds)
        super().__init__(name, text, labels, lambda: Series(self._bounds), registry)

    def _named(self, labels: dict[str, str]) -> tuple[str, ...]:
        bounds = (*self._bounds, float("inf"))
        return (
            *(series_name(f"{self._name}_bucket", {**labels, "le": _FORMAT(bound)}) for bound in bounds),
            series_name(f"{self._name}_count", labels),
            series_name(f"{self._name}_sum", labels),
        )
