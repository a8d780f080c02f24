"""From an InferenceService to a job."""

from typing import Any

import pytest

from predictors.rollout.driver import Job
from predictors.rollout.kube.api import Object, Refused
from predictors.rollout.spec import Strategy
from predictors.rollout.terminal.order import Order, job_of
from tests.rollout.clock import Clock
from tests.rollout.world import NAMESPACE, World, inference_service

NAME = "iris"
V1, V2 = "s3://models/1", "s3://models/2"
DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"


def job(service: Object, *, routing: str = "pair", uri: str = V2, digest: str = "", kserve: str = "0.20") -> Job:
    world = World(Clock(), kserve=kserve)  # type: ignore[arg-type]
    world.store.create(service)
    strategy = Strategy.model_validate({"routing": routing})
    return job_of(world.api, Order(NAMESPACE, NAME, strategy, uri, digest))


def service(*args: str, annotations: dict[str, str] | None = None, **predictor: Any) -> Object:
    made = inference_service(NAME, V1, **predictor)
    made["metadata"]["annotations"] |= annotations or {}
    made["spec"]["predictor"]["model"]["args"] = list(args)
    return made


def test_the_predictor_is_the_one_that_is_there_but_for_its_artifact() -> None:
    found = job(service("--log_level=info", serviceAccountName="models"))
    predictor = found.target.template.spec.predictor
    assert predictor["model"] == found.target.stable["model"] | {"storageUri": V2}  # type: ignore[index]
    assert (predictor["minReplicas"], predictor["serviceAccountName"]) == (2, "models")
    assert not found.restores


def test_what_it_makes_goes_with_the_inference_service() -> None:
    [owner] = job(service()).target.owners
    assert (owner["kind"], owner["name"], "controller" in owner) == ("InferenceService", NAME, False)


def test_the_revision_is_the_same_when_it_is_asked_for_again() -> None:
    first = job(service(minReplicas=2))
    again = job(service(minReplicas=5, labels={"rollouts.predictors.dev/revision": "12345678"}))
    assert first.target.revision == again.target.revision


def test_without_an_artifact_it_is_what_is_there() -> None:
    found = job(service(f"--artifact_digest={DIGEST}"), uri="")
    assert found.target.template.spec.predictor == found.target.stable


@pytest.mark.parametrize(
    "args", [["--a=1", f"--artifact_digest={DIGEST}"], [f"--artifact_digest={DIGEST}", "--a=1"], ["--a=1"]]
)
def test_the_digest_is_the_new_artifacts(args: list[str]) -> None:
    found = job(service(*args), digest=OTHER)
    assert found.target.wanted["model"]["args"] == ["--a=1", f"--artifact_digest={OTHER}"]


def test_a_digest_of_two_arguments_is_replaced() -> None:
    found = job(service("--artifact_digest", DIGEST, "--a=1"), digest=OTHER)
    assert found.target.wanted["model"]["args"] == ["--a=1", f"--artifact_digest={OTHER}"]


def test_a_canary_in_it_does_not_count_to_its_pods() -> None:
    split = service(minReplicas=5, maxReplicas=8)
    split["spec"]["canary"] = [{"trafficPercent": 0, "predictor": {"name": "r12345678", "minReplicas": 2}}]
    predictor = job(split, routing="canary").target.template.spec.predictor
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (3, 8)


def test_metadata_of_those_who_installed_it_is_not_the_canarys() -> None:
    made = service(annotations={"argocd.argoproj.io/tracking-id": "x", "meta.helm.sh/release-name": "y", "team": "z"})
    made["metadata"]["labels"] = {
        "app.kubernetes.io/instance": "models",
        "app.kubernetes.io/managed-by": "Helm",
        "a": "b",
    }
    metadata = job(made).target.template.metadata
    assert metadata.labels == {"a": "b"}
    assert metadata.annotations["team"] == "z"
    assert not {key for key in metadata.annotations if "argo" in key or "helm" in key}


@pytest.mark.parametrize(
    ("change", "wanted", "says"),
    [
        ({"digest": "sha256:12"}, {}, "is not a digest"),
        ({}, {"args": [f"--artifact_digest={DIGEST}"]}, "give the new one's with --digest"),
        ({}, {"storageUri": None}, "has no model.storageUri"),
        ({}, {"storageUri": ""}, "has no model.storageUri"),
    ],
)
def test_what_cannot_be_done_is_refused(change: dict[str, str], wanted: Object, says: str) -> None:
    made = service()
    made["spec"]["predictor"]["model"] |= wanted
    with pytest.raises(Refused, match=says):
        job(made, **change)


def test_what_an_inference_rollout_owns_is_left_to_it() -> None:
    made = service()
    made["metadata"]["ownerReferences"] = [{"kind": "InferenceRollout", "name": NAME, "uid": "1"}]
    with pytest.raises(Refused, match="belongs to the InferenceRollout"):
        job(made)


def test_there_must_be_one() -> None:
    order = Order(NAMESPACE, NAME, Strategy(), V2)
    with pytest.raises(Refused, match=f"no InferenceService {NAME} in namespace {NAMESPACE}"):
        job_of(World(Clock()).api, order)


OWN_HPA = {"serving.kserve.io/autoscalerClass": "external"}


def test_an_hpa_that_names_the_deployment_takes_a_pair() -> None:
    with pytest.raises(Refused, match="use --routing pair"):
        job(service(annotations=OWN_HPA), routing="canary", kserve="0.21")
    assert job(service(annotations=OWN_HPA), routing="auto", kserve="0.21").routing == "pair"


@pytest.mark.parametrize(("kserve", "routing"), [("0.20", "pair"), ("0.21", "canary")])
def test_the_routing_is_what_the_cluster_can(kserve: str, routing: str) -> None:
    assert job(service(), routing="auto", kserve=kserve).routing == routing


def test_a_rollout_that_is_under_way_keeps_its_routing() -> None:
    world = World(Clock(), kserve="0.21")
    for name in (NAME, f"{NAME}-canary"):
        world.store.create(inference_service(name, V1))
    assert job_of(world.api, Order(NAMESPACE, NAME, Strategy(), V2)).routing == "pair"


def test_one_that_a_pair_routes_already_stays_a_pair() -> None:
    made = service()
    made["metadata"]["labels"] = {"networking.kserve.io/visibility": "cluster-local"}
    assert job(made, routing="auto", kserve="0.21").routing == "pair"
