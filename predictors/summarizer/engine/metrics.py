"""The engines' metrics, read when /metrics is scraped."""

from collections.abc import Iterator
from typing import Protocol
from weakref import WeakSet

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from predictors.summarizer.engine.scheduler import Scheduler

_MODEL = ("model_name", "model_version")


class HasEngine(Protocol):
    """A model with an engine."""

    name: str
    version: str

    @property
    def scheduler(self) -> Scheduler | None:
        """The engine, while the model is loaded."""


class EngineCollector(Collector):
    """Reports what engines do."""

    def __init__(self) -> None:
        self.engines: WeakSet[HasEngine] = WeakSet()
        """The models whose engines are reported."""

    def collect(self) -> Iterator[Metric]:
        """Read the engines' figures."""
        slots = GaugeMetricFamily("summarizer_slots_busy", "Answers in progress.", labels=_MODEL)
        waiting = GaugeMetricFamily("summarizer_prompts_waiting", "Prompts that wait for a slot.", labels=_MODEL)
        cached = GaugeMetricFamily(
            "summarizer_prefixes_kept", "Idle sequences that hold a prefix for later prompts.", labels=_MODEL
        )
        steps = CounterMetricFamily("summarizer_steps", "Batches run through the model.", labels=_MODEL)
        seconds = CounterMetricFamily(
            "summarizer_step_seconds",
            "Time in the model (decode), in choosing tokens (sample), and in the scheduler itself (python).",
            labels=(*_MODEL, "part"),
        )
        for model in self.engines:
            if (scheduler := model.scheduler) is None:
                continue
            labels, usage = [model.name, model.version], scheduler.usage
            slots.add_metric(labels, scheduler.busy)
            waiting.add_metric(labels, scheduler.waiting)
            cached.add_metric(labels, scheduler.cached_prefixes)
            steps.add_metric(labels, usage.steps)
            seconds.add_metric([*labels, "decode"], usage.decode_seconds)
            seconds.add_metric([*labels, "sample"], usage.sample_seconds)
            seconds.add_metric([*labels, "python"], usage.python_seconds)
        yield from (slots, waiting, cached, steps, seconds)

    def describe(self) -> Iterator[Metric]:
        """Name the metrics, so that the registry rejects a second collector of the same ones."""
        return self.collect()
