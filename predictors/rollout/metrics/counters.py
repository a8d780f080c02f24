"""The counters of one model in one pod, and what was added to them between two readings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from predictors.rollout.metrics.exposition import Point

Key: TypeAlias = tuple[str, ...]
Counts: TypeAlias = Mapping[Key, float]
"""Values by the name of the series and of those of its labels that matter; summed over the others."""

STARTED = "process_start_time_seconds"
# Names the rate limit that refused a request: that says nothing of the variant, so it is not counted at all.
LIMIT = "limit"
# The labels that matter, by series. A test holds the names against what the server exports.
COUNTERS: Mapping[str, tuple[str, ...]] = {
    "model_requests_total": ("code",),
    "predictions_total": ("label",),
    "summarizer_summaries_total": ("outcome",),
    "summarizer_points_total": ("kind",),
    "shadow_comparisons_total": ("outcome",),
    "shadow_confusion_total": ("stable_label", "canary_label"),
}
HISTOGRAMS = (
    "model_request_latency_seconds",
    "prediction_confidence",
    "summarizer_summary_points",
    "summarizer_tokens_per_second",
    "summarizer_time_to_first_token_seconds",
)
SERIES: Mapping[str, tuple[str, ...]] = {
    **COUNTERS,
    **{f"{name}_bucket": ("le",) for name in HISTOGRAMS},
    **{f"{name}_sum": () for name in HISTOGRAMS},
}


@dataclass(frozen=True)
class Reading:
    """What one pod had counted at one time.

    Args:
        counts: of one model.
        started: when its process started, seconds since 1970; None if it does not say.
    """

    counts: Counts
    started: float | None = None


def reading(points: Iterable[Point], model_name: str) -> Reading:
    """Pick what matters of a model."""
    counts: dict[Key, float] = {}
    started = None
    for name, labels, value in points:
        if name == STARTED:
            started = value
        elif name in SERIES and labels.get("model_name") == model_name and not labels.get(LIMIT):
            key = (name, *(labels.get(label, "") for label in SERIES[name]))
            counts[key] = counts.get(key, 0) + value
    return Reading(counts, started)


def added(earlier: Reading, later: Reading) -> Counts:
    """What was counted between two readings of one pod; after a restart, all that the later reading has."""
    if _restarted(earlier, later):
        return later.counts
    return {key: max(value - earlier.counts.get(key, 0), 0.0) for key, value in later.counts.items()}


def caught_up(earlier: Reading, later: Reading) -> Reading:
    """The later reading, with earlier values of series that it lacks, which else would count twice when they return."""
    if _restarted(earlier, later):
        return later
    started = earlier.started if later.started is None else later.started
    return Reading({**earlier.counts, **later.counts}, started)


def _restarted(earlier: Reading, later: Reading) -> bool:
    """Whether the counters began at 0 again; where the process does not say when it started, one of them has fallen."""
    if earlier.started is not None and later.started is not None:
        return earlier.started != later.started
    return any(value < earlier.counts.get(key, 0) for key, value in later.counts.items())
