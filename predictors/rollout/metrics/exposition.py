"""Prometheus' text format."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

# A float counts exactly up to here; what claims to have counted further is no count.
_GREATEST = 2.0**53
# Far more than the predictors of one rollout have. What exports more than that is parsed again each time.
_MOST_SERIES = 20_000


class Point(NamedTuple):
    """One series at one time.

    Args:
        name: of the series, such as `model_requests_total` or `prediction_confidence_bucket`.
        labels: by name.
        value: finite and not negative.
    """

    name: str
    labels: Mapping[str, str]
    value: float


class _Series(NamedTuple):
    """A series: what a line of an exposition begins with."""

    name: str
    labels: Mapping[str, str]
    identity: tuple[str, frozenset[tuple[str, str]]]


class Reader:
    """Reads expositions.

    Those of one server have the same series each time, and so have those of its replicas. Each is parsed once, for a
    parser in Python takes tens of microseconds for a line, and a histogram has a hundred. Used by several threads.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Series] = {}

    def points(self, text: str) -> list[Point]:
        """Read an exposition. Values that no counter can have are left out; of equal series, the last counts.

        Raises:
            ValueError: it is not in the format, or cut off.
        """
        if not text.endswith("\n"):
            raise ValueError("it is cut off")
        found: dict[tuple[str, frozenset[tuple[str, str]]], Point] = {}
        for line in map(str.strip, text.split("\n")):
            if line and not line.startswith("#"):
                series, value = self._read(line)
                if usable(value):
                    found[series.identity] = Point(series.name, series.labels, value)
        return list(found.values())

    def _read(self, line: str) -> tuple[_Series, float]:
        head, _, number = line.rpartition(" ")
        known = self._known.get(head)
        if known is not None:
            return known, _number(number)
        series, value = _parsed(line)
        # With a time after its value, what stands before the last space is not only the series.
        if (head.endswith("}") or " " not in head) and len(self._known) < _MOST_SERIES:
            self._known[head] = series
        return series, value


def usable(value: float) -> bool:
    """Whether a counter can have this value."""
    return math.isfinite(value) and 0 <= value <= _GREATEST


def _parsed(line: str) -> tuple[_Series, float]:
    try:
        (family,) = text_string_to_metric_families(line)
        (sample,) = family.samples
    except (ValueError, IndexError, KeyError, TypeError):  # the parser's own are as various as the faults
        raise ValueError("it is not in Prometheus' text format") from None
    identity = sample.name, frozenset(sample.labels.items())
    return _Series(sample.name, sample.labels, identity), sample.value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("it is not in Prometheus' text format") from None
