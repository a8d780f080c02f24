"""The rollout's controller in virtual time: turns, its own end and a new beginning, and what must hold at every second."""

import json
import math
from collections.abc import Callable
from typing import Any

from predictors.rollout.controller.reconcile import REQUEST_ANNOTATION, Reconciler
from predictors.rollout.kube.api import KubeError, Object
from tests.rollout.frail import Crash
from tests.rollout.traffic import Traffic
from tests.rollout.world import NAMESPACE, World, WorldPods

NAME = "iris"
V1, V2, V3 = (f"pvc://models/iris/v{number}" for number in (1, 2, 3))
TURN_SECONDS, IDLE_SECONDS = 2.0, 15.0
# Few requests are enough for these bounds; how sure the judge is, is tested elsewhere.
CHECKS = [{"type": "errors", "bound": 0.15}, {"type": "latency", "bound": 2.0}, {"type": "labels", "bound": 0.4}]
STEPS = [{"weight": 20, "hold": "10s"}, {"weight": 60, "hold": "10s"}, {"weight": 100}]
PODS = 3
AT_REST = ("Healthy", "RolledBack", "Blocked", "Paused")


def rollout(routing: str, uri: str, **strategy: Any) -> Object:
    """An InferenceRollout of iris.

    Args:
        routing: canary, pair or knative.
        uri: of the model.
        strategy: other fields of the strategy.
    """
    model = {"modelFormat": {"name": "sklearn"}, "runtime": "iris-runtime", "storageUri": uri}
    mode = "Knative" if routing == "knative" else "Standard"
    annotations = {"serving.kserve.io/deploymentMode": mode, "serving.kserve.io/autoscalerClass": "hpa"}
    template = {
        "metadata": {"annotations": annotations},
        "spec": {"predictor": {"minReplicas": PODS, "maxReplicas": PODS, "model": model}},
    }
    defaults = {"routing": routing, "steps": STEPS, "checks": CHECKS, "drain": "20s", "progressDeadline": "3m"}
    return {
        "apiVersion": "rollouts.predictors.dev/v1alpha1",
        "kind": "InferenceRollout",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"template": template, "strategy": defaults | strategy},
    }


class Pilot:
    """Drives the InferenceRollout iris in a world.

    Args:
        world: where it is.
        thing: it.
    """

    def __init__(self, world: World, thing: Object) -> None:
        self.world = world
        self.traffic: Traffic = world.traffic(NAME)
        self.phases: list[str] = []
        self.crashes: list[str] = []
        self.spared = False
        self._due = 0.0
        self._seen: Any = None
        self._requests = 0
        self._reconciler = self._new()
        world.api.server.create(thing)

    def _new(self) -> Reconciler:
        return Reconciler(self.world.api, WorldPods(self.world), lambda: self.world.clock.now, "", lambda _: None)

    # ---- What people do

    @property
    def rollout(self) -> Object:
        """As the cluster has it."""
        found = self.world.api.server.get("InferenceRollout", NAMESPACE, NAME)
        assert found is not None
        return found

    @property
    def status(self) -> Object:
        """Of the rollout; to read."""
        found = self.world.store.get("InferenceRollout", NAMESPACE, NAME) or {}
        return dict(found.get("status", {}))

    @property
    def phase(self) -> str:
        """Of the rollout."""
        return str(self.status.get("phase", ""))

    @property
    def weight(self) -> int:
        """That the canary has now, as it is asked for."""
        return int((self.status.get("weight") or {}).get("asked") or 0)

    def apply(self, uri: str) -> None:
        """Write another version into the template."""
        model = {"storageUri": uri}
        change = {"spec": {"template": {"spec": {"predictor": {"model": model}}}}}
        self.world.api.server.patch("InferenceRollout", NAMESPACE, NAME, change)

    def ask(self, do: str) -> None:
        """Ask for something, as `predictors rollout` does."""
        self._requests += 1
        text = json.dumps({"id": str(self._requests), "do": do})
        change = {"metadata": {"annotations": {REQUEST_ANNOTATION: text}}}
        self.world.api.server.patch("InferenceRollout", NAMESPACE, NAME, change)

    # ---- Time

    def run(self, seconds: float) -> None:
        """Let time pass; the controller takes its turns, and every second is looked at."""
        for _ in range(math.ceil(seconds)):
            self._turn()
            self.world.clock.advance(1.0)
            self.check()

    def until(self, reached: Callable[[], bool], limit: float) -> None:
        """Let time pass until something is so.

        Raises:
            AssertionError: it is not within so many seconds.
        """
        for _ in range(math.ceil(limit)):
            if reached():
                return
            self.run(1)
        if not reached():
            raise AssertionError(
                f"not reached within {limit} s: {self.phase}, {self.status.get('message')}; {self.phases}"
            )

    def settle(self, limit: float = 600) -> str:
        """Let time pass until the rollout rests; the phase it rests in."""
        self.until(lambda: self._is_seen() and self.phase in AT_REST, limit)
        return self.phase

    def _is_seen(self) -> bool:
        answered = int((self.status.get("lastRequest") or {"id": 0})["id"])
        return (
            answered == self._requests
            and self.status.get("observedGeneration") == self.rollout["metadata"]["generation"]
        )

    def _turn(self) -> None:
        thing = self.rollout
        seen = thing["metadata"]["generation"], thing["metadata"].get("annotations")
        now = self.world.clock.now
        if now < self._due and seen == self._seen:
            return
        self._seen, self._due = seen, now + TURN_SECONDS
        try:
            if self._reconciler.turn(thing):
                self._due = now + IDLE_SECONDS
        except KubeError:
            pass
        except Crash as crash:
            self.crashes.append(str(crash))
            self._reconciler = self._new()
            self._due = now
        if self.phase and self.phases[-1:] != [self.phase]:
            self.phases.append(self.phase)

    def check(self) -> None:
        """What must hold now; `spared` if a test itself takes pods or routes away."""
        if not self.spared:
            keeps_requests(self.world, self.traffic)


def keeps_requests(world: World, traffic: Traffic) -> None:
    """No request was lost, and no variant has more of the traffic than its ready pods can bear."""
    assert not traffic.record.lost, f"{world.api.writes[-3:]}: {traffic.record.lost[-3:]}"
    rule = world.gateway.rule(f"{NAME}-{NAMESPACE}.example.com")
    if rule is None or not traffic.per_second:
        return
    total = sum(rule.weights.values())
    for (namespace, service), weight in rule.weights.items():
        if weight and not rule.waits:
            assert world.store.get("Service", namespace, service), f"{service} has {weight} and is not there"
            needed, ready = math.ceil(PODS * weight / total), world.ready(service)
            assert ready >= needed, f"{service} has {weight} of {total} and {ready} pods, of {needed}"
