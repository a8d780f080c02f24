"""Whatever stands in the objects of a cluster, the doctor gives a report."""

import copy
import json
import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.doctor.clusters import NAMESPACE, Object, World, production, quickstart

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 2), st.floats(), st.text(max_size=5), st.just([]), st.just({}), st.just([None]),
    st.just({"a": None}), st.just("sha256:" + "a" * 64), st.just("99999999999999999999999Gi"), st.just(10**400), st.just("9" * 400), st.just([{"name": None}]),
)  # fmt: skip


def places(thing: Any) -> list[tuple[Any, Any]]:
    """Every key of every map, and every index of every list."""
    keys = list(thing) if isinstance(thing, dict) else range(len(thing)) if isinstance(thing, list) else []
    return [place for key in keys for place in ((thing, key), *places(thing[key]))]


BASE = production()
for name in ("iris", "intent"):
    BASE.add_pod(
        name,
        containerStatuses=[
            {"name": "kserve-container", "restartCount": 4, "lastState": {"terminated": {"reason": "Error"}}}
        ],
    )
BASE.metrics["iris"] = "model_drift_rows 1\n"
BASE.objects["InferenceRollout"] = [{"metadata": {"name": "iris"}, "spec": {}, "status": {"phase": "Paused"}}]


def broken(data: st.DataObject) -> World:
    world = copy.deepcopy(BASE)
    for _ in range(data.draw(st.integers(1, 5))):
        container, key = data.draw(
            st.sampled_from([each for each in places(world.objects) if each[0] is not world.objects])
        )
        container[key] = data.draw(ODD)
    for kind, things in list(world.objects.items()):
        # As `look` leaves them.
        world.objects[kind] = [each for each in things if isinstance(each, dict)] if isinstance(things, list) else []
    return world


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_object_breaks_a_check(data: st.DataObject) -> None:
    report = broken(data).report()
    for each in report.findings:
        assert each.issue.message.isprintable()
        assert str(each.issue.fix)


def test_an_empty_cluster_has_a_report() -> None:
    world = quickstart()
    world.objects.clear()
    assert {each.check for each in world.report().findings} == {"kserve", "logs"}


def strangers() -> list[Object]:
    """InferenceServices that are not the chart's: by other runtimes, of old and of unknown shapes."""
    specs: list[Any] = [
        {"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://x/y"}}},
        {"predictor": {"model": {"runtime": "nowhere", "args": ["--a", "--b=c"]}}},
        {"predictor": {"sklearn": {"storageUri": "s3://x"}}},
        {"predictor": {"containers": [{"name": "kserve-container", "image": "x", "command": ["predictors", "serve", "iris"], "args": ["--trust_artifact"]}]}},
        {"predictor": {"containers": []}},
        {"predictor": None},
        {},
        None,
    ]  # fmt: skip
    return [{"metadata": {"name": f"stranger-{i}"}, "spec": spec} for i, spec in enumerate(specs)]


def test_strangers_are_looked_at_too() -> None:
    world = production()
    world.objects["InferenceService"] = strangers()
    findings = world.report().findings
    assert len({each.issue.subject for each in findings if each.check == "memory-limit"}) == len(strangers())
    ours = {each.issue.subject for each in findings if each.check == "digest"}
    assert ours == {"inferenceservice/stranger-3"}
    lines = [each.issue.fix.line for each in findings if each.issue.subject.startswith("inferenceservice")]
    assert not [line for line in lines if "--set" in line]


@pytest.mark.parametrize(
    ("container", "is_ours"),
    [
        ({"image": "registry/iris", "args": ["--model_dir=/mnt/models", "--trust_artifact"]}, True),
        ({"image": "registry/iris", "args": ["--model_store=/mnt/models"]}, True),
        ({"image": "registry/iris", "env": [{"name": "PREDICTORS_MODEL_DIR", "value": "/mnt/models"}]}, True),
        ({"image": "docker.io/kserve-predictors/iris:1", "args": ["--model_dir=/mnt/models"]}, True),
        ({"image": "kserve/sklearnserver", "args": ["--model_name=x", "--model_dir=/mnt/models", "--http_port=8080"]}, False),
        ({"image": "nvcr.io/nvidia/tritonserver", "args": ["tritonserver", "--model-store=/mnt/models"]}, False),
        ({"image": "x", "command": ["python"], "args": ["--trust_artifact"]}, False),
    ],
)  # fmt: skip
def test_an_image_is_ours_by_what_it_is_told(container: Object, is_ours: bool) -> None:
    world = production()
    spec = {"predictor": {"containers": [{"name": "kserve-container", **container}]}}
    world.objects["InferenceService"] = [{"metadata": {"name": "own"}, "spec": spec}]
    assert bool(world.found("signature")) is is_ours


