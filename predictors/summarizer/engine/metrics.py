"""The engine's metrics, read when /metrics is scraped."""

from collections.abc import Callable, Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from predictors.summarizer.engine.scheduler import Scheduler


class EngineCollector(Collector):
    """Reports what an engine does.

    Args:
        name: the model's.
        scheduler: returns the engine, or None while there is none.
    """

    def __init__(self, name: str, scheduler: Callable[[], Scheduler | None]) -> None:
        self._name = name
        self._scheduler = scheduler

    def collect(self) -> Iterator[Metric]:
        """Read the engine's figures."""
        model = ("model_name",)
        slots = GaugeMetricFamily("summarizer_slots_busy", "Answers in progress.", labels=model)
        waiting = GaugeMetricFamily("summarizer_prompts_waiting", "Prompts that wait for a slot.", labels=model)
        cached = GaugeMetricFamily(
            "summarizer_prefixes_kept", "Idle sequences that hold a prefix for later prompts.", labels=model
        )
        steps = CounterMetricFamily("summarizer_steps", "Batches run through the model.", labels=model)
        seconds = CounterMetricFamily(
            "summarizer_step_seconds",
            "Time in the model (decode), in choosing tokens (sample), and in the scheduler itself (python).",
            labels=("model_name", "part"),
        )
        scheduler = self._scheduler()
        if scheduler is not None:
            usage = scheduler.usage
            slots.add_metric([self._name], scheduler.busy)
            waiting.add_metric([self._name], scheduler.waiting)
            cached.add_metric([self._name], scheduler.cached_prefixes)
            steps.add_metric([self._name], usage.steps)
            seconds.add_metric([self._name, "decode"], usage.decode_seconds)
            seconds.add_metric([self._name, "sample"], usage.sample_seconds)
            seconds.add_metric([self._name, "python"], usage.python_seconds)
        yield from (slots, waiting, cached, steps, seconds)

    def describe(self) -> Iterator[Metric]:
        """Name the metrics, so that the registry rejects a second collector of the same ones."""
        return self.collect()
