"""The simulated cluster does what was seen of KServe: these are its facts, not the rollout's."""

import pytest

from predictors.rollout.kube.api import Api, Conflict, Object, Pods, Refused
from tests.rollout.clock import Clock
from tests.rollout.world import NAMESPACE, World, WorldPods, inference_service

V1, V2 = "pvc://models/iris/v1", "pvc://models/iris/v2"


def a_world(kserve: str = "0.21", seed: int = 1) -> World:
    world = World(Clock(), kserve=kserve, seed=seed)  # type: ignore[arg-type]
    world.api.create(inference_service("iris", V1, minReplicas=4, maxReplicas=8))
    world.clock.advance(60)
    return world


def change(world: World, **fields: object) -> Object:
    service = world.api.get("InferenceService", NAMESPACE, "iris")
    assert service is not None
    service["spec"] |= fields
    return world.api.replace(service)


def canary(percent: int, pods: int = 2) -> list[Object]:
    model = {"name": "", "storageUri": V2}
    return [{"trafficPercent": percent, "predictor": {"name": "v2", "minReplicas": pods, "model": model}}]


def stable(pods: int, uri: str = V1, **fields: object) -> Object:
    model = {"modelFormat": {"name": "sklearn"}, "runtime": "iris-runtime", "storageUri": uri}
    return {"minReplicas": pods, "maxReplicas": 8, "model": model, **fields}


def weights(world: World, route: str = "iris") -> dict[str, int]:
    found = world.api.get("HTTPRoute", NAMESPACE, route)
    assert found is not None
    assert len(found["spec"]["rules"]) == 2
    return {each["name"]: each["weight"] for each in found["spec"]["rules"][0]["backendRefs"]}


def test_it_is_what_the_rollout_asks_of_a_cluster() -> None:
    world = a_world()
    api: Api = world.api
    pods: Pods = WorldPods(world)
    [pod] = api.list("Pod", NAMESPACE)[:1]
    assert pods.get(pod, "/v2/models/iris/ready")[0] == 200


def test_a_service_gets_ready_and_serves() -> None:
    world = a_world()
    service = world.api.get("InferenceService", NAMESPACE, "iris")
    assert service is not None
    assert {each["type"]: each["status"] for each in service["status"]["conditions"]}["Ready"] == "True"
    assert world.ready("iris-predictor") == 4
    assert weights(world) == weights(world, "iris-predictor") == {"iris-predictor": 1}
    traffic = world.traffic("iris")
    traffic.start(20)
    world.clock.advance(10)
    assert traffic.record.lost == []
    assert traffic.record.count("v1") == 201


def test_a_canary_gets_its_share_and_takes_its_pods_off_the_stable_minimum() -> None:
    world = a_world()
    change(world, canary=canary(30))
    world.clock.advance(90)
    assert weights(world) == {"iris-predictor": 70, "iris-v2-predictor": 30}
    hpa = world.api.get("HorizontalPodAutoscaler", NAMESPACE, "iris-predictor")
    assert hpa is not None
    assert (hpa["spec"]["minReplicas"], hpa["spec"]["maxReplicas"]) == (2, 8)
    assert world.ready("iris-predictor") == 2
    traffic = world.traffic("iris")
    traffic.start(20)
    world.clock.advance(100)
    assert traffic.record.share("v2") == pytest.approx(0.3, abs=0.03)


def test_kserve_0_20_starts_the_canary_and_sends_it_nothing() -> None:
    world = a_world("0.20")
    change(world, canary=canary(30))
    world.clock.advance(60)
    assert world.ready("iris-v2-predictor") == 2
    assert world.ready("iris-predictor") == 2
    assert weights(world) == {"iris-predictor": 1}


def test_a_naive_promotion_loses_requests() -> None:
    world = a_world()
    change(world, canary=canary(30))
    world.clock.advance(60)
    traffic = world.traffic("iris")
    traffic.start(100)
    change(world, predictor=stable(4, V2, name="v2"), canary=[])
    world.clock.advance(60)
    assert {each.reason for each in traffic.record.lost} == {"the Service is missing"}
    assert len(traffic.record.lost) in range(1, 100)


def test_a_staged_promotion_loses_none_restarts_none_and_leaves_an_hpa() -> None:
    world = a_world()
    traffic = world.traffic("iris")
    traffic.start(100)
    for percent in (0, 30, 100):
        change(world, predictor=stable(8), canary=canary(percent, 4))
        world.clock.advance(60)
        assert weights(world) == {"iris-predictor": 100 - percent, "iris-v2-predictor": percent}
    before = {each["metadata"]["uid"] for each in world.pods("app=isvc.iris-v2-predictor")}
    change(world, predictor=stable(4, V2, name="v2"), canary=[])
    world.clock.advance(60)
    assert traffic.record.lost == []
    assert {each["metadata"]["uid"] for each in world.pods()} == before
    assert world.api.get("Deployment", NAMESPACE, "iris-predictor") is None
    assert world.api.get("HorizontalPodAutoscaler", NAMESPACE, "iris-predictor") is not None
    assert traffic.record.count("v2") > 0


