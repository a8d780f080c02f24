"""What the server and the rollouts' controller export."""

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics_core import Metric

from predictors.rollout.controller.telemetry import Telemetry
from predictors.serving.drift.metrics import DriftMetrics
from predictors.serving.shadow.metrics import ShadowMetrics
from predictors.serving.telemetry.metrics import Metrics
from predictors.summarizer.engine.metrics import EngineCollector

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


def exported() -> set[str]:
    """The names of all series, as the registries know them."""
    metrics = Metrics(CollectorRegistry())
    metrics.registry.register(EngineCollector("model", lambda: None))
    ShadowMetrics(metrics.registry)
    DriftMetrics((), metrics.registry)
    controller = Telemetry(CollectorRegistry())
    families: list[Metric] = [
        family for registry in (metrics.registry, controller.registry, REGISTRY) for family in registry.collect()
    ]
    return {family.name + suffix for family in families for suffix in _SUFFIXES.get(family.type, ("",))}
