"""What a user writes: durations, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from predictors.rollout.spec import Autoscaling, Check, RolloutSpec, Strategy, format_duration, parse_duration

TEMPLATE = {"spec": {"predictor": {"model": {"storageUri": "s3://bucket/iris/1"}}}}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("30s", 30), ("5m", 300), ("2h", 7200), ("1h30m", 5400), ("1h1m1s", 3661), ("90m", 5400)],
)
def test_a_duration(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "s", "1.5m", "-5s", "5s1m", "1d", " 5s", "5 s", "5S", "1m2m"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write 30s, 5m or 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize("seconds", [0, 1, 59, 60, 61, 3599, 3600, 3661, 86_400])
def test_a_duration_that_is_written_is_read_again(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


def test_what_is_no_text_is_left_to_the_fields_type() -> None:
    assert Strategy.model_validate({"drain": 5}).drain == 5
    with pytest.raises(ValidationError):
        Strategy.model_validate({"drain": -5})


def test_a_template_is_enough() -> None:
    spec = RolloutSpec.model_validate({"template": TEMPLATE})
    assert [(step.weight, step.hold) for step in spec.strategy.steps] == [(5, 120), (25, 300), (50, 300), (100, 0)]
    assert spec.strategy.checks is None
    assert spec.autoscaling is None


def test_no_checks_are_not_the_default_ones() -> None:
    assert Strategy.model_validate({"checks": []}).checks == ()


CUSTOM = {"type": "custom", "query": "sum(x)", "max": 1}
PROMETHEUS = {"metrics": {"prometheusUrl": "http://prometheus:9090"}}


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        ({"steps": []}, "at least 1 item"),
        ({"steps": [{"weight": 0}, {"weight": 100}]}, "greater than or equal to 1"),
        ({"steps": [{"weight": 101}]}, "less than or equal to 100"),
        ({"steps": [{"weight": 50}]}, "steps: the weights must rise, and the last must be 100"),
        ({"steps": [{"weight": 50}, {"weight": 10}, {"weight": 100}]}, "steps: the weights must rise"),
        ({"steps": [{"weight": 50}, {"weight": 50}, {"weight": 100}]}, "steps: the weights must rise"),
        ({"pauseBefore": [10, 100]}, "pauseBefore: no step has the weight 10"),
        ({"checks": [{"type": "errors"}, {"type": "errors"}]}, "checks: two have the same name"),
        ({"checks": [{"type": "errors"}, {"type": "labels", "name": "errors"}]}, "checks: two have the same name"),
        ({"checks": [CUSTOM]}, "checks: a check of type custom needs metrics.prometheusUrl"),
        ({"checks": [{"type": "errors", "bound": -1}]}, "greater than or equal to 0"),
        ({"checks": [{"type": "speed"}]}, "Input should be"),
        ({"confidence": 1}, "less than or equal to 0.9999"),
        ({"onFailure": "ignore"}, "'rollback' or 'pause'"),
        ({"progressDeadline": "0s"}, "greater than or equal to 1"),
        ({"metrics": {"interval": "0s"}}, "greater than or equal to 1"),
        ({"shadow": {"percent": 0}}, "greater than or equal to 1"),
        ({"onfailure": "pause"}, "Extra inputs are not permitted"),
    ],
)
def test_a_strategy_that_is_refused(strategy: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Strategy.model_validate(strategy)


@pytest.mark.parametrize(
    "strategy",
    [
        {"steps": [{"weight": 100}], "pauseBefore": [100]},
        {"checks": [{"type": "errors"}, {"type": "errors", "name": "strict", "bound": 0}]},
        {"checks": [CUSTOM], **PROMETHEUS},
        {"shadow": {"percent": 100}},
    ],
)
def test_a_strategy_that_is_taken(strategy: dict[str, Any]) -> None:
    assert Strategy.model_validate(strategy).model_dump(by_alias=True, exclude_unset=True, mode="json") == strategy


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        ({"type": "custom", "max": 1}, "query: a check of type custom needs one"),
        ({"type": "errors", "query": "sum(x)"}, "no other type takes one"),
        ({"type": "custom", "query": "sum(x)"}, "min, max: a check of type custom needs one of them, or both"),
        ({"type": "latency", "quantile": 1}, "less than 1"),
        ({"type": "latency", "name": "P99"}, "String should match pattern"),
    ],
)
def test_a_check_that_is_refused(check: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Check.model_validate(check)


def test_a_check_is_called_by_its_type_or_its_name() -> None:
    assert Check(type="latency").label == "latency"
    assert Check(type="latency", name="p99", quantile=0.99).label == "p99"


def test_the_most_pods_are_the_least_by_default() -> None:
    assert Autoscaling(min_replicas=3).most == 3
    assert Autoscaling(min_replicas=3, max_replicas=5).most == 5
    with pytest.raises(ValidationError, match="maxReplicas is less than minReplicas"):
        Autoscaling(min_replicas=3, max_replicas=2)


def test_only_a_predictor_is_rolled_out() -> None:
    template = {"spec": {**TEMPLATE["spec"], "transformer": {}}}
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        RolloutSpec.model_validate({"template": template})
