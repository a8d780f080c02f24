"""Numbers of pods, canaries and autoscaling."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from predictors.serving.telemetry.metrics import Metrics
from predictors.summarizer.settings import SummarizerSettings
from tests.chart.chart import Chart, Object, Values, flags

STABLE = "sha256:" + "1" * 64
CANARY = "sha256:" + "2" * 64


def one(chart: Chart, others: Values | None = None, /, **fields: Any) -> tuple[Object, dict[str, Object]]:
    """The InferenceService of one model, and the HPAs of the chart's own by the Deployments that they scale."""
    model = {"storageUri": "pvc://models/1", **fields}
    rendered = chart.render({"kserve": {"version": "0.21"}, "models": {"iris": model}, **(others or {})})
    autoscalers = rendered.of("HorizontalPodAutoscaler").values()
    return rendered.one("InferenceService"), {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"] for each in autoscalers
    }


def autoscaler_class(service: Object) -> str:
    return str(service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"])


@pytest.mark.parametrize(
    ("fields", "minimum", "maximum", "cpu"),
    [
        ({}, 1, 1, 80),
        ({"replicas": 3}, 3, 3, 80),
        ({"replicas": 2, "autoscaling": {"maxReplicas": 5, "cpu": 60}}, 2, 5, 60),
        ({"replicas": 2, "autoscaling": {"minReplicas": 1, "maxReplicas": 5}}, 1, 5, 80),
    ],
)
def test_kserve_scales_by_cpu(chart: Chart, fields: Values, minimum: int, maximum: int, cpu: int) -> None:
    service, own = one(chart, **fields)
    predictor = service["spec"]["predictor"]
    assert autoscaler_class(service) == "hpa"
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (minimum, maximum)
    assert (predictor["scaleMetric"], predictor["scaleTarget"]) == ("cpu", cpu)
    assert not own


def test_metrics_of_the_pods_make_an_autoscaler_of_the_charts_own(chart: Chart) -> None:
    service, own = one(chart, autoscaling={"maxReplicas": 5, "requestsPerSecond": 12.5, "queueDepth": 4})
    assert autoscaler_class(service) == "external"
    assert "maxReplicas" not in service["spec"]["predictor"]
    spec = own["iris-predictor"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 5)
    [cpu, *pods] = spec["metrics"]
    assert cpu["resource"]["target"]["averageUtilization"] == 80
    assert {each["pods"]["metric"]["name"]: each["pods"]["target"]["averageValue"] for each in pods} == {
        "model_requests": "12.5",
        "model_queue_depth": "4",
    }
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300


def test_behavior_makes_one_too(chart: Chart) -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 5}}
    service, own = one(chart, autoscaling={"maxReplicas": 5, "behavior": behavior})
    assert autoscaler_class(service) == "external"
    assert own["iris-predictor"]["behavior"] == behavior
    assert len(own["iris-predictor"]["metrics"]) == 1


def test_a_canary_is_rendered_in_full(chart: Chart) -> None:
    """KServe replaces lists as a whole: a canary without arguments of its own would check the stable version's digest."""
    canary = {"name": "v2", "storageUri": "pvc://models/2", "digest": CANARY, "trafficPercent": 30}
    service, _ = one(chart, digest=STABLE, maxRows=7, canary=canary)
    [entry] = service["spec"]["canary"]
    assert entry["trafficPercent"] == 30
    assert entry["predictor"]["name"] == "v2"
    stable, other = service["spec"]["predictor"]["model"], entry["predictor"]["model"]
    assert flags(stable["args"])["--artifact_digest"] == STABLE
    assert flags(other["args"])["--artifact_digest"] == CANARY
    assert other == {
        **stable,
        "name": "",  # KServe's schema requires it of a canary alone
        "storageUri": "pvc://models/2",
        "args": [each.replace(STABLE, CANARY) for each in stable["args"]],
    }
    assert not entry["predictor"].keys() & {
        "maxReplicas",
        "scaleTarget",
        "scaleMetric",
        "autoScaling",
    }  # KServe refuses them


def test_a_canary_without_a_digest_does_not_get_the_stable_one(chart: Chart) -> None:
    service, _ = one(chart, digest=STABLE, canary={"name": "v2", "storageUri": "pvc://models/2"})
    arguments = service["spec"]["canary"][0]["predictor"]["model"]["args"]
    assert arguments  # an empty list would leave the stable version's
    assert "--artifact_digest" not in flags(arguments)


@pytest.mark.parametrize(("replicas", "scaling"), [(2, {}), (2, {"maxReplicas": 6})])
def test_stable_keeps_its_pods_beside_a_canary(chart: Chart, replicas: int, scaling: Values) -> None:
    """KServe takes a ready canary's pods off the stable minimum."""
    canary = {"name": "v2", "storageUri": "pvc://models/2", "replicas": 3}
    service, own = one(chart, replicas=replicas, autoscaling=scaling, canary=canary)
    predictor = service["spec"]["predictor"]
    [entry] = service["spec"]["canary"]
    assert predictor["minReplicas"] - entry["predictor"]["minReplicas"] == replicas
    assert predictor["maxReplicas"] == scaling.get("maxReplicas", replicas) + 3
    assert not own


