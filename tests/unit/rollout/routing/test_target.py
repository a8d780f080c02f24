"""How revisions are told apart."""

import copy
from typing import Any

import pytest

from predictors.rollout.kube.api import Object
from predictors.rollout.routing.objects import REVISION_LABEL, revision_of
from predictors.rollout.routing.target import revision
from predictors.rollout.spec import Autoscaling
from tests.unit.rollout.routing.fakes import PREDICTOR, target


def changed(path: str, value: Any) -> Object:
    predictor = copy.deepcopy(PREDICTOR)
    *way, last = path.split(".")
    place = predictor
    for key in way:
        place = place.setdefault(key, {})
    place[last] = value
    return predictor


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "r12345678"),
        ("minReplicas", 7),
        ("maxReplicas", 9),
        ("scaleTarget", 50),
        ("scaleMetric", "memory"),
        ("scaleMetricType", "Utilization"),
        ("autoScaling", {"metrics": []}),
        (f"labels.{REVISION_LABEL.replace('.', '_')}", ""),
    ],
)
def test_a_change_of_what_scales_is_no_new_revision(path: str, value: Any) -> None:
    predictor = changed(path, value)
    if "labels" in predictor:
        predictor["labels"] = {REVISION_LABEL: "12345678"}
    assert revision(predictor) == revision(PREDICTOR)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model.storageUri", "s3://bucket/iris/2"),
        ("model.args", ["--http_port=8081"]),
        ("model.args", []),
        ("model.runtime", "predictors-iris-2"),
        ("model.image", "iris:2"),
        ("timeout", 16),
        ("labels", {"team": "blue"}),
        ("containers", [{"image": "iris:2"}]),
    ],
)
def test_a_change_of_anything_else_is_one(path: str, value: Any) -> None:
    assert revision(changed(path, value)) != revision(PREDICTOR)


def test_the_order_of_fields_does_not_matter_but_that_of_arguments_does() -> None:
    assert revision(dict(reversed(PREDICTOR.items()))) == revision(PREDICTOR)
    assert revision(changed("model.args", ["a", "b"])) != revision(changed("model.args", ["b", "a"]))


def test_a_revision_is_8_hexadecimal_digits_and_does_not_change_what_it_is_of() -> None:
    before = copy.deepcopy(PREDICTOR)
    assert len(f"{int(revision(PREDICTOR), 16):08x}") == 8
    assert before == PREDICTOR


def test_what_is_wanted_is_labelled_and_has_no_number_of_pods() -> None:
    wanted = target(PREDICTOR | {"labels": {"team": "blue"}, "maxReplicas": 4}).wanted
    assert revision_of(wanted) == revision(wanted) == target(PREDICTOR | {"labels": {"team": "blue"}}).revision
    assert wanted["labels"]["team"] == "blue"
    assert not {"minReplicas", "maxReplicas"} & wanted.keys()


def test_numbers_of_pods_are_the_templates_or_the_rollouts() -> None:
    assert target(PREDICTOR | {"maxReplicas": 4}).scaling == {"minReplicas": 2, "maxReplicas": 4}
    assert target({"model": {}}).minimum == 1
    owned = target(autoscaling=Autoscaling(min_replicas=3))
    assert (owned.scaling, owned.minimum) == ({"minReplicas": 1}, 3)
    assert owned.annotations == {"serving.kserve.io/autoscalerClass": "external"}
    assert target(annotations={"a": "b"}).annotations == {"a": "b"}
