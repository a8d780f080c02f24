"""Kubernetes' controllers of Deployments and of HPAs. ReplicaSets are left out: a Deployment owns its pods."""

import hashlib
import itertools
import json
import math
from collections.abc import Callable

from predictors.rollout.kube.api import Object
from tests.rollout.behavior import Chance
from tests.rollout.clock import Clock, Loop
from tests.rollout.kubelet import is_ready
from tests.rollout.store import Store

_HASH = "pod-template-hash"
_QUARTER = 0.25  # Kubernetes' maxSurge and maxUnavailable


def owner(thing: Object) -> Object:
    """The owner reference to an object."""
    metadata = thing["metadata"]
    return {
        "apiVersion": thing["apiVersion"],
        "kind": thing["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _hash(deployment: Object) -> str:
    return hashlib.sha256(json.dumps(deployment["spec"]["template"], sort_keys=True).encode()).hexdigest()[:10]


class Deployments:
    """Rolls pods out, 25% more and 25% fewer at most, as KServe has it."""

    def __init__(self, store: Store, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._numbers = itertools.count(1)
        self._loop = Loop(clock, lambda: chance.of("deployment"), self._reconcile)
        store.watch(
            "Deployment", lambda thing: self._loop.wake(thing["metadata"]["namespace"], thing["metadata"]["name"])
        )
        store.watch("Pod", self._see_pod)

    def _see_pod(self, pod: Object) -> None:
        for reference in pod["metadata"].get("ownerReferences", []):
            self._loop.wake(pod["metadata"]["namespace"], reference["name"])

    def _reconcile(self, namespace: str, name: str) -> None:
        deployment = self._store.get("Deployment", namespace, name)
        if deployment is None or "template" not in deployment["spec"]:
            return
        wanted, current = deployment["spec"].get("replicas", 1), _hash(deployment)
        surge, unavailable = math.ceil(wanted * _QUARTER), math.floor(wanted * _QUARTER)
        new, old = self._pods(deployment, current)
        for _ in range(min(wanted - len(new), wanted + surge - len(new) - len(old))):
            self._start(deployment, current)
        for pod in sorted(new, key=is_ready)[: max(0, len(new) - wanted)]:
            self._stop(pod)
        self._shrink(new, old, wanted - unavailable)
        self._report(deployment, current, wanted - unavailable)

    def _pods(self, deployment: Object, current: str) -> tuple[list[Object], list[Object]]:
        metadata = deployment["metadata"]
        labels = deployment["spec"]["selector"]["matchLabels"]
        found = self._store.list("Pod", metadata["namespace"], ",".join(f"{k}={v}" for k, v in labels.items()))
        alive = [each for each in found if "deletionTimestamp" not in each["metadata"]]
        new = [each for each in alive if each["metadata"]["labels"][_HASH] == current]
        return new, [each for each in alive if each["metadata"]["labels"][_HASH] != current]

    def _shrink(self, new: list[Object], old: list[Object], least: int) -> None:
        """Pods of earlier templates go: those that are not ready at once, the others as new ones are ready."""
        spare = sum(map(is_ready, [*new, *old])) - least
        for pod in sorted(old, key=is_ready):
            if not is_ready(pod):
                self._stop(pod)
            elif spare > 0:
                spare -= 1
                self._stop(pod)

    def _start(self, deployment: Object, current: str) -> None:
        metadata, template = deployment["metadata"], deployment["spec"]["template"]
        self._store.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": f"{metadata['name']}-{current}-{next(self._numbers):05}",
                    "namespace": metadata["namespace"],
                    "labels": template["metadata"]["labels"] | {_HASH: current},
                    "annotations": template["metadata"]["annotations"],
                    "ownerReferences": [owner(deployment)],
                },
                "spec": template["spec"],
                "status": {"phase": "Pending"},
            }
        )

    def _stop(self, pod: Object) -> None:
        self._store.delete("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _report(self, deployment: Object, current: str, least: int) -> None:
        metadata = deployment["metadata"]
        new, old = self._pods(deployment, current)
        ready = sum(map(is_ready, [*new, *old]))
        status = {
            "observedGeneration": metadata["generation"],
            "replicas": len(new) + len(old),
            "updatedReplicas": len(new),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(0, deployment["spec"].get("replicas", 1) - ready),
            "conditions": [
                {"type": "Available", "status": str(ready >= least), "reason": "MinimumReplicas"},
                {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"},
            ],
        }
        counts = {key: value for key, value in status.items() if value != 0}  # zeros are left out, as in Go
        self._store.set_status("Deployment", metadata["namespace"], metadata["name"], counts)


class Autoscaler:
    """The HPA controller. What a Deployment's load needs is told by the test.

    Args:
        store: where the HPAs are.
        clock, chance: that it lives by.
        load: pods that a Deployment's load needs, by its name.
    """

    def __init__(self, store: Store, clock: Clock, chance: Chance, load: Callable[[str], int]) -> None:
        self._store = store
        self._clock = clock
        self._chance = chance
        self._load = load
        self._lower: dict[tuple[str, str], float] = {}  # since when fewer pods would do
        clock.after(chance.of("autoscaler"), self._look)

    def _look(self) -> None:
        for hpa in self._store.list("HorizontalPodAutoscaler", ""):
            self._scale(hpa)
        self._clock.after(self._chance.of("autoscaler"), self._look)

    def _scale(self, hpa: Object) -> None:
        namespace, name = hpa["metadata"]["namespace"], hpa["spec"]["scaleTargetRef"]["name"]
        deployment = self._store.get("Deployment", namespace, name)
        if deployment is None:
            return
        low, high = hpa["spec"].get("minReplicas", 1), hpa["spec"]["maxReplicas"]
        now = deployment["spec"].get("replicas", 1)
        wanted = max(low, min(high, self._load(name)))
        if low <= now <= high and wanted < now:
            since = self._lower.setdefault((namespace, name), self._clock.now)
            wanted = wanted if self._clock.now - since >= self._chance.delays.scale_down else now
        if wanted != now:
            self._lower.pop((namespace, name), None)
            self._store.patch("Deployment", namespace, name, {"spec": {"replicas": wanted}})
        status = {"currentReplicas": now, "desiredReplicas": wanted, "observedGeneration": 1}
        self._store.set_status("HorizontalPodAutoscaler", namespace, hpa["metadata"]["name"], status)
