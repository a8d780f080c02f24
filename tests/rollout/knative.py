"""KServe in Knative mode, and Knative's revisions: a new one for each change of a predictor, and shares of the traffic."""

import hashlib
import json
from functools import partial

from predictors.rollout.kube.api import Object
from predictors.rollout.routing.objects import is_accepted
from tests.rollout.behavior import Chance
from tests.rollout.clock import Clock, Loop
from tests.rollout.components import ISVC, pod_spec
from tests.rollout.deployments import owner
from tests.rollout.kubelet import URI_ANNOTATION
from tests.rollout.routes import PARENT
from tests.rollout.store import Store, copied
from tests.rollout.webhook import MODE, storage_uri

_REVISION = "serving.knative.dev/revision"
_HASH = "serving.knative.dev/template-hash"
# Seconds until a revision without a share of the traffic has no pods.
_IDLE = 60.0


def is_knative(isvc: Object) -> bool:
    """Whether an InferenceService is Knative's."""
    return (isvc["metadata"].get("annotations") or {}).get(MODE) == "Knative"


class Knative:
    """Reconciles InferenceServices in Knative mode.

    Args:
        store: where they are.
        clock, chance: that it lives by.
    """

    def __init__(self, store: Store, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._loop = Loop(clock, lambda: chance.of("kserve"), self._reconcile)
        store.watch(
            "InferenceService", lambda each: self._loop.wake(each["metadata"]["namespace"], each["metadata"]["name"])
        )
        store.watch("Deployment", self._see_revision)
        store.watch("HTTPRoute", self._see_route)

    def _see_revision(self, deployment: Object) -> None:
        if _REVISION in deployment["metadata"].get("labels", {}):
            self._loop.wake(deployment["metadata"]["namespace"], deployment["metadata"]["labels"][ISVC])

    def _see_route(self, route: Object) -> None:
        if "activator" in (route["metadata"].get("labels") or {}):
            [of] = route["metadata"]["ownerReferences"]
            self._loop.wake(route["metadata"]["namespace"], of["name"])

    def _reconcile(self, namespace: str, name: str) -> None:
        isvc = self._store.get("InferenceService", namespace, name)
        if isvc is None or not is_knative(isvc):
            return
        status = copied(isvc.get("status", {}))
        component: Object = status.setdefault("components", {}).setdefault("predictor", {})
        self._create_revision(isvc)
        created, ready = self._newest(isvc, False), self._newest(isvc, True)
        asked = self._asked(isvc, component.get("latestRolledoutRevision", ""))
        traffic = [each | {"revisionName": each.get("revisionName") or ready} for each in asked if ready]
        if ready:
            self._route(isvc, traffic)
        _propagate(component, created, ready, traffic)
        is_ready = str(created == ready)
        # The route's is Knative's: that its gateway has the newest shares.
        routed = str(self._is_routed(isvc))
        status["conditions"] = [
            {"type": "PredictorReady", "status": is_ready},
            {"type": "PredictorRouteReady", "status": routed},
            {"type": "IngressReady", "status": is_ready},
            {"type": "Ready", "status": is_ready},
        ]
        status["deploymentMode"] = "Knative"
        status["url"] = f"http://{name}-{namespace}.example.com"
        self._store.set_status("InferenceService", namespace, name, status)
        self._clock.after(_IDLE, partial(self._scale, namespace, name))

    def _revisions(self, isvc: Object) -> list[Object]:
        """Their Deployments, the newest last."""
        metadata = isvc["metadata"]
        return self._store.list("Deployment", metadata["namespace"], f"{ISVC}={metadata['name']}")

    def _newest(self, isvc: Object, ready: bool) -> str:
        names = [
            str(each["metadata"]["labels"][_REVISION])
            for each in self._revisions(isvc)
            if not ready or each["metadata"].get("annotations", {}).get("was-ready") or self._is_ready(each)
        ]
        return names[-1] if names else ""

    def _is_ready(self, deployment: Object) -> bool:
        """Whether all pods are; that it was once is kept, since a revision may have none later."""
        status = deployment.get("status", {})
        if status.get("availableReplicas", 0) < max(1, deployment["spec"]["replicas"]):
            return False
        metadata = deployment["metadata"]
        self._store.patch(
            "Deployment", metadata["namespace"], metadata["name"], {"metadata": {"annotations": {"was-ready": "y"}}}
        )
        return True

    def _create_revision(self, isvc: Object) -> None:
        ours, predictor = isvc["metadata"], isvc["spec"]["predictor"]
        labels = (
            (ours.get("labels") or {}) | predictor.get("labels", {}) | {ISVC: ours["name"], "component": "predictor"}
        )
        annotations = (
            (ours.get("annotations") or {})
            | predictor.get("annotations", {})
            | {URI_ANNOTATION: storage_uri(predictor)}
        )
        spec, pods = pod_spec(predictor), predictor.get("minReplicas", 1)
        digest = hashlib.sha256(json.dumps([labels, annotations, spec, pods], sort_keys=True).encode()).hexdigest()[:8]
        revisions = self._revisions(isvc)
        if revisions and revisions[-1]["metadata"]["labels"][_HASH] == digest:
            return
        revision = f"{ours['name']}-predictor-{len(revisions) + 1:05}"
        labels |= {_REVISION: revision, "app": revision}
        metadata = {
            "namespace": ours["namespace"],
            "labels": labels | {_HASH: digest},
            "ownerReferences": [owner(isvc)],
        }
        template = {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}
        selector = {"app": revision}
        self._store.create(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": metadata | {"name": f"{revision}-deployment"},
                "spec": {"replicas": max(1, pods), "selector": {"matchLabels": selector}, "template": template},
            }
        )
        service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata | {"name": revision}}
        self._store.create(service | {"spec": {"selector": selector, "ports": [{"port": 80}]}})

    @staticmethod
    def _asked(isvc: Object, rolled_out: str) -> list[Object]:
        percent = isvc["spec"]["predictor"].get("canaryTrafficPercent")
        if percent is None or not rolled_out:
            return [{"latestRevision": True, "percent": 100}]
        latest = {"latestRevision": True, "percent": percent}
        rest = {"latestRevision": False, "percent": 100 - percent, "revisionName": rolled_out, "tag": "prev"}
        return [latest, rest] if percent < 100 else [latest]

    def _route(self, isvc: Object, traffic: list[Object]) -> None:
        """Stands for Knative's own ingress: the same gateway, and the activator holds what has no pod yet."""
        ours = isvc["metadata"]
        shares: dict[str, int] = {}
        for each in traffic:
            shares[each["revisionName"]] = shares.get(each["revisionName"], 0) + each["percent"]
            self._revive(ours["namespace"], each["revisionName"], isvc["spec"]["predictor"].get("minReplicas", 1))
        spec = {
            "parentRefs": [PARENT],
            "hostnames": [f"{ours['name']}-{ours['namespace']}.example.com"],
            "rules": [{"backendRefs": [{"name": name, "port": 80, "weight": share} for name, share in shares.items()]}],
        }
        metadata = {"name": f"{ours['name']}-ingress", "namespace": ours["namespace"], "labels": {"activator": "yes"}}
        metadata["ownerReferences"] = [owner(isvc)]
        old = self._store.get("HTTPRoute", ours["namespace"], f"{ours['name']}-ingress")
        thing = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata, "spec": spec}
        if old is None:
            self._store.create(thing)
        elif old["spec"] != spec:
            self._store.replace(thing)

    def _is_routed(self, isvc: Object) -> bool:
        """Whether the gateway has the newest shares."""
        ours = isvc["metadata"]
        route = self._store.get("HTTPRoute", ours["namespace"], f"{ours['name']}-ingress")
        return route is not None and is_accepted(route)

    def _revive(self, namespace: str, revision: str, pods: int) -> None:
        name = f"{revision}-deployment"
        deployment = self._store.get("Deployment", namespace, name)
        if deployment is not None and not deployment["spec"]["replicas"]:
            self._store.patch("Deployment", namespace, name, {"spec": {"replicas": max(1, pods)}})

    def _scale(self, namespace: str, name: str) -> None:
        """Revisions that are in nobody's traffic lose their pods."""
        isvc = self._store.get("InferenceService", namespace, name)
        if isvc is None:
            return
        component = isvc["status"]["components"]["predictor"]
        needed = {each["revisionName"] for each in component["traffic"]} | {component["latestCreatedRevision"]}
        for deployment in self._revisions(isvc):
            if deployment["metadata"]["labels"][_REVISION] not in needed and deployment["spec"]["replicas"]:
                self._store.patch("Deployment", namespace, deployment["metadata"]["name"], {"spec": {"replicas": 0}})


def _propagate(component: Object, created: str, ready: str, traffic: list[Object]) -> None:
    """What KServe makes of Knative's status: which revision had all of the traffic last, and which before that."""
    component["latestCreatedRevision"] = created
    shares: dict[str, int] = {}
    for each in traffic:
        shares[each["revisionName"]] = shares.get(each["revisionName"], 0) + each["percent"]
    for each in traffic:
        if each["revisionName"] != ready or not each["latestRevision"]:
            continue
        rolled_out, before = (
            component.get("latestRolledoutRevision", ""),
            component.get("previousRolledoutRevision", ""),
        )
        if rolled_out != ready and each["percent"] == 100:
            component |= {"previousRolledoutRevision": rolled_out, "latestRolledoutRevision": ready}
        elif rolled_out == ready == created and each["percent"] < 100 and shares[ready] == 100 and before:
            component["latestRolledoutRevision"] = before
    component |= {"latestReadyRevision": ready, "traffic": traffic}
