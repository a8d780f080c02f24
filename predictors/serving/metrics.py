"""Prometheus metrics of the server: every request is counted once, whichever protocol it came by."""

from collections import Counter as Counts
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, with the time it was made, that nobody asks for

# From a tenth of a millisecond (one iris row) to ten minutes (a long document on a CPU).
LATENCY_BUCKETS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
)  # fmt: skip
_MODEL = ("model_name", "model_version")


class Metrics:
    """The metrics of one server.

    Args:
        registry: where they are registered; a second `Metrics` on the same registry is an error.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.requests = Counter(
            "model_requests",
            "Inference requests answered, by HTTP status or gRPC code.",
            (*_MODEL, "protocol", "code"),
            registry=registry,
        )
        self.latency = Histogram(
            "model_request_latency_seconds",
            "From the request's head to its answer.",
            (*_MODEL, "protocol"),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "model_requests_in_flight", "Batches accepted and not yet computed.", ("model_name",), registry=registry
        )
        self.queue_depth = Gauge(
            "model_queue_depth", "Batches waiting for a thread of their model.", ("model_name",), registry=registry
        )
        self.cache_events = Counter(
            "result_cache",
            "What happened in the cache of answers: hit, miss, joined (an equal request was under way), remote_hit, "
            "remote_error, evicted, expired.",
            ("event",),
            registry=registry,
        )
        self.cache_bytes = Gauge("result_cache_bytes", "Size of the cached answers in this process.", registry=registry)
        self.load_time = Gauge(
            "model_load_time_seconds", "Time the last successful load took.", _MODEL, registry=registry
        )
        self.confidence = Histogram(
            "prediction_confidence",
            "Probability of the predicted class.",
            _MODEL,
            buckets=[i / 20 for i in range(5, 21)],
            registry=registry,
        )
        self.predictions = Counter("predictions", "Rows predicted, by label.", (*_MODEL, "label"), registry=registry)
        self.summarizer_tokens = Counter(
            "summarizer_tokens",
            "Tokens of prompts (prompt), those of them that the KV cache held (cached), and written (completion).",
            ("kind",),
            registry=registry,
        )
        self.time_to_first_token = Histogram(
            "summarizer_time_to_first_token_seconds",
            "From asking the engine for an answer to its first token.",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )

    def count_predictions(self, model: str, version: str, labels: Iterable[str], confidence: Iterable[float]) -> None:
        """Count predicted rows: each one's label, and the probability it was given."""
        for label, rows in Counts(labels).items():
            self.predictions.labels(model, version, label).inc(rows)
        histogram = self.confidence.labels(model, version)
        for value in confidence:
            histogram.observe(value)

    def count_tokens(
        self, read: Iterable[float], cached: Iterable[float], written: Iterable[float], first: Iterable[float]
    ) -> None:
        """Count answers of a language model: tokens of the prompts, those of them that were cached already, tokens
        written, and the seconds to the first token of each.
        """
        self.summarizer_tokens.labels("prompt").inc(sum(read))
        self.summarizer_tokens.labels("cached").inc(sum(cached))
        self.summarizer_tokens.labels("completion").inc(sum(written))
        for seconds in first:
            self.time_to_first_token.observe(seconds)
