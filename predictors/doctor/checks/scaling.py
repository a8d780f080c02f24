"""Autoscalers that can see what they scale by."""

from collections.abc import Iterator

from predictors.doctor import remedy
from predictors.doctor.fields import Object, condition, integer, mapping, name, objects, text
from predictors.doctor.finding import Fix, Issue
from predictors.doctor.model import Model
from predictors.doctor.snapshot import Snapshot
from predictors.doctor.sources import CUSTOM_METRICS_API, METRICS_API

# Until a pod's CPU is known, seconds; a metrics server looks every 15, and averages.
_SETTLED_SECONDS = 90.0
# The key of the chart's ConfigMap.
_RULES = "config.yaml"
_ADAPTER = "oci://ghcr.io/prometheus-community/charts/prometheus-adapter"
_METRICS_SERVER = "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml"


def inactive(model: Model) -> Iterator[Issue]:
    """HPAs that cannot compute how many pods there should be, though they have had the time."""
    for each in model.autoscalers if model.age > _SETTLED_SECONDS else ():
        active = condition(each, "ScalingActive")
        least, most = _range(each)
        if most > least and active.get("status") == "False" and text(active, "reason") != "ScalingDisabled":
            said = text(active, "message") or text(active, "reason") or "it gives no reason"
            fix = remedy.in_namespace(model, f"kubectl describe hpa {name(each)}")
            yield Issue(f"horizontalpodautoscaler/{name(each)}", f"it scales nothing: {said}", fix)


def no_resource_metrics(cluster: Snapshot) -> Iterator[Issue]:
    """HPAs by CPU in a cluster without a metrics server."""
    scalers = [each for each in cluster.of("HorizontalPodAutoscaler") if _metrics(each, "Resource")]
    if scalers and cluster.apis.get(METRICS_API) is None:
        names = ", ".join(map(name, scalers))
        message = f"the cluster has no metrics server, by which {names} would see the pods' CPU"
        yield Issue("cluster", message, Fix(f"kubectl apply -f {_METRICS_SERVER}"))


def no_custom_metrics(model: Model) -> Iterator[Issue]:
    """HPAs by metrics of the pods that nobody serves."""
    served = {text(each, "name") for each in objects(model.cluster.apis.get(CUSTOM_METRICS_API), "resources")}
    for scaler in model.autoscalers:
        wanted = [text(each, "pods", "metric", "name") for each in _metrics(scaler, "Pods")]
        missing = [each for each in wanted if f"pods/{each}" not in served]
        if missing:
            yield Issue(
                f"horizontalpodautoscaler/{name(scaler)}",
                f"the cluster does not serve {' and '.join(missing)}: prometheus-adapter is missing, or its rules are",
                _adapter(model),
            )


def _adapter(model: Model) -> Fix:
    """The chart's rules for prometheus-adapter, or the adapter with these rules."""
    for each in model.cluster.of("ConfigMap"):
        if _RULES in mapping(each, "data"):
            where = text(each, "metadata", "namespace")
            return Fix(f"helm install prometheus-adapter {_ADAPTER} -n {where} --set rules.existing={name(each)}")
    return remedy.release(model, "monitoring.adapterRule.create=true", f"kubectl get --raw {CUSTOM_METRICS_API}")


def _metrics(scaler: Object, kind: str) -> list[Object]:
    return [each for each in objects(scaler, "spec", "metrics") if text(each, "type") == kind]


def at_maximum(model: Model) -> Iterator[Issue]:
    """HPAs that would go on if they could."""
    for each in model.autoscalers:
        limited = condition(each, "ScalingLimited")
        least, most = _range(each)
        if limited.get("status") == "True" and text(limited, "reason") == "TooManyReplicas" and most > least:
            yield Issue(
                f"horizontalpodautoscaler/{name(each)}",
                f"it is at its maximum, {most}, and would have more pods",
                remedy.predictor(model, f"autoscaling.maxReplicas={2 * most}", {"maxReplicas": 2 * most}),
            )


def _range(scaler: Object) -> tuple[int, int]:
    return integer(scaler, "spec", "minReplicas") or 1, integer(scaler, "spec", "maxReplicas") or 0


def no_room(model: Model) -> Iterator[Issue]:
    """Models whose number of pods is fixed. Knative scales all."""
    if not model.is_knative and model.most <= model.least:
        most = max(4, 2 * model.least)
        yield model.issue(
            f"its number of pods is fixed at {model.least}, whatever the load",
            remedy.predictor(model, f"autoscaling.maxReplicas={most}", {"maxReplicas": most}),
        )
