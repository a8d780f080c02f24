"""Who sees what happens: metrics, alerts, dashboards, logs, drift."""

from collections.abc import Iterator, Sequence

from predictors.doctor import remedy
from predictors.doctor.exported import series
from predictors.doctor.fields import Object, mapping, name, objects, selects, text, texts
from predictors.doctor.finding import Fix, Issue
from predictors.doctor.model import Model
from predictors.doctor.snapshot import Snapshot
from predictors.doctor.sources import MODELS_PART

# One of them is in each rule of the chart that looks at requests.
_OWN_METRICS = ("model_requests", "model_request_latency", "model_state")
_SCRAPE = "prometheus.io/scrape"
_DRIFT = "model_drift"
# Kinds whose requests are rows that can be compared with those of training.
_WITH_REFERENCES, _TRAINED = ("iris", "intent", "sklearn"), ("iris", "intent")
# As their charts call them.
_COLLECTORS = (
    "alloy", "ama-logs", "cloudwatch", "cribl", "datadog", "dynatrace", "elastic-agent", "filebeat", "fluent",
    "grafana-agent", "k8s-monitoring", "logging", "logstash", "loki", "nri-", "opentelemetry-collector", "otel",
    "promtail", "rsyslog", "splunk", "sumologic", "syslog-ng", "vector",
)  # fmt: skip
_COLLECTOR_CHART = "oci://ghcr.io/fluent/helm-charts/fluent-bit"


def no_alerts(cluster: Snapshot, models: Sequence[Model]) -> Iterator[Issue]:
    """A Prometheus operator without a rule about models."""
    groups = [group for each in cluster.of("PrometheusRule") for group in objects(each, "spec", "groups")]
    rules = [rule for group in groups for rule in objects(group, "rules") if text(rule, "alert")]
    alerts = [rule for rule in rules if any(own in str(rule.get("expr")) for own in _OWN_METRICS)]
    for model in _first_of_ours(models) if cluster.has("PrometheusRule") and not alerts else ():
        fix = remedy.release(model, "monitoring.alerts.create=true", _rules_file())
        yield Issue(f"namespace/{cluster.namespace}", "no PrometheusRule has an alert about the models' metrics", fix)


def alerts_unseen(cluster: Snapshot, models: Sequence[Model]) -> Iterator[Issue]:
    """A cluster whose Prometheus, if any, is not an operator's."""
    if not cluster.has("PrometheusRule"):
        for _ in _first_of_ours(models):
            message = "could not see who alerts: the cluster has no Prometheus operator"
            yield Issue(f"namespace/{cluster.namespace}", message, Fix(_rules_file()))


def _rules_file() -> str:
    return "kubectl create configmap predictors-alerts -n monitoring --from-file charts/predictors/files/alerts.yaml"


def _first_of_ours(models: Sequence[Model]) -> list[Model]:
    return [each for each in models if each.is_ours][:1]


def not_scraped(model: Model) -> Iterator[Issue]:
    """Pods that Prometheus does not find."""
    annotations = {
        **mapping(model.runtime, "spec", "annotations"),
        **mapping(model.service, "metadata", "annotations"),
        **(mapping(model.pods[0], "metadata", "annotations") if model.pods else {}),
    }
    monitors = [*model.cluster.of("PodMonitor"), *model.cluster.of("ServiceMonitor")]
    if annotations.get(_SCRAPE) != "true" and not any(_monitors(each, model) for each in monitors):
        yield model.issue(
            "neither a PodMonitor nor annotations lead Prometheus to its pods",
            remedy.release(model, "monitoring.podMonitor.create=true", _annotate(model)),
        )


def _annotate(model: Model) -> str:
    where = f"inferenceservice {model.name} -n {model.cluster.namespace}"
    return f"kubectl annotate {where} --overwrite {_SCRAPE}=true prometheus.io/port=8080 prometheus.io/path=/metrics"


def _monitors(monitor: Object, model: Model) -> bool:
    wanted = mapping(monitor, "spec", "namespaceSelector")
    everywhere = wanted.get("any") is True or model.cluster.namespace in texts(wanted, "matchNames")
    here = text(monitor, "metadata", "namespace") == model.cluster.namespace and not wanted
    return (here or everywhere) and selects(mapping(monitor, "spec", "selector"), model.labels)


def no_dashboards(cluster: Snapshot, models: Sequence[Model]) -> Iterator[Issue]:
    """ConfigMaps with Grafana's dashboards, of any release."""
    maps = [each for each in cluster.of("ConfigMap") if any(key.endswith(".json") for key in mapping(each, "data"))]
    for model in _first_of_ours(models) if not maps else ():
        files = "--from-file charts/predictors/files/dashboards"
        named = "configmap predictors-dashboards -n monitoring"
        otherwise = f"kubectl create {named} {files} && kubectl label {named} {MODELS_PART}"
        fix = remedy.release(model, "monitoring.dashboards.create=true", otherwise)
        yield Issue(f"namespace/{cluster.namespace}", "could not see a ConfigMap with the dashboards", fix)


def no_collector(cluster: Snapshot) -> Iterator[Issue]:
    """Logs that end with their pods, unless someone collects them whom we do not know."""
    if not any(_collects(each) for each in cluster.of("DaemonSet")):
        fix = Fix(f"helm install fluent-bit {_COLLECTOR_CHART} -n logging --create-namespace")
        yield Issue("cluster", "could not see a collector of logs among the DaemonSets; a pod's log ends with it", fix)


def _collects(daemon: Object) -> bool:
    images = [text(each, "image") for each in objects(daemon, "spec", "template", "spec", "containers")]
    names = [name(daemon), *(each.rpartition("/")[2] for each in images)]
    return any(each in known.lower() for known in names for each in _COLLECTORS)


def no_request_log(model: Model) -> Iterator[Issue]:
    """Requests of which nothing is kept, to look into or to learn from."""
    sinks = [model.settings.get(each) for each in ("request_log_url", "request_log_file")]
    if not mapping(model.predictor, "logger") and not any(sinks):
        yield model.issue(
            "it keeps no log of requests and answers, so nobody can look up what it said, or learn from it",
            remedy.argument(model, "requestLog.url=http://SINK", "--request_log_url=http://SINK"),
        )


def no_drift(model: Model) -> Iterator[Issue]:
    """Models of which nobody sees whether requests still look as they did in training."""
    if model.kind not in _WITH_REFERENCES or series(model, _DRIFT) != []:
        return
    if _is_zero(model.settings.get("drift_window_seconds", "")):
        on = remedy.argument(model, "settings.driftWindowSeconds=3600", "--drift_window_seconds=3600")
        yield model.issue("it does not measure drift: --drift_window_seconds is 0", on)
    else:
        pack = f"predictors artifact pack MODEL --kind {model.kind} --version NEW --reference_rows ROWS.jsonl"
        train = f"predictors train {model.kind} --version NEW"
        fix = Fix(train if model.kind in _TRAINED else f"{pack} -o DIRECTORY --trust_artifact")
        yield model.issue("it exports no `model_drift_…`: its manifest has no reference to compare with", fix)


def _is_zero(number: str) -> bool:
    try:
        return float(number) == 0.0
    except ValueError:
        return False