def test_one_autoscaler_for_each_variant(chart: Chart) -> None:
    service, own = one(
        chart,
        replicas=2,
        predictorName="v1",
        autoscaling={"maxReplicas": 4, "requestsPerSecond": 10},
        canary={"name": "v2", "storageUri": "pvc://models/2", "replicas": 1},
    )
    assert {name: (spec["minReplicas"], spec["maxReplicas"]) for name, spec in own.items()} == {
        "iris-v1-predictor": (2, 4),
        "iris-v2-predictor": (1, 4),
    }
    # KServe's webhook compares the two, although this class leaves the stable version alone.
    assert service["spec"]["canary"][0]["predictor"]["minReplicas"] <= service["spec"]["predictor"]["minReplicas"]


def test_knative(chart: Chart) -> None:
    service, own = one(
        chart,
        {"kserve": {"deploymentMode": "Knative"}},
        digest=STABLE,
        autoscaling={"minReplicas": 0, "maxReplicas": 4, "requestsPerSecond": 10},
        canary={"storageUri": "pvc://models/2", "digest": CANARY, "trafficPercent": 20},
    )
    predictor = service["spec"]["predictor"]
    assert service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Knative"
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (0, 4)
    assert (predictor["scaleMetric"], predictor["scaleTarget"]) == ("rps", 10)
    assert predictor["canaryTrafficPercent"] == 20
    assert predictor["model"]["storageUri"] == "pvc://models/2"
    given = flags(predictor["model"]["args"])
    assert (given["--artifact_digest"], given["--enable_grpc"]) == (CANARY, "false")
    assert "canary" not in service["spec"]
    assert not own


@pytest.mark.parametrize(
    ("autoscaling", "metric", "target"),
    [
        ({}, None, None),
        ({"concurrency": 2.5}, "concurrency", 3),
        ({"concurrency": 4, "requestsPerSecond": 9.5}, "rps", 10),
    ],
)
def test_what_knative_scales_by(chart: Chart, autoscaling: Values, metric: str | None, target: int | None) -> None:
    service, _ = one(chart, {"kserve": {"deploymentMode": "Knative"}}, autoscaling=autoscaling)
    predictor = service["spec"]["predictor"]
    assert (predictor.get("scaleMetric"), predictor.get("scaleTarget")) == (metric, target)


def test_knative_scales_the_summarizer_by_what_it_writes_at_once(chart: Chart) -> None:
    """Knative's default of 100 would never bring a second pod."""
    rendered = chart.render(
        {"kserve": {"deploymentMode": "Knative"}, "models": {"summarizer": {"storageUri": "pvc://models/1"}}}
    )
    predictor = rendered.one("InferenceService")["spec"]["predictor"]
    slots = SummarizerSettings.model_fields["slots"].default
    assert (predictor["scaleMetric"], predictor["scaleTarget"]) == ("concurrency", slots)


def test_knative_refuses_no_field_and_has_one_port(chart: Chart) -> None:
    """Its webhook refuses a pod with these fields, by default or always."""
    rendered = chart.render("knative")
    assert not rendered.of("PodDisruptionBudget")
    fields = {
        "affinity", "deploymentStrategy", "nodeSelector", "securityContext", "terminationGracePeriodSeconds", "tolerations",
        "topologySpreadConstraints",
    }  # fmt: skip
    for service, predictor in rendered.variants():
        assert not fields & predictor.keys()
        assert not fields & service["spec"].keys()
    for runtime in rendered.runtimes().values():
        [container] = runtime["spec"]["containers"]
        assert [port["containerPort"] for port in container["ports"]] == [8080]
        assert "startupProbe" not in container
        assert container["livenessProbe"]["initialDelaySeconds"] >= 60
    for _, predictor in rendered.variants():
        given = flags(predictor["model"]["args"])
        # Knative's drain of 30 s and a cold start are within the timeout, and the server adds no drain of its own.
        assert predictor["timeout"] == int(given["--request_timeout_seconds"]) + 60
        assert given["--drain_seconds"] == "0"


def test_every_metric_that_is_named_is_exported(chart: Chart) -> None:
    metrics = Metrics(CollectorRegistry())
    exported = {sample.name for metric in metrics.registry.collect() for sample in metric.samples}
    exported |= {f"{metric.name}_total" for metric in metrics.registry.collect() if metric.type == "counter"}
    exported |= {metric.name for metric in metrics.registry.collect() if metric.type == "gauge"}
    rendered = chart.render("production")
    rules = rendered.adapter_rules()
    assert {rule["seriesQuery"].partition("{")[0] for rule in rules} <= exported
    named = {
        metric["pods"]["metric"]["name"]
        for autoscaler in rendered.of("HorizontalPodAutoscaler").values()
        for metric in autoscaler["spec"]["metrics"]
        if metric["type"] == "Pods"
    }
    assert named == {rule["name"]["as"] for rule in rules}


def test_rules_are_of_a_pod(chart: Chart) -> None:
    for rule in chart.render("production").adapter_rules():
        assert rule["resources"]["overrides"] == {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}
        assert 'namespace!="",pod!=""' in rule["seriesQuery"]
        assert rule["metricsQuery"].endswith("by (<<.GroupBy>>)")
    requests, _ = chart.render("all-options").adapter_rules()
    assert 'rate(<<.Series>>{<<.LabelMatchers>>,limit=""}[2m])' in requests["metricsQuery"]
