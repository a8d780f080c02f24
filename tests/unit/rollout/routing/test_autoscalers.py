"""The HPAs that a rollout owns."""

from predictors.rollout.kube.api import Object
from predictors.rollout.routing.autoscalers import Autoscalers
from predictors.rollout.spec import Autoscaling
from tests.unit.rollout.routing.fakes import NAMESPACE, Store, target

STABLE, CANARY = "iris-rollout", "iris-canary-rollout"


def autoscalers(store: Store, **autoscaling: object) -> Autoscalers:
    return Autoscalers(store, target(autoscaling=Autoscaling.model_validate(autoscaling)))


def hpa(store: Store, name: str) -> Object:
    found = store.get("HorizontalPodAutoscaler", NAMESPACE, name)
    assert found is not None
    return found


def test_without_autoscaling_there_are_none() -> None:
    store = Store()
    none = Autoscalers(store, target())
    none.set_stable("iris-predictor", 2)
    none.set_canary("iris-canary-predictor", 1)
    none.remove_canary()
    assert store.writes == []
    assert none.stable_minimum() is None
    assert none.is_at_rest("iris-predictor")


def test_each_variant_has_its_own_which_follows_its_deployment() -> None:
    store = Store()
    ours = autoscalers(store, minReplicas=2, maxReplicas=8)
    ours.set_stable("iris-predictor", 4)
    ours.set_canary("iris-r1-predictor", 1)
    for name, deployment, minimum in ((STABLE, "iris-predictor", 4), (CANARY, "iris-r1-predictor", 1)):
        spec = hpa(store, name)["spec"]
        assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment}
        assert (spec["minReplicas"], spec["maxReplicas"]) == (minimum, 8)
        assert hpa(store, name)["metadata"]["ownerReferences"] == [{"uid": "1"}]
    assert (ours.stable_minimum(), ours.canary_minimum()) == (4, 1)


def test_the_maximum_is_never_less_than_the_minimum() -> None:
    store = Store()
    autoscalers(store, minReplicas=2).set_stable("iris-predictor", 5)
    assert hpa(store, STABLE)["spec"]["maxReplicas"] == 5


def test_cpu_is_always_a_metric_and_others_are_by_pod() -> None:
    store = Store()
    autoscalers(store, cpu=60, requestsPerSecond=200, queueDepth=2.5).set_stable("iris-predictor", 1)
    cpu, *pods = hpa(store, STABLE)["spec"]["metrics"]
    assert cpu["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
    assert [(each["pods"]["metric"]["name"], each["pods"]["target"]["averageValue"]) for each in pods] == [
        ("model_requests", "200"),
        ("model_queue_depth", "2.5"),
    ]
    autoscalers(store).set_stable("iris-predictor", 1)
    [alone] = hpa(store, STABLE)["spec"]["metrics"]
    assert alone["resource"]["target"]["averageUtilization"] == 80


def test_a_behavior_of_ones_own_is_taken() -> None:
    store = Store()
    autoscalers(store, behavior={"scaleDown": {"stabilizationWindowSeconds": 5}}).set_stable("iris-predictor", 1)
    assert hpa(store, STABLE)["spec"]["behavior"] == {"scaleDown": {"stabilizationWindowSeconds": 5}}


def test_it_is_written_only_if_something_changes() -> None:
    store = Store()
    ours = autoscalers(store)
    for deployment in ("iris-predictor", "iris-predictor", "iris-r1-predictor"):
        ours.set_stable(deployment, 1)
    assert [verb for verb, *_ in store.writes] == ["create", "replace"]
    assert hpa(store, STABLE)["spec"]["scaleTargetRef"]["name"] == "iris-r1-predictor"


def test_at_rest_is_one_of_the_templates_size_that_follows_stable() -> None:
    store = Store()
    ours = autoscalers(store, minReplicas=2)
    assert not ours.is_at_rest("iris-predictor")
    ours.set_stable("iris-predictor", 4)
    assert not ours.is_at_rest("iris-predictor")
    ours.set_stable("iris-predictor", 2)
    assert ours.is_at_rest("iris-predictor")
    assert not ours.is_at_rest("iris-r1-predictor")
    ours.set_canary("iris-r1-predictor", 1)
    assert not ours.is_at_rest("iris-predictor")
    ours.remove_canary()
    ours.remove_canary()
    assert ours.is_at_rest("iris-predictor")
    assert [write for write in store.writes if write[0] == "delete"] == [("delete", "HorizontalPodAutoscaler", CANARY)]
