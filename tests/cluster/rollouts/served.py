"""A model that is served with a rollout, as a platform engineer handles it: by helm, and by `predictors rollout`."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.cluster import Cluster, Object
from tests.cluster.gateway import Gateway
from tests.cluster.programs import run
from tests.cluster.release import Release, Values
from tests.cluster.senders import rest
from tests.cluster.traffic import Pace, Tally, steady
from tests.waiting import until

MODEL = "iris"
# What a rollout may take on a busy machine.
_PATIENCE_SECONDS = 420.0
PACE = Pace(per_second=100, least=500, most=120_000)
# Short holds and a short drain, since the requests take milliseconds. Only what a test is about is compared: on a busy
# machine equal versions differ in latency for seconds at a time, and a rollout rightly waits until it is sure.
STRATEGY: Values = {
    "steps": [{"weight": 25, "hold": "5s"}, {"weight": 50, "hold": "5s"}, {"weight": 100}],
    "drain": "5s",
    "progressDeadline": "90s",
    "metrics": {"interval": "2s"},
    "checks": [{"type": "errors", "bound": 0.05}, {"type": "labels"}],
}


@dataclass
class Ending:
    """How a rollout ended.

    Args:
        result, reason: of its entry in the history.
        weights: seconds since it was asked for, and the canary's weight as the routes had it, at each change.
    """

    result: str = ""
    reason: str = ""
    weights: list[tuple[float, int]] = field(default_factory=list)

    @property
    def exposed_seconds(self) -> float:
        """From the first traffic of the canary until it had none; 0 if it never had any."""
        begin = next((second for second, weight in self.weights if weight), None)
        if begin is None:
            return 0.0
        return next(second for second, weight in self.weights if second > begin and not weight) - begin


def values(routing: str, model: Values) -> Values:
    """Values of the chart for a model with a rollout.

    Args:
        routing: how its traffic is split.
        model: what it is.
    """
    rollout = {"enabled": True, "strategy": {**STRATEGY, "routing": routing}}
    # What the chart must believe to render canaries; that it is so, the tests have seen.
    kserve = {"canary": {"version": "0.21"}, "knative": {"deploymentMode": "Knative"}}.get(routing, {})
    return {"kserve": kserve, "models": {MODEL: {"kind": "iris", **model, "rollout": rollout}}}


class Served:
    """One model with a rollout.

    Args:
        cluster, gateway: where.
        release: the chart's release, which renders the InferenceRollout.
        routing: how the traffic is split.
    """

    def __init__(self, cluster: Cluster, gateway: Gateway, release: Release, routing: str) -> None:
        self.cluster = cluster
        self.release = release
        self.routing = routing
        self._gateway = gateway
        self._before: Object = {}

    @property
    def namespace(self) -> str:
        return self.release.namespace

    def apply(self, changes: Values | None = None, strategy: Values | None = None) -> None:
        """Upgrade the release: to the stable version's values with these changes."""
        rollout = {"rollout": {"strategy": strategy}} if strategy else {}
        self.release.upgrade({"models": {MODEL: {**(changes or {}), **rollout}}})

    def apply_program(self, changes: Values, program: str, strategy: Values) -> None:
        """The same by kubectl, and the new version's pods run another program: what the chart has no value for."""
        template = self.cluster.get("InferenceRollout", MODEL, self.namespace)["spec"]["template"]
        stable = template["spec"]["predictor"]["model"]
        args = [each for each in stable["args"] if "digest" not in each]
        model = {
            "storageUri": changes["storageUri"],
            "args": [f"--artifact_digest={changes['digest']}", *args],
            "command": ["python", "-c", program],
        }
        # Helm compares with its last release, so it would not change this back.
        self._before = {"storageUri": stable["storageUri"], "args": stable["args"], "command": None}
        self._patch({"template": {"spec": {"predictor": {"model": model}}}, "strategy": STRATEGY | strategy})

    def _patch(self, spec: Object) -> None:
        self.cluster.patch("InferenceRollout", MODEL, {"spec": spec}, self.namespace)

    @contextmanager
    def traffic(self) -> Iterator[Tally]:
        """100 requests a second at the gateway."""
        with steady(rest(self._gateway, MODEL, self.namespace), PACE) as tally:
            yield tally

    def ask(self, request: str, *more: str) -> str:
        """Run `predictors rollout`."""
        return run(sys.executable, "-m", "predictors", "rollout", request, MODEL, "-n", self.namespace, *more)

    @property
    def status(self) -> Object:
        found = self.cluster.get("InferenceRollout", MODEL, self.namespace)
        status: Object = found.get("status", {})
        generation = found.get("metadata", {}).get("generation")
        return status if status.get("observedGeneration") == generation else {}

    def wait_phase(self, phase: str) -> Object:
        """Wait until the rollout is in a phase, for the spec as it is."""
        return until(
            lambda: status if (status := self.status).get("phase") == phase else None, phase, _PATIENCE_SECONDS
        )

    def wait_weight(self, weight: int) -> None:
        """Wait until the routes give the canary a share."""
        until(lambda: (self.status.get("weight") or {}).get("seen") == weight, f"{weight}%", _PATIENCE_SECONDS)

    def wait_end(self, endings: int) -> Ending:
        """Wait until one more rollout than so many has ended, and nothing is left of it."""
        begin, ending = time.monotonic(), Ending()

        def look() -> bool:
            status = self.status
            weight = (status.get("weight") or {}).get("seen")
            if weight is not None and (not ending.weights or ending.weights[-1][1] != weight):
                ending.weights.append((time.monotonic() - begin, weight))
            return len(status.get("history", [])) > endings and status.get("phase") in ("Healthy", "RolledBack")

        until(look, "the rollout to end", _PATIENCE_SECONDS, pause=0.1)
        newest = self.status["history"][0]
        ending.result, ending.reason = newest["result"], newest["reason"]
        return ending

    def rolled_out(self, changes: Values, strategy: Values | None = None) -> tuple[Tally, Ending]:
        """Apply changes under traffic, and wait until their rollout has ended."""
        with self.traffic() as tally:
            endings = self.endings
            self.apply(changes, strategy)
            return tally, self.wait_end(endings)

    @property
    def endings(self) -> int:
        """How many rollouts have ended."""
        return len((self.cluster.get("InferenceRollout", MODEL, self.namespace).get("status") or {}).get("history", []))

    def settle(self) -> None:
        """Back to the stable version, with nothing under way; at once, since nothing is sent that could be compared."""
        at_once: Values = {"steps": [{"weight": 100}], "checks": []}
        self.apply(None, at_once)
        if self._before:
            self._patch({"template": {"spec": {"predictor": {"model": self._before}}}, "strategy": at_once})
            self._before = {}
        self.wait_phase("Healthy")

    def pods(self) -> dict[str, Any]:
        """Pods of both variants that are not being deleted, by uid."""
        found = [*self.cluster.pods(self.namespace, MODEL), *self.cluster.pods(self.namespace, f"{MODEL}-canary")]
        return {pod["metadata"]["uid"]: pod for pod in found}

    def check_tidy(self) -> None:
        """Nothing of a canary is left."""
        until(lambda: len(self.pods()) == 1, "the canary's pods to end")
        names = {
            each["metadata"]["name"]
            for kind in ("InferenceService", "HorizontalPodAutoscaler")
            for each in self.cluster.find(kind, self.namespace)
        }
        [deployment] = (each["metadata"]["name"] for each in self.cluster.find("Deployment", self.namespace))
        assert names == {MODEL, deployment}
