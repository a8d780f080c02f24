"""An InferenceRollout in place of a model's InferenceService."""

from typing import Any

import pytest

from predictors.cli.flags import SERVE_SETTINGS, split
from predictors.rollout.spec import API_VERSION, RolloutSpec
from tests.chart.chart import Chart, Object, Rendered, Values, flags

HERE: Values = {"storageUri": "pvc://models/1", "replicas": 2}
KNATIVE: Values = {"kserve": {"deploymentMode": "Knative"}}
SCALING = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "autoScaling"}
RATES: Values = {"minReplicas": 3, "maxReplicas": 6, "cpu": 60, "requestsPerSecond": 12.5}
SHADOW: Values = {"strategy": {"shadow": {"percent": 10}}}


def render(chart: Chart, others: Values | None = None, /, **fields: Any) -> Rendered:
    """One model with a rollout, unless that is switched off."""
    rollout = {"enabled": True, **fields.pop("rollout", {})}
    return chart.render({**(others or {}), "models": {"iris": {**HERE, **fields, "rollout": rollout}}})


def spec_of(rendered: Rendered) -> Object:
    """The spec of the only rollout."""
    spec: Object = rendered.one("InferenceRollout")["spec"]
    return spec


def without(thing: Object, *names: str) -> Object:
    """A map without some keys."""
    return {name: value for name, value in thing.items() if name not in names}


def test_every_rollout_is_one_that_the_controller_takes(rendered: Rendered) -> None:
    for name, rollout in rendered.of("InferenceRollout").items():
        assert rollout["apiVersion"] == API_VERSION
        RolloutSpec.model_validate(rollout["spec"])
        predictor = rollout["spec"]["template"]["spec"]["predictor"]
        assert not predictor.keys() & {"name", "canaryTrafficPercent"}, name
        assert not ("autoscaling" in rollout["spec"] and predictor.keys() & SCALING), name


@pytest.mark.parametrize("others", [None, KNATIVE])
def test_the_template_is_the_inferenceservice(chart: Chart, others: Values | None) -> None:
    """Or its pods would restart when a rollout is turned on."""
    given = {"labels": {"team": "botany"}, "annotations": {"a": "b"}, "storage": {"secretName": "s3"}, "maxRows": 7}
    given["access"] = {"tokenDigestsSecret": {"name": "callers"}, "callerTokenSecret": {"name": "own-token"}}
    service = render(chart, others, **given, rollout={"enabled": False}).one("InferenceService")
    rendered = render(chart, others, **given)
    assert not rendered.of("InferenceService")
    template = spec_of(rendered)["template"]
    assert template["metadata"] == without(service["metadata"], "name", "namespace")
    assert template["spec"] == service["spec"]
    assert "autoscaling" not in spec_of(rendered)


def test_autoscaling_is_the_rollouts(chart: Chart) -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 5}}
    scaling: Values = {**RATES, "queueDepth": 4, "behavior": behavior}
    before = render(chart, autoscaling=scaling, rollout={"enabled": False})
    rendered = render(chart, autoscaling=scaling)
    assert spec_of(rendered)["autoscaling"] == scaling
    assert before.of("HorizontalPodAutoscaler")
    assert not rendered.of("HorizontalPodAutoscaler")
    service, template = before.one("InferenceService"), spec_of(rendered)["template"]
    assert template["metadata"]["annotations"] == service["metadata"]["annotations"]
    assert template["spec"]["predictor"] == without(service["spec"]["predictor"], *SCALING)


def test_autoscaling_by_cpu_is_too(chart: Chart) -> None:
    rendered = render(chart, autoscaling={"maxReplicas": 5})
    assert spec_of(rendered)["autoscaling"] == {"minReplicas": 2, "maxReplicas": 5}
    annotations = spec_of(rendered)["template"]["metadata"]["annotations"]
    assert annotations["serving.kserve.io/autoscalerClass"] == "external"  # so that KServe makes no HPA beside it


def test_knative_scales_by_itself(chart: Chart) -> None:
    spec = spec_of(render(chart, KNATIVE, autoscaling={"minReplicas": 0, "maxReplicas": 5, "requestsPerSecond": 10}))
    assert "autoscaling" not in spec
    predictor = spec["template"]["spec"]["predictor"]
    assert [predictor[field] for field in ("minReplicas", "maxReplicas", "scaleTarget")] == [0, 5, 10]


@pytest.mark.parametrize(
    ("kserve", "given", "routing"),
    [
        ({}, {}, "pair"),
        ({"version": "0.20.3"}, {}, "pair"),
        ({"version": "0.21.0-rc0"}, {}, "canary"),
        ({"version": "0.22"}, {"routing": "pair"}, "pair"),
        ({"version": "0.22"}, {"routing": "auto"}, "auto"),
        ({"deploymentMode": "Knative"}, {}, "knative"),
        ({"deploymentMode": "Knative", "version": "0.21"}, {"routing": "auto"}, "auto"),
    ],
)
def test_routing_follows_from_kserve(chart: Chart, kserve: Values, given: Values, routing: str) -> None:
    strategy = {**given, "confidence": 0.9}
    spec = spec_of(render(chart, {"kserve": kserve}, rollout={"strategy": strategy}))
    assert spec["strategy"] == {"routing": routing, "confidence": 0.9}


