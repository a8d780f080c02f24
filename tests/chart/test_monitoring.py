"""What the chart brings for those who watch: scraping, alerts, dashboards."""

import json
import re

import yaml

from scripts.dashboards import __main__ as dashboards
from tests.chart.chart import CHART, Chart, Rendered, Values

OPERATOR = ("monitoring.coreos.com/v1/PodMonitor", "monitoring.coreos.com/v1/PrometheusRule")
IRIS: Values = {"models": {"iris": {"storageUri": "s3://bucket/iris/2"}}}


def alerts(rendered: Rendered) -> dict[str, str]:
    """The addresses of the runbooks, by alert."""
    groups = rendered.one("PrometheusRule")["spec"]["groups"]
    rules = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    return {rule["alert"]: rule["annotations"]["runbook_url"] for rule in rules}


def test_without_the_operator_there_are_annotations_alone(chart: Chart) -> None:
    rendered = chart.render(IRIS)
    assert not {"PodMonitor", "PrometheusRule"} & {each["kind"] for each in rendered}
    [runtime] = rendered.runtimes().values()
    assert runtime["spec"]["annotations"]["prometheus.io/port"] == "8080"


def test_the_operator_finds_the_pods(chart: Chart) -> None:
    rendered = chart.render(IRIS, kinds=OPERATOR)
    spec = rendered.one("PodMonitor")["spec"]
    labels = rendered.services()["iris"]["metadata"]["labels"]  # which KServe copies to the pods
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    [endpoint] = spec["podMetricsEndpoints"]
    [runtime] = rendered.runtimes().values()
    ports = {port["name"]: port["containerPort"] for port in runtime["spec"]["containers"][0]["ports"]}
    assert (endpoint["path"], ports[endpoint["port"]]) == ("/metrics", 8080)


def test_the_operator_finds_knatives_port(chart: Chart) -> None:
    rendered = chart.render(IRIS | {"kserve": {"deploymentMode": "Knative"}}, kinds=OPERATOR)
    [endpoint] = rendered.one("PodMonitor")["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] == "user-port"  # Knative's name for it, whatever the runtime says


def test_the_operator_is_sent_to_the_port_without_tls(chart: Chart) -> None:
    values: Values = {"models": {"iris": {"storageUri": "s3://bucket/iris/2", "tls": {"secretName": "tls"}}}}
    rendered = chart.render(values, kinds=OPERATOR)
    annotation, port = "predictors.dev/metrics-port", "8082"
    assert rendered.services()["iris"]["metadata"]["annotations"][annotation] == port  # KServe copies it to the pods
    [endpoint] = rendered.one("PodMonitor")["spec"]["podMetricsEndpoints"]
    [relabeling] = endpoint["relabelings"]
    address, label = relabeling["sourceLabels"]
    assert (address, relabeling["targetLabel"]) == ("__address__", "__address__")
    assert label == "__meta_kubernetes_pod_annotation_" + re.sub(r"\W", "_", annotation)
    replacement = re.sub(r"\$(\d)", r"\\\1", relabeling["replacement"])
    for host in ("10.0.0.7", "[fd00::7]"):
        found = re.fullmatch(relabeling["regex"], f"{host}:8080;{port}")
        assert found
        assert found.expand(replacement) == f"{host}:{port}"
    assert not re.fullmatch(relabeling["regex"], "10.0.0.7:8080;")


def test_an_endpoint_s_fields_take_the_place_of_the_charts(chart: Chart) -> None:
    values = IRIS | {
        "monitoring": {"podMonitor": {"endpoint": {"relabelings": [], "port": "other", "scheme": "https"}}}
    }
    [endpoint] = chart.render(values, kinds=OPERATOR).one("PodMonitor")["spec"]["podMetricsEndpoints"]
    assert endpoint == {"port": "other", "path": "/metrics", "scheme": "https", "relabelings": []}


def test_the_operator_gets_the_rules_as_they_are_tested(chart: Chart) -> None:
    spec = chart.render(IRIS, kinds=OPERATOR).one("PrometheusRule")["spec"]
    assert spec == yaml.safe_load((CHART / "files/alerts.yaml").read_text("utf-8"))


def test_scraping_and_alerts_can_be_changed_and_left_out(chart: Chart) -> None:
    rendered = chart.render("all-options", kinds=OPERATOR)
    assert rendered.one("PodMonitor")["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    [endpoint] = rendered.one("PodMonitor")["spec"]["podMetricsEndpoints"]
    assert (endpoint["interval"], endpoint["port"]) == ("15s", "http1")
    found = alerts(rendered)
    assert "PredictorSlow" not in found
    assert found["RolloutStuck"] == "https://wiki.example.com/runbook#rolloutstuck"
    off = {"monitoring": {"podMonitor": {"create": False}, "alerts": {"create": False}}}
    assert not {"PodMonitor", "PrometheusRule"} & {each["kind"] for each in chart.render(IRIS | off, kinds=OPERATOR)}


def test_dashboards_may_have_no_labels_of_their_own(chart: Chart) -> None:
    values = IRIS | {"monitoring": {"dashboards": {"create": True, "labels": None}}}
    assert len(chart.render(values).of("ConfigMap")) == len(dashboards.DASHBOARDS)


def test_dashboards_are_in_configmaps(chart: Chart) -> None:
    assert not chart.render(IRIS).of("ConfigMap")
    maps = chart.render(IRIS | {"monitoring": {"dashboards": {"create": True}}}).of("ConfigMap")
    assert len(maps) == len(dashboards.DASHBOARDS)
    for each in maps.values():
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
        [(file, text)] = each["data"].items()
        assert text == (dashboards.DIRECTORY / file.removeprefix("predictors-")).read_text("utf-8")
        assert json.loads(text)["uid"] == file.removesuffix(".json")
