"""What is read of objects: whether they are as wanted, accepted, and split as asked."""

from typing import Any

import pytest

from predictors.rollout.engine.state import Pods
from predictors.rollout.kube.api import Object
from predictors.rollout.routing.objects import covers, is_accepted, is_going, storage_uri, variant, weight_in


@pytest.mark.parametrize(
    ("wanted", "actual"),
    [
        ({"cpu": "500m"}, {"cpu": 0.5}),
        ({"cpu": 1}, {"cpu": "1"}),
        ({"memory": "1024Mi"}, {"memory": "1Gi"}),
        ({"memory": "1Gi"}, {"memory": str(1 << 30)}),
        ({"a": 1}, {"a": 1, "added": "by a webhook"}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}),
        ({"list": [{"name": "x"}]}, {"list": [{"name": "x", "default": 1}]}),
        ({"empty": {}}, {}),
        ({"empty": []}, None),
        ({"empty": ""}, {"empty": None}),
        ({"off": False}, {}),
        ({"none": 0}, {"none": None}),
        ({}, None),
    ],
)
def test_what_differs_in_writing_alone_is_the_same(wanted: Any, actual: Any) -> None:
    assert covers(wanted, actual)


@pytest.mark.parametrize(
    ("wanted", "actual"),
    [
        ({"cpu": "500m"}, {"cpu": "501m"}),
        ({"cpu": "1"}, {"cpu": True}),
        ({"memory": "1G"}, {"memory": "1Gi"}),
        ({"a": 1}, {}),
        ({"a": 1}, None),
        ({"a": {"b": 1}}, {"a": "text"}),
        ({"list": ["x"]}, {"list": ["x", "y"]}),
        ({"list": ["x", "y"]}, {"list": ["y", "x"]}),
        ({"list": ["x"]}, {"list": "x"}),
        ({"off": False}, {"off": True}),
        ({"none": 0}, {"none": 1}),
        ({"name": "a"}, {"name": "b"}),
    ],
)
def test_what_is_missing_or_other_is_not(wanted: Any, actual: Any) -> None:
    assert not covers(wanted, actual)


def deployment(**status: int) -> Object:
    labels = {"rollouts.predictors.dev/revision": "abc"}
    return {
        "metadata": {"generation": 3},
        "spec": {"replicas": 2, "template": {"metadata": {"labels": labels}}},
        "status": {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, **status},
    }


def test_a_variant_whose_pods_follow_is_settled() -> None:
    assert variant(deployment(), [], "abc") == Pods(asked=2, ready=2, settled=True)


def test_pods_of_another_template_are_not_ready() -> None:
    assert variant(deployment(), [], "other") == Pods(asked=2, ready=0, settled=False)


def test_old_pods_that_are_available_do_not_count() -> None:
    assert variant(deployment(replicas=3, updatedReplicas=1, availableReplicas=3), [], "abc").ready == 1


@pytest.mark.parametrize("status", [{"observedGeneration": 2}, {"replicas": 3}])
def test_a_deployment_that_has_not_followed_is_unsettled(status: dict[str, int]) -> None:
    assert not variant(deployment(**status), [], "abc").settled


def test_without_a_deployment_nothing_is_ready() -> None:
    assert variant(None, [], "abc", 2) == Pods(asked=2, ready=0, settled=False)


def pod(**container: Any) -> Object:
    return {"metadata": {"name": "iris-1"}, "status": {"containerStatuses": [{"name": "server", **container}]}}


@pytest.mark.parametrize(
    ("container", "problem"),
    [
        ({"restartCount": 2, "ready": False}, "container server of iris-1 has ended 2 times"),
        (
            {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}},
            "ImagePullBackOff: no such image",
        ),
        ({"restartCount": 1, "ready": False}, ""),
        ({"restartCount": 5, "ready": True}, ""),
        ({"restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}, ""),
        ({"state": {"waiting": {"reason": "ContainerCreating"}}}, ""),
    ],
)
def test_why_a_pod_cannot_start(container: dict[str, Any], problem: str) -> None:
    assert variant(deployment(), [pod(**container)], "abc").problem == problem


def route(*backends: dict[str, int], parents: int = 1, generation: int = 2, status: str = "True") -> Object:
    conditions = [{"type": kind, "status": status, "observedGeneration": 2} for kind in ("Accepted", "ResolvedRefs")]
    refs = [[{"name": name, "weight": weight} for name, weight in each.items()] for each in backends]
    return {
        "metadata": {"generation": generation},
        "spec": {"parentRefs": [{}], "rules": [{"backendRefs": each} for each in refs]},
        "status": {"parents": [{"conditions": conditions}] * parents},
    }


def test_a_route_that_every_gateway_took_is_accepted() -> None:
    assert is_accepted(route())


@pytest.mark.parametrize("change", [{"parents": 0}, {"generation": 3}, {"status": "False"}])
def test_another_is_not(change: Any) -> None:
    assert not is_accepted(route(**change))


@pytest.mark.parametrize(
    ("backends", "weight"),
    [
        (({"a": 75, "b": 25},), 25),
        (({"a": 3, "b": 1},), 25),
        (({"a": 100},), 0),
        (({"a": 75, "b": 25}, {"a": 75, "b": 25}), 25),
        (({"a": 75, "b": 25}, {"a": 100}), None),
        (({"a": 0, "b": 0},), None),
        ((), None),
    ],
)
def test_a_weight_is_one_of_all_rules(backends: tuple[dict[str, int], ...], weight: int | None) -> None:
    assert weight_in(route(*backends), "b") == weight


def test_a_backend_without_a_weight_counts_as_1() -> None:
    found = route({})
    found["spec"]["rules"] = [{"backendRefs": [{"name": "a"}, {"name": "b"}]}]
    assert weight_in(found, "b") == 50


def test_what_is_being_deleted_is_going() -> None:
    assert is_going(None)
    assert is_going({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert not is_going({"metadata": {}})


@pytest.mark.parametrize("predictor", [{}, {"model": {}}, {"model": {"storageUri": None}}, {"containers": [{}]}])
def test_a_predictor_need_not_have_a_storage_uri(predictor: Object) -> None:
    assert storage_uri(predictor) == ""
