"""What became of events."""

from enum import StrEnum
from threading import Lock

from prometheus_client import CollectorRegistry

from predictors.serving.telemetry.collectors import Counter, Tally


class Sink(StrEnum):
    """Where events go."""

    URL = "url"
    FILE = "file"


class Outcome(StrEnum):
    """What became of an event."""

    SENT = "sent"
    DROPPED = "dropped"
    """Too many were waiting."""
    FAILED = "failed"
    """The sink did not take it, or it could not be written as JSON."""


class SinkCounts:
    """The events of one sink. The event loop counts what it drops, and the sink's threads the rest."""

    def __init__(self, sink: Sink, counter: Counter) -> None:
        self.sink = sink
        self._tallies: dict[Outcome, Tally] = {each: counter.labels(sink.value, each.value) for each in Outcome}
        self._lock = Lock()

    def drop(self, events: int) -> None:
        """Count what was dropped, on the event loop."""
        self._tallies[Outcome.DROPPED].value += events

    def export(self, outcome: Outcome, events: int) -> None:
        """Count what was sent or failed, on any thread."""
        with self._lock:
            self._tallies[outcome].value += events


class RequestLogMetrics:
    """The metrics of the request log.

    Args:
        registry: where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counter = Counter(
            "request_log_events",
            "Events of the request log, two for each request, by what became of them: sent, dropped, failed.",
            ("sink", "outcome"),
            registry,
        )

    def of(self, sink: Sink) -> SinkCounts:
        """The counts of one sink."""
        return SinkCounts(sink, self._counter)
