"""What Knative's revisions say, and what is written."""

import copy
from typing import Any

import pytest

from predictors.rollout.engine.state import Pods, Update
from predictors.rollout.kube.api import Object
from predictors.rollout.routing.knative import KnativeRouter
from predictors.rollout.routing.objects import MODE_ANNOTATION, REVISION_LABEL
from tests.unit.rollout.routing.fakes import NAME, NAMESPACE, PREDICTOR, Store, target

REVISION = "serving.knative.dev/revision"
TARGET = target(annotations={MODE_ANNOTATION: "Knative"})
FIRST, SECOND = "iris-predictor-00001", "iris-predictor-00002"


class Cluster(Store):
    """With pods of both revisions."""

    def list(self, kind: str, namespace: str, labels: str = "") -> list[Object]:
        name = labels.removeprefix(f"{REVISION}=")
        waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
        status = {"containerStatuses": [{"name": "kserve-container", "restartCount": 0, "state": waiting}]}
        return [{"metadata": {"name": f"{name}-pod", "labels": {REVISION: name}}, "status": status}]


def service(percent: int | None, *, routed: str = "True", **status: Any) -> Object:
    """The InferenceService at the template's version, with a canary's share."""
    share = {} if percent is None else {"canaryTrafficPercent": percent}
    metadata = {
        "name": NAME,
        "namespace": NAMESPACE,
        "annotations": {MODE_ANNOTATION: "Knative"},
        "ownerReferences": copy.deepcopy(TARGET.owners),
    }
    return {
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {"predictor": {**TARGET.wanted, **TARGET.scaling, **share}},
        "status": {
            "conditions": [{"type": "PredictorRouteReady", "status": routed}],
            "components": {"predictor": {"latestRolledoutRevision": FIRST, **status}},
        },
    }


def deployment(revision: str, version: str) -> Object:
    """Knative's, of a revision."""
    metadata = {"name": f"{revision}-deployment", "namespace": NAMESPACE, "labels": {REVISION_LABEL: version}}
    return {"kind": "Deployment", "metadata": metadata}


MADE = deployment(SECOND, TARGET.revision)


def shares(first: int, second: int) -> list[Object]:
    return [{"revisionName": FIRST, "percent": first}, {"revisionName": SECOND, "percent": second}]


def test_a_canary_is_ready_only_once_its_own_revision_is() -> None:
    """KServe's status is about the version before for a moment."""
    stale = service(0, latestCreatedRevision=FIRST, latestReadyRevision=FIRST, traffic=shares(100, 0))
    look = KnativeRouter(Cluster(stale), TARGET).look()
    assert look.seen.canary is not None
    assert (look.seen.canary.ready, look.canary_pods) == (0, [])

    made = service(0, latestCreatedRevision=SECOND, latestReadyRevision=FIRST, traffic=shares(100, 0))
    look = KnativeRouter(Cluster(made, MADE), TARGET).look()
    assert look.seen.canary == Pods(1, 0, settled=False, problem="ImagePullBackOff: no such image")
    assert [pod["metadata"]["name"] for pod in look.canary_pods] == [f"{SECOND}-pod"]

    ready = service(0, latestCreatedRevision=SECOND, latestReadyRevision=SECOND, traffic=shares(100, 0))
    assert KnativeRouter(Cluster(ready, MADE), TARGET).look().seen.canary == Pods(1, 1, settled=True)


def test_a_revision_that_was_rolled_back_is_not_taken_for_the_canary() -> None:
    """It stays Knative's newest one that is ready until the canary's is, so a share would be its own."""
    names = {"latestCreatedRevision": SECOND, "latestReadyRevision": SECOND}
    there = service(0, traffic=shares(100, 0), **names)
    look = KnativeRouter(Cluster(there, deployment(SECOND, "0badbad0")), TARGET).look()
    assert look.seen.canary == Pods(1, 0, settled=False)
    assert look.canary_pods == []


@pytest.mark.parametrize(("routed", "seen"), [("True", 30), ("Unknown", None), ("False", None)])
def test_a_share_counts_once_the_gateway_has_it(routed: str, seen: int | None) -> None:
    names = {"latestCreatedRevision": SECOND, "latestReadyRevision": SECOND}
    there = service(30, routed=routed, traffic=shares(70, 30), **names)
    assert KnativeRouter(Cluster(there), TARGET).look().seen.routed == seen


def test_with_all_of_the_traffic_the_stable_version_is_the_one_before() -> None:
    """KServe calls the canary rolled out then."""
    names = {"latestCreatedRevision": SECOND, "latestReadyRevision": SECOND, "latestRolledoutRevision": SECOND}
    there = service(100, previousRolledoutRevision=FIRST, traffic=shares(0, 100), **names)
    look = KnativeRouter(Cluster(there, MADE), TARGET).look()
    assert [pod["metadata"]["name"] for pod in look.stable_pods] == [f"{FIRST}-pod"]
    assert [pod["metadata"]["name"] for pod in look.canary_pods] == [f"{SECOND}-pod"]


def test_numbers_of_pods_follow_the_template() -> None:
    there = service(None, latestCreatedRevision=FIRST, latestReadyRevision=FIRST)
    there["spec"]["predictor"] |= {"minReplicas": 7}
    store = Cluster(there)
    router = KnativeRouter(store, TARGET)
    assert router.look().seen.outdated
    router.act(Update())
    written = store.get("InferenceService", NAMESPACE, NAME)
    assert written is not None
    assert written["spec"]["predictor"]["minReplicas"] == PREDICTOR["minReplicas"]
    assert written["spec"]["predictor"]["labels"][REVISION_LABEL] == TARGET.revision
    assert not router.look().seen.outdated
