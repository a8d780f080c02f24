"""What holds for whatever the chart renders."""

import re

import pytest
import yaml

from predictors.cli.flags import SERVE_SETTINGS, normalize, parse, split
from tests.chart.chart import CHART, Chart, Object, Pod, Rendered, flags
from tests.chart.restricted import violations


def test_lint_finds_nothing(chart: Chart, scenario: str) -> None:
    assert chart.lint(scenario) == ""


def test_every_model_has_its_objects(scenario: str, rendered: Rendered) -> None:
    given = yaml.safe_load((CHART / "ci" / f"{scenario}-values.yaml").read_text("utf-8"))["models"]
    models = set(given)
    assert set(rendered.services()) == models
    assert len(rendered.of("InferenceService") | rendered.of("InferenceRollout")) == len(models)
    assert set(rendered.of("Pod")) == {
        f"{model}-test"
        for model, fields in given.items()
        if not ((fields or {}).get("tls") or {}).get("clientAuthorities")  # the test has no certificate
    }
    for service, predictor in rendered.variants():
        model = predictor["model"]
        assert service["spec"]["predictor"]["model"]["modelFormat"] == model["modelFormat"]
        [served] = rendered.runtimes()[model["runtime"]]["spec"]["supportedModelFormats"]
        assert served == {**model["modelFormat"], "autoSelect": False}
        assert model["storageUri"]


def test_pods_satisfy_restricted(rendered: Rendered) -> None:
    pods = [*rendered.pods()]
    assert pods
    assert [f"{pod.name}: {fault}" for pod in pods for fault in violations(pod)] == []


def test_containers_have_a_read_only_root_and_bounds(rendered: Rendered) -> None:
    for pod in rendered.pods():
        assert pod.spec["automountServiceAccountToken"] is False
        assert pod.spec["enableServiceLinks"] is False
        for container in pod.containers:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
    for _, predictor in rendered.variants():
        assert predictor["model"]["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in predictor["model"]["resources"]["limits"]


def test_the_server_takes_every_argument(rendered: Rendered) -> None:
    for service, predictor in rendered.variants():
        model = predictor["model"]
        [container] = rendered.runtimes()[model["runtime"]]["spec"]["containers"]
        first = [each.replace("{{.Name}}", service["metadata"]["name"]) for each in container["args"]]
        given, others = split(normalize([*first, *model["args"]], SERVE_SETTINGS), SERVE_SETTINGS)
        assert others == []
        kind = container["command"][-1]
        assert container["command"] == ["predictors", "serve", kind]
        parse([kind], given)  # refuses values that are wrong, and flags of another kind


def test_no_braces_but_the_name(rendered: Rendered) -> None:
    """KServe takes them for a template."""
    for runtime in rendered.runtimes().values():
        assert set(re.findall(r"\{\{.*?\}\}", yaml.safe_dump(runtime))) == {"{{.Name}}"}
    for service in rendered.services().values():
        assert "{{" not in yaml.safe_dump(service)


def test_time_enough_to_answer_and_to_stop(rendered: Rendered) -> None:
    for service, predictor in rendered.variants():
        given = flags(predictor["model"]["args"])
        stable = service["spec"]["predictor"]
        assert stable["timeout"] > float(given["--request_timeout_seconds"])
        assert float(given["--grace_seconds"]) >= float(given["--request_timeout_seconds"])
        if service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard":
            stop = float(given["--drain_seconds"]) + float(given["--grace_seconds"])
            assert stable["terminationGracePeriodSeconds"] > stop


def test_kserve_does_not_take_our_objects_for_its_own(rendered: Rendered) -> None:
    """It deletes what has both labels and a name that it does not expect, and injects a volume into pods with the first."""
    for each in rendered:
        for owned in (each, each.get("spec", {}).get("template", {})):
            assert "serving.kserve.io/inferenceservice" not in owned.get("metadata", {}).get("labels", {})
    assert not [name for name in rendered.of("HorizontalPodAutoscaler") if name.endswith("-predictor")]


def test_objects_have_names_of_their_own(rendered: Rendered) -> None:
    names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in rendered]
    assert len(names) == len(set(names))


def test_pods_are_selected_by_a_label_that_a_promotion_keeps(rendered: Rendered) -> None:
    label = "serving.kserve.io/inferenceservice"
    services = {name: {name} for name in rendered.of("InferenceService")}
    services |= {name: {name, f"{name}-canary"} for name in rendered.of("InferenceRollout")}
    for name, budget in rendered.of("PodDisruptionBudget").items():
        assert selected_by(budget["spec"]["selector"], label) == services[name]
    for policy in rendered.of("NetworkPolicy").values():
        assert selected_by(policy["spec"]["podSelector"], label) == set().union(*services.values())


def selected_by(selector: Object, label: str) -> set[str]:
    """The values of the one label that a selector looks at."""
    if "matchLabels" in selector:
        assert selector.keys() == {"matchLabels"}
        assert selector["matchLabels"].keys() == {label}
        return {*selector["matchLabels"].values()}
    [expression] = selector["matchExpressions"]
    assert (expression["key"], expression["operator"]) == (label, "In")
    return {*expression["values"]}


def test_whole_numbers_are_whole(chart: Chart, rendered: Rendered) -> None:
    assert not re.search(r"\d(\.\d+)?e\+\d", yaml.safe_dump([*rendered]))
    big = chart.render({"models": {"iris": {"storageUri": "pvc://a/b", "maxBodyBytes": 4_100_000}}})
    assert flags(big.predictor("iris")["model"]["args"])["--max_body_bytes"] == "4100000"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"securityContext": {"allowPrivilegeEscalation": True}}, "escalation"),
        ({"securityContext": {"capabilities": {"drop": ["NET_RAW"]}}}, "capabilities"),
        ({"securityContext": {"runAsUser": 0}}, "root"),
        ({"securityContext": {"privileged": True}}, "privileged"),
        ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "seccomp"),
        ({"securityContext": {"runAsNonRoot": False}}, "root"),
        ({"ports": [{"containerPort": 80, "hostPort": 80}]}, "host"),
    ],
)
def test_the_check_of_restricted_finds_faults(chart: Chart, change: dict[str, object], fault: str) -> None:
    good = next(chart.render("minimal").pods())
    container = {**good.containers[0], **change}
    if isinstance(security := change.get("securityContext"), dict):
        container["securityContext"] = {**good.containers[0]["securityContext"], **security}
    assert [each for each in violations(Pod(good.name, good.spec, [container])) if fault in each]
