"""charts/rollout-controller."""

from typing import Any

import pytest
import typer
import yaml

from predictors.cli.app import app
from predictors.rollout.kube.api import API_VERSIONS
from predictors.rollout.spec import GROUP
from scripts.crd import CRD
from tests.chart.chart import CONTROLLER, Chart, Object, Rendered, Values, scenarios
from tests.chart.restricted import violations

NAMESPACE = "rollouts"
NAMESPACES: Values = {"namespaces": ["models", "staging"]}


@pytest.fixture(scope="session")
def controller(chart: Chart) -> Chart:
    """The controller's chart."""
    return Chart(chart.helm, CONTROLLER)


@pytest.fixture(params=scenarios(CONTROLLER))
def rendered(controller: Chart, request: pytest.FixtureRequest) -> Rendered:
    """What each scenario of its ci/ renders."""
    return controller.render(request.param, NAMESPACE)


def container_of(rendered: Rendered) -> Object:
    """The controller's container."""
    [pod] = rendered.pods()
    [container] = pod.containers
    return container


def allowed(rules: list[Object]) -> set[tuple[str, str, str]]:
    """What rules allow: group, resource and verb."""
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("scenario", scenarios(CONTROLLER))
def test_lint_finds_nothing(controller: Chart, scenario: str) -> None:
    assert controller.lint(scenario) == ""


def test_pods_satisfy_restricted(rendered: Rendered) -> None:
    [pod] = rendered.pods()
    assert [*violations(pod)] == []
    container = container_of(rendered)
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


def test_objects_have_names_of_their_own(rendered: Rendered) -> None:
    names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in rendered]
    assert len(names) == len(set(names))


def test_every_binding_is_of_a_role_and_of_the_pods_account(rendered: Rendered) -> None:
    account = rendered.one("ServiceAccount")["metadata"]
    deployment = rendered.one("Deployment")
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == account["name"]
    bindings = [each for each in rendered if each["kind"].endswith("Binding")]
    assert bindings
    roles = {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in rendered}
    for binding in bindings:
        role = binding["roleRef"]
        assert (role["kind"], binding["metadata"].get("namespace"), role["name"]) in roles
        [subject] = binding["subjects"]
        assert (subject["name"], subject["namespace"]) == (account["name"], NAMESPACE)


def test_for_all_namespaces(controller: Chart) -> None:
    rendered = controller.render({"aggregatedRoles": False}, NAMESPACE)
    assert set(rendered.of("ClusterRole")) == {f"{NAMESPACE}-rollout-controller"}
    assert [each["metadata"]["namespace"] for each in rendered if each["kind"] == "Role"] == [NAMESPACE]
    assert not [each for each in container_of(rendered)["args"] if each.startswith("--namespace")]


def test_for_some_namespaces(controller: Chart) -> None:
    rendered = controller.render({**NAMESPACES, "aggregatedRoles": False, "crd": {"install": False}}, NAMESPACE)
    assert all("namespace" in each["metadata"] for each in rendered)  # nothing needs rights on the whole cluster
    roles = {each["metadata"]["namespace"]: each["rules"] for each in rendered if each["kind"] == "Role"}
    assert roles.keys() == {"models", "staging", "kserve", NAMESPACE}
    everywhere = controller.render({"aggregatedRoles": False}, NAMESPACE).one("ClusterRole")["rules"]
    assert roles["models"] == roles["staging"] == everywhere
    assert all(rule["resourceNames"] and rule["verbs"] == ["get"] for rule in roles["kserve"])
    arguments = container_of(rendered)["args"]
    assert [each for each in arguments if each.startswith("--namespace")] == [
        "--namespace=models",
        "--namespace=staging",
    ]


def test_the_controller_may_do_what_it_does_and_no_more(controller: Chart) -> None:
    rules = allowed(controller.render({"aggregatedRoles": False}, NAMESPACE).one("ClusterRole")["rules"])
    groups = {kind: version.rpartition("/")[0] for kind, version in API_VERSIONS.items()}
    writes = {"create", "update", "delete"}
    verbs = {
        "InferenceRollout": {"get", "list", "watch"},
        "InferenceService": {"get", "list", *writes},
        "HTTPRoute": {"get", "list", *writes},
        "HorizontalPodAutoscaler": {"get", "list", *writes},
        "ControllerRevision": {"get", "list", *writes},
        "ConfigMap": {"get", *writes},
        "Deployment": {"get", "list"},
        "Pod": {"get", "list"},
        "Service": {"get", "list"},
        "Event": {"create"},
    }
    status = {(GROUP, "inferencerollouts/status", verb) for verb in ("get", "patch", "update")}
    assert rules == status | {(groups[kind], f"{kind.lower()}s", verb) for kind, few in verbs.items() for verb in few}


def test_the_lease_is_the_namespaces(controller: Chart) -> None:
    roles = controller.render({}, NAMESPACE).of("Role")
    assert roles.keys() == {"rollout-controller"}
    assert allowed(roles["rollout-controller"]["rules"]) == {
        ("coordination.k8s.io", "leases", verb) for verb in ("get", "create", "update", "patch")
    }


