"""Metrics of the engine, read when somebody asks for them."""

from collections.abc import Callable, Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from predictors.summarizer.engine.scheduler import Scheduler


class EngineCollector(Collector):
    """Shows what an engine does.

    Args:
        name: the model's.
        scheduler: gives the engine, or None while there is none.
    """

    def __init__(self, name: str, scheduler: Callable[[], Scheduler | None]) -> None:
        self._name = name
        self._scheduler = scheduler

    def collect(self) -> Iterator[Metric]:
        """Read the engine's numbers."""
        model = ("model_name",)
        slots = GaugeMetricFamily("summarizer_slots_busy", "Answers being written.", labels=model)
        waiting = GaugeMetricFamily("summarizer_prompts_waiting", "Prompts that wait for a slot.", labels=model)
        kept = GaugeMetricFamily("summarizer_prefixes_kept", "Idle sequences kept for prompts to come.", labels=model)
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
            kept.add_metric([self._name], scheduler.kept)
            steps.add_metric([self._name], usage.steps)
            seconds.add_metric([self._name, "decode"], usage.decode_seconds)
            seconds.add_metric([self._name, "sample"], usage.sample_seconds)
            seconds.add_metric([self._name, "python"], usage.python_seconds)
        yield from (slots, waiting, kept, steps, seconds)

    def describe(self) -> Iterator[Metric]:
        """Name the metrics, so that a second collector of them is refused."""
        return self.collect()
