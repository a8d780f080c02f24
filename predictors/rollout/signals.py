"""What is measured of the two variants over the same time. The names are the ones that checks refer to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias


class Rate(NamedTuple):
    """How many of some things were bad: failed requests, empty summaries, answers that disagree.

    Args:
        bad: of them.
        total: all.
    """

    bad: int
    total: int


class Distribution(NamedTuple):
    """A histogram.

    Args:
        bounds: ``[B]``, ascending upper bounds of the buckets, without infinity; inclusive, as Prometheus has them.
        counts: ``[B + 1]``, observations in each bucket (not cumulative); the last is above all bounds.
        sum: of all observations.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float = 0.0

    @property
    def total(self) -> int:
        """Number of observations."""
        return sum(self.counts)


class Shares(NamedTuple):
    """How often each category was seen.

    Args:
        counts: by category.
    """

    counts: Mapping[str, int]


class Value(NamedTuple):
    """The result of a query of one's own, at one time; None where it gave nothing.

    Args:
        value: of the query.
    """

    value: float | None


Signal: TypeAlias = Rate | Distribution | Shares | Value
# One variant's signals by name, over one interval. A signal that the variant does not export is absent.
#
# | name | type | |
# |---|---|---|
# | errors | Rate | requests answered with 5xx, a gRPC code that is the server's fault, or a timeout, of all but
# client errors |
# | latency | Distribution | seconds, of answered requests |
# | labels | Shares | predicted labels |
# | confidence | Distribution | probability of the predicted class |
# | summary_points | Distribution | points of a summary |
# | summary_empty, summary_cut | Rate | summaries without a point; cut short by their deadline |
# | summary_quoted | Rate | points that are quotations, of all points |
# | tokens_per_second, time_to_first_token | Distribution | of one answer; seconds |
# | agreement | Rate | shadowed requests whose two answers differ (bad), of those compared; in the canary's sample |
# | confusion | Shares | "stable's label → canary's label" of those; in the canary's sample |
# | custom:NAME | Value | result of a check's own query; in the canary's sample |
Sample: TypeAlias = Mapping[str, Signal]


@dataclass(frozen=True)
class Interval:
    """Both variants over the same stretch of time.

    Args:
        start, end: seconds, on any clock that does not jump.
        weight: share of the canary, percent; the same for the whole interval.
        stable, canary: what was seen of each.
    """

    start: float
    end: float
    weight: int
    stable: Sample = field(default_factory=dict)
    canary: Sample = field(default_factory=dict)
