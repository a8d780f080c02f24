"""What KServe makes for one predictor in Standard mode: a Service, a Deployment, and an HPA if it scales it."""

import math
from typing import Any

from predictors.rollout.kube.api import Object
from tests.rollout.deployments import owner
from tests.rollout.kubelet import URI_ANNOTATION
from tests.rollout.store import Store, copied
from tests.rollout.webhook import storage_uri

CLASS = "serving.kserve.io/autoscalerClass"
ISVC = "serving.kserve.io/inferenceservice"
_SCALING = ("minReplicas", "maxReplicas", "scaleTarget", "scaleMetric", "autoScaling")
_NOT_OF_PODS = ("name", "labels", "annotations", "model", "containers", "timeout", "canaryTrafficPercent")
_NOT_OF_CONTAINERS = ("modelFormat", "runtime", "storageUri", "protocolVersion")
_DROPPED = ("kubectl.kubernetes.io/last-applied-configuration",)


def service_name(isvc: str, predictor: str = "") -> str:
    """Name of a predictor's Deployment and Service."""
    return f"{isvc}-{predictor}-predictor" if predictor else f"{isvc}-predictor"


def overridden(stable: Any, canary: Any) -> Any:
    """mergo with override: maps merge, lists are replaced, and nothing that is empty or zero overrides."""
    if isinstance(stable, dict) and isinstance(canary, dict):
        return stable | {
            key: overridden(stable.get(key), value)
            for key, value in canary.items()
            if value not in ("", 0, False, None, [], {})
        }
    return copied(canary)


def canary_replicas(canary: Object, stable: Object) -> int:
    """Number of pods of a canary."""
    if "minReplicas" in canary["predictor"]:
        return int(canary["predictor"]["minReplicas"])
    return math.ceil(int(stable.get("minReplicas", 1)) * int(canary.get("trafficPercent", 0)) / 100)


def canary_predictor(stable: Object, canary: Object) -> Object:
    """A canary's whole predictor: stable's with the canary's over it."""
    merged: Object = overridden(copied(stable), canary["predictor"])
    fixed = {key: value for key, value in merged.items() if key not in _SCALING}
    return fixed | {"minReplicas": canary_replicas(canary, stable)}


def pod_spec(predictor: Object) -> Object:
    """Spec of a predictor's pods."""
    rest = {key: value for key, value in predictor.items() if key not in (*_SCALING, *_NOT_OF_PODS)}
    container = copied(predictor.get("model") or predictor["containers"][0])
    container |= {"name": "kserve-container", "image": container.get("image") or container.get("runtime", "")}
    return rest | {"containers": [{key: value for key, value in container.items() if key not in _NOT_OF_CONTAINERS}]}


class Components:
    """Writes them.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def apply(self, isvc: Object, predictor: Object) -> Object:
        """Make them as a predictor says; its Deployment."""
        name = service_name(isvc["metadata"]["name"], predictor.get("name", ""))
        metadata = self._metadata(isvc, predictor, name)
        self._service(metadata, name)
        deployment = self._deployment(predictor, metadata)
        self._hpa(predictor, metadata)
        return deployment

    def _metadata(self, isvc: Object, predictor: Object, name: str) -> Object:
        ours = isvc["metadata"]
        labels = (ours.get("labels") or {}) | predictor.get("labels", {})
        annotations = {k: v for k, v in (ours.get("annotations") or {}).items() if k not in _DROPPED}
        annotations |= predictor.get("annotations", {})
        if uri := storage_uri(predictor):
            annotations[URI_ANNOTATION] = uri
        return {
            "name": name,
            "namespace": ours["namespace"],
            "labels": labels | {ISVC: ours["name"], "component": "predictor", "app": f"isvc.{name}"},
            "annotations": annotations,
            "ownerReferences": [owner(isvc)],
        }

    def _service(self, metadata: Object, name: str) -> None:
        if self._store.get("Service", metadata["namespace"], name) is None:
            ports = [
                {"name": "http1", "port": 80, "targetPort": 8080, "protocol": "TCP"},
                {
                    "name": "h2c",
                    "port": 8081,
                    "targetPort": 8081,
                    "protocol": "TCP",
                    "appProtocol": "kubernetes.io/h2c",
                },
            ]
            spec = {"selector": {"app": f"isvc.{name}"}, "ports": ports, "type": "ClusterIP"}
            self._store.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})

    def _deployment(self, predictor: Object, metadata: Object) -> Object:
        namespace, name = metadata["namespace"], metadata["name"]
        template = {
            "metadata": {"labels": metadata["labels"], "annotations": metadata["annotations"]},
            "spec": pod_spec(predictor),
        }
        selector = {"matchLabels": {"app": metadata["labels"]["app"]}}
        fixed = metadata["annotations"].get(CLASS) == "none"
        old = self._store.get("Deployment", namespace, name)
        if old is None:
            replicas = predictor.get("minReplicas", 1) if fixed else 1
            spec = {"replicas": replicas, "selector": selector, "template": template}
            return self._store.create(
                {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
            )
        replicas = predictor.get("minReplicas", 1) if fixed else old["spec"]["replicas"]
        spec = {"replicas": replicas, "selector": selector, "template": template}
        if spec == old["spec"]:
            return old
        labelled = old["metadata"] | {key: metadata[key] for key in ("labels", "annotations")}
        return self._store.replace(old | {"metadata": labelled, "spec": spec})

    def _hpa(self, predictor: Object, metadata: Object) -> None:
        namespace, name = metadata["namespace"], metadata["name"]
        old = self._store.get("HorizontalPodAutoscaler", namespace, name)
        if metadata["annotations"].get(CLASS, "hpa") != "hpa":
            owners = old["metadata"].get("ownerReferences", []) if old else []
            if any(each["kind"] == "InferenceService" for each in owners):
                self._store.delete("HorizontalPodAutoscaler", namespace, name)
            return
        low = max(1, predictor.get("minReplicas", 1))
        spec = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": low,
            "maxReplicas": max(low, predictor.get("maxReplicas", 0)),
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                }
            ],
            "behavior": {},
        }
        if old is None:
            thing = {
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": metadata,
                "spec": spec,
            }
            self._store.create(thing)
        elif old["spec"] != spec:
            self._store.replace(old | {"spec": spec})
