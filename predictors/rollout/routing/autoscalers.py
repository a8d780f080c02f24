"""The HPAs that a rollout owns, one for each variant: by CPU, and by what the pods export."""

from typing import Any

from predictors.rollout.kube.api import Api, Object
from predictors.rollout.routing.objects import CLASS_ANNOTATION, covers
from predictors.rollout.routing.target import Target
from predictors.rollout.spec import Autoscaling

_DEFAULT_CPU = 80
_METRICS = {"requests_per_second": "model_requests", "queue_depth": "model_queue_depth"}
# Up at once; down after five minutes, by half of the pods each minute.
_BEHAVIOR: Object = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": 15},
            {"type": "Pods", "value": 2, "periodSeconds": 15},
        ],
        "selectPolicy": "Max",
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60}],
    },
}


class Autoscalers:
    """The HPAs of an InferenceService with `autoscaling`; without it, there are none.

    They are not called as the Deployments are: KServe deletes an HPA of that name.

    Args:
        api: the API server.
        target: whose.
    """

    def __init__(self, api: Api, target: Target) -> None:
        self._api = api
        self._target = target
        self._stable = f"{target.name}-rollout"
        self._canary = f"{target.name}-canary-rollout"

    def stable_minimum(self) -> int | None:
        """Least number of the stable version's pods, as it is written; None if there is no HPA."""
        return self._minimum(self._stable)

    def canary_minimum(self) -> int | None:
        """The same of the canary."""
        return self._minimum(self._canary)

    def set_stable(self, deployment: str, minimum: int) -> None:
        """Let the stable version's HPA follow a Deployment, with at least so many pods."""
        self._set(self._stable, deployment, minimum)

    def set_canary(self, deployment: str, minimum: int) -> None:
        """The same for the canary's."""
        self._set(self._canary, deployment, minimum)

    def remove_canary(self) -> None:
        """Remove the canary's HPA."""
        self._remove(self._canary)

    def is_at_rest(self, deployment: str) -> bool:
        """Whether there is one HPA, by the template, and it follows that Deployment; or none, without `autoscaling`."""
        found, autoscaling = self._get(self._stable), self._target.autoscaling
        if autoscaling is None:
            return found is None
        wanted = _spec(autoscaling, deployment, self._target.minimum)
        return found is not None and covers(wanted, found["spec"]) and self._get(self._canary) is None

    def release(self, service: Object) -> None:
        """Let KServe size an InferenceService that the rollout's HPA sized, once there is no `autoscaling` any more.

        To be written before that HPA is removed, which says whose the annotation is.
        """
        if self._target.autoscaling is None and self._get(self._stable) is not None:
            annotations = service["metadata"].get("annotations", {})
            if CLASS_ANNOTATION not in self._target.annotations:
                annotations.pop(CLASS_ANNOTATION, None)

    def rest(self, deployment: str) -> None:
        """Bring that about."""
        self._remove(self._canary)
        if self._target.autoscaling is None:
            self._remove(self._stable)
        else:
            self.set_stable(deployment, self._target.minimum)

    def _minimum(self, name: str) -> int | None:
        found = None if self._target.autoscaling is None else self._get(name)
        return None if found is None else int(found["spec"].get("minReplicas", 1))

    def _remove(self, name: str) -> None:
        if self._get(name) is not None:
            self._api.delete("HorizontalPodAutoscaler", self._target.namespace, name)

    def _get(self, name: str) -> Object | None:
        return self._api.get("HorizontalPodAutoscaler", self._target.namespace, name)

    def _set(self, name: str, deployment: str, minimum: int) -> None:
        if (autoscaling := self._target.autoscaling) is None:
            return
        spec = _spec(autoscaling, deployment, minimum)
        found = self._get(name)
        if found is None:
            metadata = {"name": name, "namespace": self._target.namespace, "ownerReferences": self._target.owners}
            kind = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
            self._api.create(kind | {"metadata": metadata, "spec": spec})
        elif not covers(spec, found["spec"]):
            self._api.replace(found | {"spec": spec})


def _spec(autoscaling: Autoscaling, deployment: str, minimum: int) -> Object:
    cpu = {"type": "Utilization", "averageUtilization": autoscaling.cpu or _DEFAULT_CPU}
    metrics: list[Any] = [{"type": "Resource", "resource": {"name": "cpu", "target": cpu}}]
    for field, metric in _METRICS.items():
        if (value := getattr(autoscaling, field)) is not None:
            target = {"type": "AverageValue", "averageValue": f"{value:g}"}
            metrics.append({"type": "Pods", "pods": {"metric": {"name": metric}, "target": target}})
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment},
        "minReplicas": minimum,
        "maxReplicas": max(autoscaling.most, minimum),
        "metrics": metrics,
        "behavior": autoscaling.behavior or _BEHAVIOR,
    }
