"""What other hands do at odd times, and what fails then: the traffic stays with a version that was judged."""

import json
from typing import Any

import pytest

from predictors.rollout.controller.reconcile import REQUEST_ANNOTATION
from predictors.rollout.kube.api import Object, Unavailable
from tests.rollout.behavior import Behavior
from tests.rollout.pilot import NAME, V1, V2, V3, Pilot
from tests.rollout.scenario import at_weight, begun, results, serves_only
from tests.rollout.world import NAMESPACE, WorldPods, inference_service

each_way = pytest.mark.parametrize("routing", ["canary", "pair"])
BAD = {V2: Behavior(error_rate=0.6)}


def stable_uri(pilot: Pilot) -> str:
    service = pilot.world.store.get("InferenceService", NAMESPACE, NAME)
    return str(service["spec"]["predictor"]["model"]["storageUri"]) if service else ""


def change(pilot: Pilot, spec: Object) -> None:
    pilot.world.api.server.patch("InferenceRollout", NAMESPACE, NAME, {"spec": spec})


@each_way
def test_a_template_that_changes_with_the_promotion_leaves_the_promoted_version_alone(routing: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 100)
    pilot.until(lambda: stable_uri(pilot) == V2, 120)
    pilot.apply(V3)
    seen: list[str] = []
    while stable_uri(pilot) != V3 and len(seen) < 400:
        pilot.run(1)
        seen.append(stable_uri(pilot))
    assert V1 not in seen
    assert pilot.settle() == "Healthy"
    serves_only(pilot, "v3")


def test_an_inference_service_that_only_has_the_canarys_name_is_not_touched() -> None:
    pilot = begun("pair")
    pilot.world.api.server.create(inference_service(f"{NAME}-canary", V3))
    pilot.world.clock.advance(30)
    before = pilot.world.store.get("InferenceService", NAMESPACE, f"{NAME}-canary")
    pilot.apply(V2)
    assert pilot.settle() == "Blocked"
    pilot.run(60)
    assert pilot.status["message"].startswith("there is an InferenceService iris-canary that is not the rollout's")
    after = pilot.world.store.get("InferenceService", NAMESPACE, f"{NAME}-canary")
    assert before is not None
    assert after is not None
    assert after["spec"] == before["spec"]


def test_a_canary_that_a_webhook_refuses_is_rolled_back() -> None:
    pilot = begun("pair")
    model = {"storageUri": V2, "env": [{"name": "PYTHONPATH", "value": "/x"}]}
    change(pilot, {"template": {"spec": {"predictor": {"model": model}}}})
    assert pilot.settle() == "RolledBack"
    assert "setting PYTHONPATH in container is not allowed" in pilot.status["message"]
    assert results(pilot) == [("RolledBack", V2)]


class Silent(WorldPods):
    """Pods of which nothing can be measured."""

    def get(self, pod: Object, path: str) -> tuple[int, str]:
        if path == "/metrics":
            raise Unavailable("no way to the pod")
        return super().get(pod, path)


@each_way
def test_what_was_measured_at_an_earlier_weight_does_not_promote(routing: str) -> None:
    pilot = begun(routing, evidenceLimit="2m")
    pilot.apply(V2)
    at_weight(pilot, 60)
    pilot._reconciler._driver._evidence._meter.source._pods = Silent(pilot.world)  # type: ignore[union-attr]
    assert pilot.settle() == "RolledBack"
    assert results(pilot) == [("RolledBack", V2)]


@each_way
def test_a_deleted_inference_service_comes_back_as_the_version_that_was_judged(routing: str) -> None:
    pilot = begun(routing, behaviors=BAD)
    pilot.apply(V2)
    assert pilot.settle() == "RolledBack"
    pilot.spared = True
    pilot.world.api.server.delete("InferenceService", NAMESPACE, NAME)
    pilot.run(120)
    assert stable_uri(pilot) == V1
    assert (pilot.phase, results(pilot)) == ("RolledBack", [("RolledBack", V2)])


def test_the_routing_is_not_changed_while_there_is_a_canary() -> None:
    pilot = begun("pair")
    pilot.apply(V2)
    at_weight(pilot, 20)
    change(pilot, {"strategy": {"routing": "canary"}})
    pilot.until(lambda: results(pilot) == [("Promoted", V2)], 300)
    pilot.run(30)
    assert pilot.status["message"] == "KServe makes no routes for a cluster-local InferenceService; use routing: pair"
    assert pilot.traffic.record.lost == []


@each_way
def test_a_rollout_is_rolled_back_once_whatever_happens_to_the_stable_version_later(routing: str) -> None:
    pilot = begun(routing, behaviors=BAD)
    pilot.apply(V2)
    assert pilot.settle() == "RolledBack"
    pilot.phases.clear()
    pilot.spared = True
    pilot.world.kill_pod(pilot.world.pods()[0]["metadata"]["name"])
    pilot.run(60)
    change(pilot, {"template": {"spec": {"predictor": {"maxReplicas": 5}}}})
    pilot.run(60)
    assert set(pilot.phases) == {"RolledBack"}
    assert results(pilot) == [("RolledBack", V2)]


