"""What is said of InferenceRollouts in files."""

import copy
from typing import Any

import pytest
import yaml

from predictors.rollout.kube.api import Object
from predictors.rollout.spec import Strategy
from predictors.rollout.terminal.documents import BadYaml, rollouts
from predictors.rollout.terminal.evidence import requests_for_a_pass
from predictors.rollout.terminal.lint import Report, lint

SOUND = """
apiVersion: rollouts.predictors.dev/v1alpha1
kind: InferenceRollout
metadata: {name: iris}
spec:
  template:
    metadata: {annotations: {serving.kserve.io/deploymentMode: Standard}}
    spec:
      predictor:
        model:
          modelFormat: {name: iris}
          storageUri: s3://models/1
          args: ["--artifact_digest=sha256:aa"]
  strategy:
    steps:
    - {weight: 10, hold: 1m}
    - {weight: 100}
"""


def changed(path: str, value: Any) -> Object:
    """The sound one with another value; None: without it."""
    thing: Object = copy.deepcopy(yaml.safe_load(SOUND))
    *parents, last = path.split(".")
    inner = thing
    for parent in parents:
        inner = inner[parent]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return thing


def said(report: Report) -> list[tuple[bool, str]]:
    return [(problem.is_error, problem.message) for problem in report.problems]


def test_nothing_is_wrong_with_a_sound_one() -> None:
    report = lint(yaml.safe_load(SOUND))
    assert not report.problems
    assert "1m of holds" in report.facts[0]


def test_it_says_how_much_traffic_the_first_step_takes() -> None:
    needed = requests_for_a_pass(Strategy.model_validate(yaml.safe_load(SOUND)["spec"]["strategy"]), 10)
    assert needed
    assert f"{needed:,} requests" in lint(yaml.safe_load(SOUND)).facts[-1]


def test_a_narrower_bound_takes_more_traffic() -> None:
    def needed(bound: float) -> int:
        strategy = Strategy.model_validate({"checks": [{"type": "errors", "bound": bound}]})
        return requests_for_a_pass(strategy, 5) or 0

    assert 0 < 2 * needed(0.05) < needed(0.01)


def test_without_a_check_of_errors_nothing_is_said_of_requests() -> None:
    assert requests_for_a_pass(Strategy.model_validate({"checks": [{"type": "latency"}]}), 5) is None


PREDICTOR = "spec.template.spec.predictor"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("apiVersion", "v1", "is not rollouts.predictors.dev/v1alpha1"),
        ("metadata.name", "n" * 39, "the name has 39 characters"),
        ("metadata.name", None, "metadata.name is missing"),
        ("spec.strategy.steps", [{"weight": 10}], "the last must be 100"),
        ("spec.strategy.pauseBefore", [20], "no step has the weight 20"),
        ("spec.surprise", 1, "Extra inputs"),
        (
            "spec.strategy.metrics",
            {"prometheusUrl": "http://me:hunter2@prometheus:9090"},
            "must not hold a user or a password",
        ),
        ("spec.strategy.metrics", {"prometheusUrl": "prometheus:9090"}, "is no URL of a Prometheus"),
        (f"{PREDICTOR}.name", "mine", "the rollout sets it"),
        (f"{PREDICTOR}.model", None, "neither `model` nor `containers`"),
    ],
)
def test_errors(path: str, value: Any, message: str) -> None:
    report = lint(changed(path, value))
    assert any(is_error and message in text for is_error, text in said(report)), said(report)
    assert not report.facts


def test_autoscaling_and_numbers_of_pods_exclude_each_other() -> None:
    thing = changed("spec.autoscaling", {"minReplicas": 2})
    thing["spec"]["template"]["spec"]["predictor"]["minReplicas"] = 1
    [(is_error, message)] = said(lint(thing))
    assert is_error
    assert "spec.autoscaling says" in message


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("spec.template.metadata.annotations", {}, "deploymentMode: Standard is missing"),
        (f"{PREDICTOR}.model.args", [], "no digest is pinned"),
        (f"{PREDICTOR}.model.storageUri", None, "no model.storageUri"),
        ("spec.strategy.steps", [{"weight": 100}], "a single step of 100%"),
        ("spec.strategy.steps", [{"weight": 10}, {"weight": 100, "hold": "1m"}], "no step before 100% has a hold"),
        ("spec.strategy.checks", [], "no checks"),
    ],
)
def test_advice(path: str, value: Any, message: str) -> None:
    found = said(lint(changed(path, value)))
    assert [(is_error, message in text) for is_error, text in found] == [(False, True)]


def test_canary_routing_needs_what_is_advice_elsewhere() -> None:
    thing = changed("spec.template.metadata.annotations", {})
    thing["spec"]["strategy"]["routing"] = "canary"
    assert [is_error for is_error, _ in said(lint(thing))] == [True]


def test_lines_of_fields() -> None:
    [document] = rollouts(SOUND)
    lines = SOUND.splitlines()

    def line(*path: str | int) -> str:
        return lines[document.line(path) - 1].strip()

    assert line("spec", "strategy", "steps", 1, "weight") == "- {weight: 100}"
    assert line("spec", "template", "spec", "predictor", "model", "args") == 'args: ["--artifact_digest=sha256:aa"]'
    assert line("spec", "strategy", "absent") == "strategy:"


def test_other_documents_are_passed_over() -> None:
    text = f"kind: Secret\n---\n{SOUND}---\n\n---\n- a list\n---\n{SOUND}"
    first, second = rollouts(text)
    assert first.value == second.value
    assert second.line(["kind"]) > first.line(["kind"])


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "kind: InferenceRollout\nx: !!python/object:os.system {}"])
def test_bad_yaml_is_said_with_its_line(text: str) -> None:
    with pytest.raises(BadYaml, match=r"line \d+"):
        list(rollouts(text))