def test_other_fields(chart: Chart) -> None:
    spec = spec_of(render(chart, rollout={"version": "2", "paused": True}))
    assert (spec["version"], spec["paused"]) == ("2", True)
    assert not spec_of(render(chart)).keys() & {"version", "paused"}


def test_a_strategy_of_all_models_and_of_one(chart: Chart) -> None:
    shared = {"enabled": True, "strategy": {"onFailure": "pause", "metrics": {"interval": "9s"}}}
    own = {"strategy": {"metrics": {"prometheusUrl": "http://p"}}}
    values: Values = {"defaults": {"rollout": shared}, "models": {"iris": {**HERE, "rollout": own}}}
    strategy = spec_of(chart.render(values))["strategy"]
    assert strategy["onFailure"] == "pause"
    assert strategy["metrics"] == {"interval": "9s", "prometheusUrl": "http://p"}


@pytest.mark.parametrize("rollout", [{}, {"enabled": False}, SHADOW])
def test_pods_read_what_is_shadowed(chart: Chart, rollout: Values) -> None:
    """With a rollout and without one: turning it on must not be another version."""
    rendered = render(chart, rollout=rollout)
    alone = rollout == {"enabled": False}
    predictor = rendered.predictor("iris") if alone else spec_of(rendered)["template"]["spec"]["predictor"]
    [volume] = predictor["volumes"]
    # A whole directory, since a file of a ConfigMap that is mounted alone never changes; optional, or no pod would start before.
    assert volume["configMap"] == {"name": "iris-shadow", "optional": True}
    [mount] = predictor["model"]["volumeMounts"]
    assert (mount["name"], mount["readOnly"]) == (volume["name"], True)
    path = flags(predictor["model"]["args"])["--shadow_file"]
    assert path == f"{mount['mountPath']}/shadow.json"


def test_knative_has_no_shadow(chart: Chart) -> None:
    access = {"callerTokenSecret": {"name": "own-token"}}
    predictor = spec_of(render(chart, KNATIVE, access=access))["template"]["spec"]["predictor"]
    assert "volumes" not in predictor
    assert "--shadow_file" not in flags(predictor["model"]["args"])


def test_the_server_takes_the_last_model_name() -> None:
    """The canary of a pair gets NAME-canary from its runtime, and the stable one's name after that."""
    given, _ = split(["--model_name=iris-canary", "--max_rows=1", "--model_name=iris"], SERVE_SETTINGS)
    assert given["model_name"] == "iris"


def test_probes_name_no_model(chart: Chart) -> None:
    """The canary of a pair is another InferenceService, and answers by the stable one's name."""
    [runtime] = render(chart).runtimes().values()
    [container] = runtime["spec"]["containers"]
    probes = [value for key, value in container.items() if key.endswith("Probe")]
    assert len(probes) == 3
    assert "{{" not in str(probes)


def test_runtimes_stay_for_the_version_before(chart: Chart) -> None:
    """Helm would delete the old one with the upgrade that begins a rollout."""
    values: Values = {
        "models": {"iris": {**HERE, "rollout": {"enabled": True}}, "intent": HERE, "other": {**HERE, "kind": "iris"}}
    }
    policies = {
        name.split("-")[1]: each["metadata"].get("annotations", {}).get("helm.sh/resource-policy")
        for name, each in chart.render(values).runtimes().items()
    }
    assert policies == {"iris": "keep", "intent": None}


@pytest.mark.parametrize("values", ["canary", "all-options", "rollout"])
def test_only_a_rollouts_objects_are_kept(chart: Chart, values: str) -> None:
    """Others would outlive their release."""
    rendered = chart.render(values)
    kept = {
        each["metadata"]["name"]
        for each in rendered
        if "helm.sh/resource-policy" in each["metadata"].get("annotations", {})
    }
    templates = [each["spec"]["template"] for each in rendered.of("InferenceRollout").values()]
    assert kept == {each["spec"]["predictor"]["model"]["runtime"] for each in templates}


def test_the_test_finds_the_pods_whatever_their_service_is(chart: Chart) -> None:
    rendered = render(chart)
    service = rendered.one("Service")
    assert service["spec"]["selector"] == {"serving.kserve.io/inferenceservice": "iris"}
    [container] = rendered.one("Pod")["spec"]["containers"]
    assert container["args"][-1] == f"{service['metadata']['name']}.models.svc"
    weights = [
        int(each["metadata"]["annotations"].get("helm.sh/hook-weight", 0)) for each in (service, rendered.one("Pod"))
    ]
    assert weights == sorted(set(weights))  # the Service is there first
    assert service["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert not render(chart, KNATIVE).of("Service")
