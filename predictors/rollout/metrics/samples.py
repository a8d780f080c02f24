"""What was added to counters → signals."""

import math
from collections.abc import Iterable, Iterator, Mapping

from predictors.rollout.metrics.codes import is_client_error, is_success
from predictors.rollout.metrics.counters import Counts
from predictors.rollout.signals import Distribution, Rate, Sample, Shares, Signal

ARROW = " → "
_DISTRIBUTIONS = {
    "latency": "model_request_latency_seconds",
    "confidence": "prediction_confidence",
    "summary_points": "summarizer_summary_points",
    "tokens_per_second": "summarizer_tokens_per_second",
    "time_to_first_token": "summarizer_time_to_first_token_seconds",
}
# Bad categories of a counter, and those that are no evidence.
_RATES = {
    "summary_empty": ("summarizer_summaries_total", {"empty"}, {"deadline"}),
    "summary_cut": ("summarizer_summaries_total", {"deadline"}, set[str]()),
    "summary_quoted": ("summarizer_points_total", {"quoted"}, set[str]()),
}
# The pods of stable export these about the canary.
SHADOW = ("agreement", "confusion")


def sample(counts: Counts) -> Sample:
    """The signals of one pod. A signal is absent if none of its series is there."""
    series = _Series(counts)
    found = {
        "errors": _errors(series["model_requests_total"]),
        "labels": _shares(series["predictions_total"]),
        "agreement": _rate(series["shadow_comparisons_total"], {"differ", "error"}, {"dropped"}),
        "confusion": _shares(series["shadow_confusion_total"]),
        **{name: _rate(series[metric], bad, neither) for name, (metric, bad, neither) in _RATES.items()},
        **{name: _distribution(series, metric) for name, metric in _DISTRIBUTIONS.items()},
    }
    return {name: signal for name, signal in found.items() if signal is not None}


def total(samples: Iterable[Sample]) -> Sample:
    """The signals of several pods together."""
    sums: dict[str, Signal] = {}
    for each in samples:
        for name, signal in each.items():
            sums[name] = _add(sums[name], signal) if name in sums else signal
    return sums


def comparable(stable: Sample, canary: Sample) -> tuple[Sample, Sample]:
    """Both, with the same buckets: those of servers of different versions may differ."""
    for name in stable.keys() & canary.keys():
        one, other = stable[name], canary[name]
        if isinstance(one, Distribution) and isinstance(other, Distribution) and one.bounds != other.bounds:
            bounds = _common(one, other)
            stable, canary = {**stable, name: _coarser(one, bounds)}, {**canary, name: _coarser(other, bounds)}
    return stable, canary


class _Series:
    """Finds the categories of a series, and what was counted in each."""

    def __init__(self, counts: Counts) -> None:
        self._by_name: dict[str, dict[tuple[str, ...], float]] = {}
        for (name, *labels), value in counts.items():
            self._by_name.setdefault(name, {})[tuple(labels)] = value

    def __getitem__(self, name: str) -> Mapping[tuple[str, ...], float]:
        return self._by_name.get(name, {})


def _errors(by_code: Mapping[tuple[str, ...], float]) -> Rate | None:
    if not by_code:
        return None
    good = bad = 0
    for (code,), count in by_code.items():
        if is_success(code):
            good += round(count)
        elif not is_client_error(code):
            bad += round(count)
    return Rate(bad, good + bad)


def _rate(categories: Mapping[tuple[str, ...], float], bad: set[str], neither: set[str]) -> Rate | None:
    if not categories:
        return None
    counted = {name: round(count) for (name,), count in categories.items() if name not in neither}
    return Rate(sum(count for name, count in counted.items() if name in bad), sum(counted.values()))


def _shares(categories: Mapping[tuple[str, ...], float]) -> Shares | None:
    if not categories:
        return None
    return Shares({ARROW.join(names): round(count) for names, count in categories.items()})


def _distribution(series: _Series, metric: str) -> Distribution | None:
    cumulative = sorted(_bounds(series[f"{metric}_bucket"]))
    if not cumulative or cumulative[-1][0] != math.inf:
        return None  # without the bucket for all observations, it is not a whole histogram
    counts, below = [], 0
    for _, count in cumulative:
        counts.append(max(count - below, 0))
        below = max(count, below)
    observed = series[f"{metric}_sum"].get((), 0.0)
    return Distribution(tuple(bound for bound, _ in cumulative[:-1]), tuple(counts), observed)


def _bounds(buckets: Mapping[tuple[str, ...], float]) -> Iterator[tuple[float, int]]:
    """Upper bounds of buckets, and the observations up to each."""
    for (text,), count in buckets.items():
        try:
            bound = float(text)
        except ValueError:
            continue
        if not math.isnan(bound):
            yield bound, round(count)


def _add(one: Signal, other: Signal) -> Signal:
    if isinstance(one, Rate) and isinstance(other, Rate):
        return Rate(one.bad + other.bad, one.total + other.total)
    if isinstance(one, Shares) and isinstance(other, Shares):
        return Shares(
            {name: one.counts.get(name, 0) + other.counts.get(name, 0) for name in {**one.counts, **other.counts}}
        )
    if isinstance(one, Distribution) and isinstance(other, Distribution):
        bounds = _common(one, other)
        counts = (_coarser(each, bounds).counts for each in (one, other))
        return Distribution(bounds, tuple(map(sum, zip(*counts, strict=True))), one.sum + other.sum)
    raise TypeError(f"{type(one).__name__} and {type(other).__name__} have no sum")


def _common(one: Distribution, other: Distribution) -> tuple[float, ...]:
    return one.bounds if one.bounds == other.bounds else tuple(sorted({*one.bounds} & {*other.bounds}))


def _coarser(distribution: Distribution, bounds: tuple[float, ...]) -> Distribution:
    """The same observations in fewer buckets; the bounds are a part of its own."""
    if distribution.bounds == bounds:
        return distribution
    counts, place = [0] * (len(bounds) + 1), 0
    for bound, count in zip((*distribution.bounds, math.inf), distribution.counts, strict=True):
        while place < len(bounds) and bound > bounds[place]:
            place += 1
        counts[place] += count
    return Distribution(bounds, tuple(counts), distribution.sum)