def test_a_change_of_metadata_rolls_the_pods_one_by_one() -> None:
    world = a_world()
    before = {each["metadata"]["name"] for each in world.pods()}
    traffic = world.traffic("iris")
    traffic.start(50)
    world.api.patch("InferenceService", NAMESPACE, "iris", {"metadata": {"labels": {"team": "a"}}})
    fewest = 4
    for _ in range(120):
        world.clock.advance(1)
        fewest = min(fewest, world.ready("iris-predictor"))
    assert traffic.record.lost == []
    assert fewest == 3
    assert before.isdisjoint(each["metadata"]["name"] for each in world.pods())


def test_a_local_service_keeps_the_routes_it_had() -> None:
    world = a_world()
    world.api.patch(
        "InferenceService",
        NAMESPACE,
        "iris",
        {"metadata": {"labels": {"networking.kserve.io/visibility": "cluster-local"}}},
    )
    world.clock.advance(60)
    assert world.api.get("HTTPRoute", NAMESPACE, "iris") is not None
    other = inference_service("other", V1)
    other["metadata"]["labels"] = {"networking.kserve.io/visibility": "cluster-local"}
    world.api.create(other)
    world.clock.advance(60)
    assert world.api.get("HTTPRoute", NAMESPACE, "other") is None
    assert world.ready("other-predictor") == 2


def test_a_long_request_is_lost_with_the_pod_that_was_taken_away_too_soon() -> None:
    world = a_world()
    traffic = world.traffic("iris")
    traffic.start(50, long=20)
    world.clock.advance(30)
    assert traffic.record.lost == []
    for pod in world.pods():
        world.api.delete("Pod", NAMESPACE, pod["metadata"]["name"])
    world.clock.advance(60)
    assert "the pod ended during the request" in {each.reason for each in traffic.record.lost}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"canary": canary(101)}, "trafficPercent"),
        ({"canary": canary(10, 5)}, "minReplicas"),
        ({"canary": [{"trafficPercent": 1, "predictor": {"name": "v2", "model": {"storageUri": V2}}}]}, "model.name"),
        (
            {"canary": [{"trafficPercent": 1, "predictor": {"model": {"name": "", "storageUri": V2}}}]},
            "name is required",
        ),
        ({"predictor": stable(4, V1, name="v2")}, "requires a model change"),
        ({"predictor": stable(4, V2, name="v2"), "canary": canary(10)}, "conflicts with stable"),
    ],
)
def test_the_webhook_refuses(fields: Object, reason: str) -> None:
    world = a_world()
    with pytest.raises(Refused, match=reason):
        change(world, **fields)


def test_writes_of_what_was_changed_meanwhile_conflict() -> None:
    world = a_world()
    old = world.api.get("InferenceService", NAMESPACE, "iris")
    assert old is not None
    change(world, predictor=stable(3))
    with pytest.raises(Conflict):
        world.api.replace(old)
    with pytest.raises(Conflict):
        world.api.create(inference_service("iris", V1))


def test_what_a_deleted_service_owned_goes_too() -> None:
    world = a_world()
    world.api.delete("InferenceService", NAMESPACE, "iris")
    world.clock.advance(60)
    for kind in ("Deployment", "Service", "HTTPRoute", "HorizontalPodAutoscaler", "Pod"):
        assert world.api.list(kind, NAMESPACE) == []


def knative_world() -> World:
    world = World(Clock(), seed=1)
    service = inference_service("iris", V1)
    service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] = "Knative"
    world.api.create(service)
    world.clock.advance(60)
    return world


def component(world: World) -> Object:
    service = world.api.get("InferenceService", NAMESPACE, "iris")
    assert service is not None
    return dict(service["status"]["components"]["predictor"])


def test_knative_splits_between_the_newest_revision_and_the_one_before() -> None:
    world = knative_world()
    assert component(world)["latestRolledoutRevision"] == "iris-predictor-00001"
    change(world, predictor=stable(2, V2, canaryTrafficPercent=30))
    world.clock.advance(60)
    assert component(world)["latestReadyRevision"] == "iris-predictor-00002"
    assert component(world)["latestRolledoutRevision"] == "iris-predictor-00001"
    traffic = world.traffic("iris")
    traffic.start(20)
    world.clock.advance(100)
    assert traffic.record.share("v2") == pytest.approx(0.3, abs=0.03)
    change(world, predictor=stable(2, V2))
    world.clock.advance(60)
    assert component(world)["latestRolledoutRevision"] == "iris-predictor-00002"
    assert component(world)["previousRolledoutRevision"] == "iris-predictor-00001"
    assert traffic.record.lost == []


def test_knative_goes_back_by_a_share_of_nothing_even_from_all_of_it() -> None:
    world = knative_world()
    for percent in (100, 0):
        change(world, predictor=stable(2, V2, canaryTrafficPercent=percent))
        world.clock.advance(90)
    assert component(world)["latestRolledoutRevision"] == "iris-predictor-00001"
    traffic = world.traffic("iris")
    traffic.start(20)
    world.clock.advance(20)
    assert traffic.record.share("v1") == 1
