"""What the server and the rollouts' controller export."""

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics_core import Metric

from predictors.rollout.controller.telemetry import Telemetry
from predictors.serving.drift.metrics import DriftMetrics
from predictors.serving.request_log.metrics import RequestLogMetrics, Sink
from predictors.serving.shadow.metrics import ShadowMetrics
from predictors.serving.store.metrics import StoreMetrics
from predictors.serving.telemetry.metrics import Metrics
from predictors.summarizer.engine.metrics import EngineCollector
from predictors.summarizer.fallback.counts import FallbackCollector
from predictors.summarizer.llama.gpus import GpuCollector

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


def server_families() -> list[Metric]:
    """All metrics of a server, but for those of its process."""
    metrics = Metrics(CollectorRegistry())
    metrics.shared(EngineCollector)
    metrics.shared(GpuCollector)
    metrics.shared(FallbackCollector)
    ShadowMetrics(metrics.registry)
    RequestLogMetrics(metrics.registry).of(Sink.URL)
    StoreMetrics(metrics)
    DriftMetrics((), metrics.registry)
    return list(metrics.registry.collect())


def exported() -> set[str]:
    """The names of all series, as the registries know them."""
    controller = Telemetry(CollectorRegistry())
    families = [*server_families(), *controller.registry.collect(), *REGISTRY.collect()]
    return {family.name + suffix for family in families for suffix in _SUFFIXES.get(family.type, ("",))}