def test_a_secret_beside_a_field_is_in_no_report() -> None:
    world = production()
    for name in ("iris", "intent"):
        world.disown(name)
        world.predictor(name)["model"]["args"] += ["--cache_url=redis://:hunter2@cache"]
        world.predictor(name)["model"]["env"] = [{"name": "PASSWORD", "value": "hunter2"}]
    spec = {
        "predictor": {
            "containers": [
                {"name": "kserve-container", "args": ["--x=hunter2"], "env": [{"name": "A", "value": "hunter2"}]}
            ]
        }
    }
    world.objects["InferenceService"].append({"metadata": {"name": "own"}, "spec": spec})
    findings = world.report().findings
    assert len(findings) > 30
    assert "hunter2" not in repr(findings)


def test_five_hundred_models_are_looked_at_together() -> None:
    world = production()
    first = world.one("InferenceService", "iris")
    budget = world.one("PodDisruptionBudget", "iris")
    pod = world.add_pod()
    for i in range(500):
        labels = {"serving.kserve.io/inferenceservice": f"m{i}"}
        world.objects["InferenceService"].append(first | {"metadata": first["metadata"] | {"name": f"m{i}"}})
        world.objects["Pod"].append(pod | {"metadata": {"name": f"p{i}", "namespace": NAMESPACE, "labels": labels}})
        world.objects["PodDisruptionBudget"].append(budget | {"spec": {"selector": {"matchLabels": labels}}})
    assert len(world.found("digest")) == 503


def test_a_probe_that_is_put_right_asks_one_question() -> None:
    world = production()
    probe = {"tcpSocket": {"port": 8085}, "periodSeconds": 7}
    container = {
        "name": "kserve-container",
        "command": ["predictors"],
        "readinessProbe": probe,
        "ports": [{"containerPort": 8085}],
    }
    world.objects["InferenceService"] = [
        {"metadata": {"name": "own"}, "spec": {"predictor": {"containers": [container]}}}
    ]
    [found] = world.found("wrong-probes")
    *added, removed = json.loads(shlex.split(found.issue.fix.line)[-3])
    path = "/spec/predictor/containers/0/readinessProbe"
    asked = {"path": "/v2/health/ready", "port": 8085}
    assert added == [
        {"op": "test", "path": f"{path}/httpGet", "value": None},
        {"op": "add", "path": f"{path}/httpGet", "value": asked},
    ]
    assert removed == {"op": "remove", "path": f"{path}/tcpSocket"}


def test_a_patch_starts_from_what_is_declared() -> None:
    """Admission gives pods fields of which the InferenceService knows nothing."""
    world = production()
    container = {"name": "kserve-container", "command": ["predictors", "serve", "iris"]}
    world.objects["InferenceService"] = [
        {"metadata": {"name": "iris"}, "spec": {"predictor": {"containers": [container]}}}
    ]
    added = {"readinessProbe": {"tcpSocket": {"port": 8080}}, "args": ["--drain_seconds=1"]}
    spec = {"containers": [container | added]}
    labels = {"serving.kserve.io/inferenceservice": "iris"}
    world.objects["Pod"].append({"metadata": {"name": "p", "labels": labels}, "spec": spec})
    for check, field in (("wrong-probes", "readinessProbe"), ("signature", "args")):
        [found] = world.found(check)
        test, add = json.loads(shlex.split(found.issue.fix.line)[-3])
        path = f"/spec/predictor/containers/0/{field}"
        assert (test, add["path"]) == ({"op": "test", "path": path, "value": None}, path)


@pytest.mark.parametrize("place", ["model", "containers"])
def test_a_header_of_a_probe_is_in_no_report(place: str) -> None:
    world = production()
    asked = {"path": "/", "httpHeaders": [{"name": "Authorization", "value": "Bearer hunter2"}]}
    container = {"name": "kserve-container", "command": ["predictors"], "readinessProbe": {"httpGet": asked}}
    spec = {"predictor": {"model": container} if place == "model" else {"containers": [container]}}
    world.objects["InferenceService"] = [{"metadata": {"name": "own"}, "spec": spec}]
    [found] = world.found("wrong-probes")
    assert "hunter2" not in repr(found)
