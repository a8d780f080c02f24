"""The CustomResourceDefinition of InferenceRollouts; `tests/cluster/test_crd.py` asks an API server what it makes of it."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from predictors.rollout.controller.status import status_of
from predictors.rollout.driver import Job, Turn
from predictors.rollout.engine.state import Decision, Memo, Phase, Pods, Result, Seen
from predictors.rollout.judge.verdict import Finding, Outcome, Verdict
from predictors.rollout.routing.router import Look
from predictors.rollout.routing.target import Target
from predictors.rollout.spec import API_VERSION, KIND, RolloutSpec
from scripts import crd
from tests.chart.rollouts import BAD, GOOD, Object

CRD: Object = yaml.safe_load(crd.CRD.read_text("utf-8"))
[VERSION] = CRD["spec"]["versions"]
WHOLE: Object = VERSION["schema"]["openAPIV3Schema"]


def schemas(schema: Object, path: str = "") -> Iterator[tuple[str, Object]]:
    """A schema and all below it, by path."""
    yield path, schema
    for name, below in schema.get("properties", {}).items():
        yield from schemas(below, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from schemas(schema[key], f"{path}[]")


def at(path: str) -> Object:
    """The schema of a field."""
    return dict(schemas(WHOLE))[path]


def test_it_is_up_to_date() -> None:
    """`make crd` makes it."""
    assert crd.CRD.read_text("utf-8") == crd.make_crd()


def test_it_is_of_the_kind_that_the_controller_reads() -> None:
    names = CRD["spec"]["names"]
    assert f"{CRD['spec']['group']}/{VERSION['name']}" == API_VERSION
    assert (names["kind"], names["shortNames"]) == (KIND, ["iro"])
    assert CRD["metadata"]["name"] == f"{names['plural']}.{CRD['spec']['group']}"
    assert VERSION["subresources"] == {"status": {}}


@pytest.mark.parametrize("spec", GOOD.values(), ids=GOOD)
def test_the_controller_takes_what_is_good(spec: Object) -> None:
    RolloutSpec.model_validate(spec)


@pytest.mark.parametrize(("spec", "reason"), BAD.values(), ids=BAD)
def test_the_controller_refuses_what_is_bad(spec: Object, reason: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        RolloutSpec.model_validate(spec)
    assert reason in str(refusal.value)


def unknown(value: Any, schema: Object, path: str) -> Iterator[str]:
    """What the API server would drop of a value."""
    if isinstance(value, dict) and "properties" in schema:
        for name, each in value.items():
            if name in schema["properties"]:
                yield from unknown(each, schema["properties"][name], f"{path}.{name}")
            elif "x-kubernetes-preserve-unknown-fields" not in schema:
                yield f"{path}.{name}"
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from unknown(each, schema["items"], f"{path}[]")


@pytest.mark.parametrize("spec", GOOD.values(), ids=GOOD)
def test_every_field_that_the_controller_reads_is_there(spec: Object) -> None:
    whole = RolloutSpec.model_validate(spec).model_dump(by_alias=True)
    assert [*unknown(whole, at(".spec"), ".spec")] == []


def test_every_field_that_the_controller_writes_is_there() -> None:
    spec = RolloutSpec.model_validate(GOOD["all"])
    job = Job(Target("models", "iris", spec.template), spec, "pair")
    predictor = GOOD["all"]["template"]["spec"]["predictor"]
    seen = Seen(stable=Pods(2, 2), canary=Pods(1, 1), weight=2, routed=2)
    finding = Finding("errors", "errors", Outcome.PASS, 0.1, 0.1, 0.01, -0.1, 0.005, 0.95, 1000, "no worse")
    memo = Memo(revision="0", weight=2, mark="hold 2")
    decision = Decision(Phase.PROGRESSING, "holding", memo, ended=Result.SUPERSEDED)
    look = Look(seen, stable=predictor, canary=predictor)
    turn = Turn(look, Verdict.of((finding,)), decision, "2", ("no answer from a pod",))
    status = status_of(job, turn, {"lastRequest": {"id": "1", "outcome": "done"}}, 1, 0)
    assert [*unknown(status, at(".status"), ".status")] == []
    assert status["startedAt"]
    assert status["faults"]
    assert status["history"][0]["result"] == "Superseded"
    assert status["step"]["holdUntil"]


def test_it_is_structural() -> None:
    for path, schema in schemas(WHOLE):
        assert "type" in schema, path
        assert not schema.keys() & {"$ref", "anyOf", "default", "title"}, path


def test_every_field_is_described() -> None:
    """`kubectl explain` shows it."""
    free = (".apiVersion", ".kind", ".metadata", "[]", ".labels", ".annotations")
    inside = ".spec.template.spec.predictor."
    bare = [path for path, schema in schemas(WHOLE) if not schema.get("description")]
    assert [path for path in bare if not path.endswith(free) and not path.startswith(inside)] == []


def test_durations_are_texts() -> None:
    for path in (".spec.strategy.steps[].hold", ".spec.strategy.drain", ".spec.strategy.metrics.interval"):
        assert at(path)["type"] == "string"
        assert "pattern" in at(path)


def test_what_is_free_stays_whole() -> None:
    for path in (".spec.template.spec.predictor", ".spec.autoscaling.behavior", ".status.engine"):
        assert at(path)["x-kubernetes-preserve-unknown-fields"] is True


def test_every_column_shows_a_field() -> None:
    columns = {each["name"]: each["jsonPath"] for each in VERSION["additionalPrinterColumns"]}
    assert [*columns] == ["Phase", "Weight", "Step", "Verdict", "Stable", "Canary", "Age", "Message"]
    for path in set(columns.values()) - {".metadata.creationTimestamp"}:
        assert at(path)["type"] in {"string", "integer"}
