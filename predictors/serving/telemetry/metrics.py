"""Prometheus metrics of the server: every request is counted once, whatever its protocol."""

import time
from collections import Counter as Counts
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from prometheus_client import REGISTRY, CollectorRegistry, Gauge, disable_created_metrics
from prometheus_client import Histogram as LibraryHistogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from predictors.serving.telemetry.answers import AnswerMetrics
from predictors.serving.telemetry.buckets import LATENCY_SECONDS, PROBABILITY
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.collectors import (
    Counter,
    Histogram,
    Series,
    Tally,
    exposition,
    openmetrics_exposition,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # they would double the series with times of creation

# As in `predictors.serving.model.types`, which is in a higher layer.
Column: TypeAlias = NDArray[Any] | list[Any]
CollectorT = TypeVar("CollectorT", bound=Collector)
_MODEL = ("model_name", "model_version")
# KServe's own histograms, for its dashboards. Its module registers them too, always empty; see `_Others`.
_STEPS = {
    "request_preprocess_seconds": "pre-process request latency",
    "request_predict_seconds": "predict request latency",
    "request_postprocess_seconds": "post-process request latency",
}


class Steps(NamedTuple):
    """Durations of the steps of one model's requests, seconds."""

    decoding: Series
    predicting: Series
    encoding: Series


class Metrics:
    """The metrics of one server.

    Args:
        registry: where they are registered; a second `Metrics` on the same registry is an error.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._series: dict[tuple[str, str, str, str, str], tuple[Tally, Series]] = {}  # of requests, by their labels
        self.requests = Counter(
            "model_requests",
            "Inference requests answered, by HTTP status or gRPC code, and the rate limit that refused them, if any.",
            (*_MODEL, "protocol", "code", "limit"),
            registry,
        )
        self.latency = Histogram(
            "model_request_latency_seconds",
            "From the request's head to its answer, without those that rate limits refused.",
            (*_MODEL, "protocol"),
            LATENCY_SECONDS,
            registry,
        )
        buckets = LibraryHistogram.DEFAULT_BUCKETS[:-1]  # the last is infinity
        self._decoding, self._predicting, self._encoding = (
            Histogram(name, text, _MODEL[:1], buckets, registry) for name, text in _STEPS.items()
        )
        gauge = partial(Gauge, registry=registry)
        self.in_flight = gauge("model_requests_in_flight", "Batches accepted and not yet computed.", _MODEL[:1])
        self.queue_depth = gauge("model_queue_depth", "Batches waiting for a thread of their model.", _MODEL[:1])
        self.queue_limit = gauge(
            "model_queue_limit", "Batches that may be running and waiting; further ones are refused.", _MODEL[:1]
        )
        self.state = gauge(
            "model_state",
            "1 for the state that the model is in: loading, ready, failed, missing, unloaded.",
            (*_MODEL[:1], "state"),
        )
        self.connections = gauge("http_connections", "Open connections.")
        self.connections_ended = Counter(
            "http_connections_ended",
            "Connections that the server closed: refused (too many, none idle), evicted (idle, for a new one), "
            "head_timeout, write_timeout.",
            ("reason",),
            registry,
        )
        self.bytes_held = gauge("http_request_bytes_held", "Bytes of request bodies in memory.")
        self.cache_events = Counter(
            "result_cache",
            "Events of the result cache: hit, miss, joined (an equal request was in progress), remote_hit, "
            "remote_error, evicted, expired.",
            ("event",),
            registry,
        )
        self.access_errors = Counter(
            "access_errors",
            "Failures of what tells callers: keys (those of JWTs could not be had), limits (requests could not be "
            "counted with the other replicas).",
            ("source",),
            registry,
        )
        for source in ("keys", "limits"):
            self.access_errors.labels(source)  # at 0, so that an alert sees the first
        self.cache_bytes = gauge("result_cache_bytes", "Size of the cached answers in this process.")
        self._artifact = gauge(
            "model_artifact_info",
            "1 for the artifact that is served: what pins it, and whether its manifest has figures of its quality.",
            (*_MODEL, "digest", "evaluated"),
        )
        self.load_time = gauge("model_load_time_seconds", "Duration of the last successful load.", _MODEL)
        self.memory = gauge(
            "model_memory_bytes",
            "About how much memory a loaded model takes, by part: model, kv_cache, compute; gpu, of which it is.",
            (*_MODEL, "part"),
        )
        self.confidence = Histogram(
            "prediction_confidence",
            "Probability of the predicted class.",
            _MODEL,
            PROBABILITY,
            registry,
        )
        self.predictions = Counter("predictions", "Rows predicted, by label.", (*_MODEL, "label"), registry)
        self.answers = AnswerMetrics(registry)
        self._shared: dict[type[Collector], Collector] = {}

    def shared(self, kind: type[CollectorT]) -> CollectorT:
        """The collector of a kind that all models share; made and registered when the first asks for it."""
        found = self._shared.get(kind)
        if found is None:
            found = self._shared[kind] = kind()
            self.registry.register(found)
        return cast(CollectorT, found)

    def steps(self, model: str) -> Steps:
        """The timers of a model's requests."""
        return Steps(*(each.labels(model) for each in (self._decoding, self._predicting, self._encoding)))

    def announce(self, model: str, version: str, labels: Sequence[str]) -> None:
        """Let the series of a model that was loaded be there, at 0: an autoscaler that finds no rate of requests does
        not scale down, and of a counter that appears with its first request, Prometheus does not see that request.

        Args:
            model, version: the model.
            labels: that it predicts; none if it is no classifier.
        """
        self.requests.labels(model, version, "v2", "200", "")
        self.latency.labels(model, version, "v2")
        for label in labels:
            self.predictions.labels(model, version, label)
        if labels:
            self.confidence.labels(model, version)

    def identify(self, model: str, version: str, digest: str, *, evaluated: bool) -> None:
        """Say which artifact is served.

        Args:
            model, version: the model.
            digest: what pins the artifact.
            evaluated: whether its manifest has figures of its quality.
        """
        self.forget_artifact(model, version)
        self._artifact.labels(model, version, digest, str(evaluated).lower()).set(1)

    def forget_artifact(self, model: str, version: str) -> None:
        """Say no longer which artifact is served."""
        self._artifact.remove_by_labels({"model_name": model, "model_version": version})

    def set_memory(self, model: str, version: str, parts: Mapping[str, int]) -> None:
        """Say how much memory a model takes.

        Args:
            model, version: the model.
            parts: bytes, by what takes them; none once it is unloaded.
        """
        self.memory.remove_by_labels({"model_name": model, "model_version": version})
        for part, size in parts.items():
            self.memory.labels(model, version, part).set(size)

    def forget(self, model: str, version: str) -> None:
        """Show a version of a model no longer."""
        for family in (self.requests, self.latency, self.confidence, self.predictions, self.answers):
            family.forget(model, version)
        for gauge in (self.load_time, self._artifact):
            gauge.remove_by_labels({"model_name": model, "model_version": version})
        self._series = {key: series for key, series in self._series.items() if key[:2] != (model, version)}

    def count_request(self, call: Call) -> None:
        """Count a finished request if it was for inference."""
        if not call.protocol:
            return
        limit = "" if call.standing is None else call.standing.limit
        key = call.model, call.version, call.protocol, call.code, limit
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = self.requests.labels(*key), self.latency.labels(*key[:3])
        requests, latency = series
        requests.value += 1
        if limit:  # that was quick, and would make the others look quicker than they are
            return
        seconds = time.monotonic() - call.started
        latency.observe(seconds)
        if call.trace is not None and call.trace.sampled:
            latency.exemplify(seconds, call.trace.trace_id)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format: these, then KServe's and the process's."""
        return exposition(self._all())

    def openmetrics(self) -> bytes:
        """The same in OpenMetrics' format, in which latencies lead to traces."""
        return openmetrics_exposition(self._all())

    def _all(self) -> Iterator[Metric]:
        return chain(self.registry.collect(), _Others().collect())

    def count_cache_event(self, event: str) -> None:
        """Count an event of the result cache."""
        self.cache_events.labels(event).value += 1

    def count_access_error(self, source: str) -> None:
        """Count a failure of what tells callers: ``keys`` or ``limits``."""
        self.access_errors.labels(source).value += 1

    def count_predictions(self, model: str, version: str, labels: Column, probabilities: Column) -> None:
        """Count predicted rows.

        Args:
            model, version: the model.
            labels: ``[N]``, each row's label.
            probabilities: float64 ``[N, C]``, of the classes; the greatest is the prediction's confidence.
        """
        confidence = self.confidence.labels(model, version)
        if len(labels) == 1:
            self.predictions.labels(model, version, labels[0]).value += 1
            confidence.observe(max(probabilities[0].tolist()))
            return
        self.count_labels(model, version, labels)
        confidence.observe_all(np.max(probabilities, axis=1))

    def count_labels(self, model: str, version: str, labels: Column) -> None:
        """Count predicted rows by their labels, ``[N]``, of a model without probabilities."""
        for label, count in Counts(labels).items():
            self.predictions.labels(model, version, label).value += count


class StepsByModel(dict[str, Steps]):
    """The timers of each model's requests, by its name; made when they are asked for.

    Args:
        metrics: where they count.
    """

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._metrics = metrics

    def __missing__(self, name: str) -> Steps:
        steps = self[name] = self._metrics.steps(name)
        return steps


class _Others:
    """prometheus_client's own registry, without KServe's empty copies of our histograms."""

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client at each scrape."""
        return (metric for metric in REGISTRY.collect() if metric.name not in _STEPS)
