"""Metrics of what a language model writes: what answers cost, and what summaries are like."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from prometheus_client import CollectorRegistry

from predictors.serving.telemetry.buckets import LATENCY_SECONDS, POINTS, TOKENS_PER_SECOND
from predictors.serving.telemetry.collectors import Counter, Histogram

_MODEL = ("model_name", "model_version")
Outcome: TypeAlias = Literal["complete", "length", "empty", "deadline"]
_OUTCOMES: tuple[Outcome, ...] = ("complete", "length", "empty", "deadline")
_OUTCOME_OF: dict[str, Outcome] = {"length": "length", "deadline": "deadline"}


class Usage(NamedTuple):
    """What one answer cost.

    Args:
        prompt, cached, completion: tokens of its prompts, those among them found in the KV cache, and tokens written.
        seconds_to_first_token: from asking the engine to the first token; 0 if there was none.
        seconds: that the answer took in all.
    """

    prompt: int
    cached: int
    completion: int
    seconds_to_first_token: float
    seconds: float


class AnswerMetrics:
    """The metrics of language models. Only for the event loop's thread.

    Args:
        registry: where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tokens = Counter(
            "summarizer_tokens",
            "Tokens of prompts (prompt), those among them found in the KV cache (cached), and written (completion).",
            (*_MODEL, "kind"),
            registry,
        )
        self._first_token = Histogram(
            "summarizer_time_to_first_token_seconds",
            "From asking the engine for an answer to its first token.",
            _MODEL,
            LATENCY_SECONDS,
            registry,
        )
        self._speed = Histogram(
            "summarizer_tokens_per_second",
            "Tokens written, by the seconds that the answer took, reading included; of each answer.",
            _MODEL,
            TOKENS_PER_SECOND,
            registry,
        )
        self._summaries = Counter(
            "summarizer_summaries",
            "Summaries: complete, without points that would have made it too long (length), without any point (empty), "
            "not read to the end, or not written, since the deadline came first (deadline).",
            (*_MODEL, "outcome"),
            registry,
        )
        self._summary_points = Histogram(
            "summarizer_summary_points", "Points of each summary that was written.", _MODEL, POINTS, registry
        )
        self._points = Counter(
            "summarizer_points",
            "Points of summaries: the model's own words (written), the document's (quoted), or the document's with "
            "something left out (shortened).",
            (*_MODEL, "kind"),
            registry,
        )

    def announce(self, model: str, version: str) -> None:
        """Let all series of a model be there, at 0."""
        for kind in ("prompt", "cached", "completion"):
            self._tokens.labels(model, version, kind)
        for outcome in _OUTCOMES:
            self._summaries.labels(model, version, outcome)
        for kind in ("written", "quoted", "shortened"):
            self._points.labels(model, version, kind)
        for histogram in (self._first_token, self._speed, self._summary_points):
            histogram.labels(model, version)

    def forget(self, model: str, version: str) -> None:
        """Drop all series of a model."""
        for family in (
            self._tokens,
            self._first_token,
            self._speed,
            self._summaries,
            self._summary_points,
            self._points,
        ):
            family.forget(model, version)

    def count_usage(self, model: str, version: str, usage: Usage) -> None:
        """Count what an answer cost."""
        for kind, count in (("prompt", usage.prompt), ("cached", usage.cached), ("completion", usage.completion)):
            self._tokens.labels(model, version, kind).value += count
        if usage.completion:
            self._first_token.labels(model, version).observe(usage.seconds_to_first_token)
            self._speed.labels(model, version).observe(usage.completion / max(usage.seconds, 1e-9))

    def count_summary(self, model: str, version: str, points: Sequence[dict[str, Any]], finish_reason: str) -> None:
        """Count a summary.

        Args:
            model, version: that wrote it.
            points: as answers show them; each says whether it is ``quoted``, and has a ``quote`` beside words of the
                model's own.
            finish_reason: ``length`` if points were left out because the summary would have become too long;
                ``deadline`` if the document was not read to its end in time.
        """
        outcome = _OUTCOME_OF.get(finish_reason) or ("complete" if points else "empty")
        if outcome == "length" and not points:
            outcome = "empty"
        quoted = sum(bool(point["quoted"]) for point in points)
        written = sum("quote" in point for point in points)
        self._summaries.labels(model, version, outcome).value += 1
        self._summary_points.labels(model, version).observe(len(points))
        self._points.labels(model, version, "quoted").value += quoted
        self._points.labels(model, version, "written").value += written
        self._points.labels(model, version, "shortened").value += len(points) - quoted - written

    def count_late(self, model: str, version: str, summaries: int) -> None:
        """Count summaries whose deadline came before anything was written."""
        self._summaries.labels(model, version, "deadline").value += summaries