@each_way
def test_the_template_of_before_is_not_promoted_again(routing: str) -> None:
    pilot = begun(routing, behaviors=BAD)
    pilot.apply(V2)
    assert pilot.settle() == "RolledBack"
    pilot.apply(V1)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("RolledBack", V2)]


def test_a_shadow_ends_when_the_strategy_no_longer_has_it() -> None:
    pilot = begun("pair", shadow={"percent": 50, "hold": "5m"})
    pilot.apply(V2)
    pilot.until(lambda: pilot.world.store.get("ConfigMap", NAMESPACE, f"{NAME}-shadow") is not None, 120)
    change(pilot, {"strategy": {"shadow": None}})
    pilot.run(10)
    assert pilot.world.store.get("ConfigMap", NAMESPACE, f"{NAME}-shadow") is None


def test_a_shadow_without_a_check_of_agreement_does_not_wait_for_one() -> None:
    pilot = begun("pair", shadow={"percent": 50, "hold": "5s"}, evidenceLimit="1m")
    pilot.apply(V2)
    assert pilot.settle() == "Healthy"
    assert results(pilot) == [("Promoted", V2)]


def test_a_request_whose_id_is_a_number_is_done_once() -> None:
    pilot = begun("canary")
    pilot.apply(V2)
    at_weight(pilot, 20)
    for number, do in enumerate(("pause", "resume"), 7):
        annotations = {REQUEST_ANNOTATION: json.dumps({"id": number, "do": do})}
        pilot.world.api.server.patch("InferenceRollout", NAMESPACE, NAME, {"metadata": {"annotations": annotations}})
        pilot.run(20)
    pilot.until(lambda: results(pilot) == [("Promoted", V2)], 300)


@pytest.mark.parametrize("event", ["refused", "told"])
def test_events_neither_hold_a_rollout_up_nor_flood_the_cluster(event: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pilot = begun("pair")
    told: list[str] = []
    create = pilot.world.api.create

    def answer(thing: Object) -> Any:
        if thing["kind"] != "Event":
            return create(thing)
        told.append(thing["message"])
        if event == "refused":
            raise Unavailable("too many events")
        return thing

    monkeypatch.setattr(pilot.world.api, "create", answer)
    for fight in range(10):
        service = pilot.world.api.server.get("InferenceService", NAMESPACE, NAME)
        assert service is not None
        service["spec"]["predictor"]["maxReplicas"] = 9 + fight
        pilot.world.api.server.replace(service)
        pilot.run(16)
        after = pilot.world.store.get("InferenceService", NAMESPACE, NAME)
        assert after is not None
        assert after["spec"]["predictor"]["maxReplicas"] == 3
    assert len(told) == 1


def test_a_prometheus_that_is_none_is_said_and_not_only_logged() -> None:
    pilot = begun("pair", metrics={"prometheusUrl": "prometheus:9090"})
    pilot.apply(V2)
    pilot.run(60)
    assert pilot.phase == "Blocked"
    assert "'prometheus:9090' is no URL of a Prometheus" in pilot.status["message"]


@each_way
def test_kserve_sizes_a_model_again_whose_rollout_no_longer_does(routing: str) -> None:
    pilot = begun(routing)
    template = {"spec": {"predictor": {"minReplicas": None, "maxReplicas": None}}, "metadata": {"annotations": None}}
    mode = {"metadata": {"annotations": {"serving.kserve.io/deploymentMode": "Standard"}}}
    change(pilot, {"autoscaling": {"minReplicas": 3, "maxReplicas": 5}, "template": template})
    change(pilot, {"template": mode})
    pilot.until(lambda: pilot.world.store.get("HorizontalPodAutoscaler", NAMESPACE, f"{NAME}-rollout") is not None, 60)
    pilot.run(60)
    change(pilot, {"autoscaling": None})
    pilot.until(lambda: pilot.world.store.get("HorizontalPodAutoscaler", NAMESPACE, f"{NAME}-rollout") is None, 60)
    service = pilot.world.store.get("InferenceService", NAMESPACE, NAME)
    assert service is not None
    assert "serving.kserve.io/autoscalerClass" not in service["metadata"]["annotations"]


@each_way
def test_autoscaling_that_is_added_during_a_rollout_takes_no_pods_away(routing: str) -> None:
    pilot = begun(routing)
    pilot.apply(V2)
    at_weight(pilot, 60)
    scaling = {"minReplicas": None, "maxReplicas": None}
    change(pilot, {"autoscaling": {"minReplicas": 3}, "template": {"spec": {"predictor": scaling}}})
    pilot.until(lambda: results(pilot) == [("Promoted", V2)], 300)
    pilot.spared = True
    pilot.until(lambda: pilot.world.store.get("HorizontalPodAutoscaler", NAMESPACE, f"{NAME}-rollout") is not None, 60)
    assert not pilot.traffic.record.lost