def test_users_get_rights_by_their_own_roles(controller: Chart) -> None:
    roles = controller.render({}, NAMESPACE).of("ClusterRole")
    by_label = {
        level: allowed(role["rules"])
        for role in roles.values()
        for level in ("view", "edit", "admin")
        if role["metadata"]["labels"].get(f"rbac.authorization.k8s.io/aggregate-to-{level}") == "true"
    }
    assert by_label.keys() == {"view", "edit", "admin"}
    assert by_label["view"] == {(GROUP, "inferencerollouts", verb) for verb in ("get", "list", "watch")}
    # Those who edit may view already; commands are annotations.
    assert (GROUP, "inferencerollouts", "patch") in by_label["edit"] == by_label["admin"]
    assert not {resource for rules in by_label.values() for _, resource, _ in rules} - {"inferencerollouts"}


@pytest.mark.parametrize(("keep", "annotations"), [(True, {"helm.sh/resource-policy": "keep"}), (False, None)])
def test_the_definition_is_the_one_that_is_made(controller: Chart, keep: bool, annotations: Any) -> None:
    definition = controller.render({"crd": {"keep": keep}}, NAMESPACE).one("CustomResourceDefinition")
    assert definition["metadata"].get("annotations") == annotations
    made = yaml.safe_load(CRD.read_text("utf-8"))
    assert definition["metadata"]["name"] == made["metadata"]["name"]
    assert definition["spec"] == made["spec"]


def test_no_definition_if_not_wanted(controller: Chart) -> None:
    assert not controller.render({"crd": {"install": False}}, NAMESPACE).of("CustomResourceDefinition")


def test_the_command_takes_every_argument(rendered: Rendered) -> None:
    container = container_of(rendered)
    program, *path = container["command"]
    assert program == "predictors"
    command = typer.main.get_command(app)
    for name in path:
        assert isinstance(command, typer.core.TyperGroup)
        command = command.commands[name]
    context = command.make_context(path[-1], [*container["args"]])
    assert context.params["http_port"] == container["ports"][0]["containerPort"]


def test_arguments(controller: Chart) -> None:
    given: Values = {"kserve": {"version": "0.21"}, "args": ["--last=1"]}
    assert container_of(controller.render({}, NAMESPACE))["args"] == ["--http_port=8080"]
    container = container_of(controller.render(given, NAMESPACE))
    assert container["command"] == ["predictors", "rollout", "controller"]
    assert container["args"] == ["--http_port=8080", "--kserve_version=0.21", "--last=1"]


def test_the_metrics_token_is_a_file(controller: Chart) -> None:
    rendered = controller.render({"metricsToken": {"secretName": "door", "key": "bearer"}}, NAMESPACE)
    [pod] = rendered.pods()
    [secret] = [each["secret"] for each in pod.spec["volumes"] if "secret" in each]
    assert (secret["secretName"], secret["items"]) == ("door", [{"key": "bearer", "path": "bearer"}])
    container = container_of(rendered)
    [mount] = [each for each in container["volumeMounts"] if each["name"] == "metrics-token"]
    assert f"--metrics_token_file={mount['mountPath']}/bearer" in container["args"]


def test_probes_and_metrics_are_on_the_port(controller: Chart) -> None:
    container = container_of(controller.render({}, NAMESPACE))
    [port] = container["ports"]
    probes = {key: value["httpGet"] for key, value in container.items() if key.endswith("Probe")}
    assert probes == {
        "readinessProbe": {"path": "/readyz", "port": port["containerPort"]},
        "livenessProbe": {"path": "/healthz", "port": port["containerPort"]},
    }
    monitored = controller.render("all-options", NAMESPACE)
    monitor = monitored.one("PodMonitor")
    assert [each["port"] for each in monitor["spec"]["podMetricsEndpoints"]] == [port["name"]]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    labels = monitored.one("Deployment")["spec"]["template"]["metadata"]["labels"]
    for kind, field in (("PodMonitor", "selector"), ("NetworkPolicy", "podSelector"), ("Deployment", "selector")):
        assert monitored.one(kind)["spec"][field]["matchLabels"].items() <= labels.items()


def test_who_may_connect(controller: Chart) -> None:
    [rule] = controller.render({}, NAMESPACE).one("NetworkPolicy")["spec"]["ingress"]
    [source] = rule["from"]
    assert source["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}
    assert rule["ports"] == [{"port": 8080}]
    closed = controller.render("all-options", NAMESPACE).one("NetworkPolicy")["spec"]
    assert closed["policyTypes"] == ["Ingress"]
    assert "ingress" not in closed
    assert not controller.render({"networkPolicy": {"enabled": False}}, NAMESPACE).of("NetworkPolicy")


def test_the_predictors_chart_lets_it_in(chart: Chart) -> None:
    """By the namespace that both READMEs install it into."""
    policy = chart.render("rollout").one("NetworkPolicy")["spec"]["ingress"][-1]
    assert "rollout-controller" in str(policy["from"])
    assert "--namespace rollout-controller" in (CONTROLLER / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"replicas": 0}, "at '/replicas'"),
        ({"namespaces": ["Models"]}, "at '/namespaces/0'"),
        ({"kserve": {"version": 0.21}}, "at '/kserve/version'"),
        ({"scope": "cluster"}, "'scope' not allowed"),
    ],
)
def test_refused_by_the_schema(controller: Chart, values: Values, place: str) -> None:
    assert place in controller.refusal(values, NAMESPACE)
