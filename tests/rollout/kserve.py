"""KServe's controller of InferenceServices in Standard mode, in the order of its own source."""

from functools import partial

from predictors.rollout.kube.api import Object
from tests.rollout.behavior import Chance
from tests.rollout.clock import Clock, Loop
from tests.rollout.components import (
    ISVC,
    Components,
    canary_predictor,
    canary_replicas,
    service_name,
)
from tests.rollout.knative import is_knative
from tests.rollout.routes import Routes
from tests.rollout.store import Store, copied

_DOMAIN = "example.com"


class KServe:
    """Reconciles InferenceServices.

    Args:
        store: where they are.
        clock, chance: that it lives by.
        splits: whether canaries get traffic, and stable keeps its pods until they are ready: from version 0.21 on.
    """

    def __init__(self, store: Store, clock: Clock, chance: Chance, splits: bool) -> None:
        self.broken_runtimes: set[str] = set()
        self.away_until = 0.0
        self._store = store
        self._clock = clock
        self._chance = chance
        self._splits = splits
        self._components = Components(store)
        self._routes = Routes(store, splits)
        self._loop = Loop(clock, lambda: chance.of("kserve"), self._reconcile)
        self._busy: set[tuple[str, str]] = set()
        store.watch(
            "InferenceService", lambda each: self._wake(each["metadata"]["namespace"], each["metadata"]["name"])
        )
        for kind in ("Deployment", "Service", "HTTPRoute"):
            store.watch(kind, self._see_owned)

    def _wake(self, namespace: str, name: str) -> None:
        self._loop.wake(namespace, name)

    def _see_owned(self, thing: Object) -> None:
        for reference in thing["metadata"].get("ownerReferences") or []:
            if reference["kind"] == "InferenceService":
                self._wake(thing["metadata"]["namespace"], reference["name"])

    def _reconcile(self, namespace: str, name: str) -> None:
        """The first half of a reconcile. The second half, the routes, comes a little later: what is deleted here is missed."""
        if self._clock.now < self.away_until:
            self._loop.wake_after(self.away_until - self._clock.now, namespace, name)
            return
        if (namespace, name) in self._busy:
            self._wake(namespace, name)
            return
        isvc = self._store.get("InferenceService", namespace, name)
        if isvc is None or "deletionTimestamp" in isvc["metadata"] or is_knative(isvc):
            return
        status = copied(isvc.get("status", {}))
        canaries = isvc["spec"].get("canary", [])
        stable = isvc["spec"]["predictor"]
        if not all(self._apply_canary(isvc, each) for each in canaries):
            return  # a broken canary keeps KServe from stable
        self._report_canaries(isvc, canaries, status)
        self._remove_orphans(isvc, [stable, *(each["predictor"] for each in canaries)])
        deployment = self._components.apply(isvc, self._shrunk(stable, canaries, status))
        self._report_predictor(deployment, status)
        self._busy.add((namespace, name))
        self._clock.after(self._chance.of("ingress"), partial(self._reconcile_ingress, isvc | {"status": status}))

    def _apply_canary(self, isvc: Object, canary: Object) -> bool:
        predictor = canary_predictor(isvc["spec"]["predictor"], canary)
        if predictor.get("model", {}).get("runtime") in self.broken_runtimes:
            return False
        self._components.apply(isvc, predictor)
        return True

    def _report_canaries(self, isvc: Object, canaries: list[Object], status: Object) -> None:
        found = []
        for canary in canaries:
            name = canary["predictor"]["name"]
            deployment = self._deployment(isvc, name)
            ready = deployment is not None and deployment.get("status", {}).get("availableReplicas", 0) > 0
            found.append({"name": name, "ready": ready, "trafficPercent": canary.get("trafficPercent", 0)})
        status.pop("canaryStatuses", None)
        if found:
            status["canaryStatuses"] = found
            ready = all(each["ready"] for each in found)
            reason = "AllCanariesReady" if ready else "CanariesNotReady"
            self._condition(status, "CanaryPredictorReady", str(ready), reason)
        else:
            kept = [each for each in status.get("conditions", []) if each["type"] != "CanaryPredictorReady"]
            status["conditions"] = kept

    def _deployment(self, isvc: Object, predictor: str) -> Object | None:
        return self._store.get(
            "Deployment", isvc["metadata"]["namespace"], service_name(isvc["metadata"]["name"], predictor)
        )

    def _remove_orphans(self, isvc: Object, predictors: list[Object]) -> None:
        """Deployments and Services of predictors that are no more; not their HPAs."""
        namespace, name = isvc["metadata"]["namespace"], isvc["metadata"]["name"]
        expected = {service_name(name, each.get("name", "")) for each in predictors}
        for kind in ("Deployment", "Service"):
            for thing in self._store.list(kind, namespace, f"{ISVC}={name},component=predictor"):
                if thing["metadata"]["name"] not in expected:
                    self._store.delete(kind, namespace, thing["metadata"]["name"])

    def _shrunk(self, stable: Object, canaries: list[Object], status: Object) -> Object:
        """Stable gets along with fewer pods by those of the canaries."""
        ready = {each["name"]: each["ready"] for each in status.get("canaryStatuses", [])}
        taken = sum(
            canary_replicas(each, stable) for each in canaries if not self._splits or ready[each["predictor"]["name"]]
        )
        if "minReplicas" not in stable or not taken:
            return stable
        return stable | {"minReplicas": max(stable["minReplicas"] - taken, 1)}

    def _report_predictor(self, deployment: Object, status: Object) -> None:
        conditions = deployment.get("status", {}).get("conditions", [])
        available = next((each["status"] for each in conditions if each["type"] == "Available"), "Unknown")
        self._condition(status, "PredictorReady", available)
        # KServe's is the Deployment's, not its own: it says nothing of the InferenceService.
        status["observedGeneration"] = deployment.get("status", {}).get("observedGeneration", 0)
        status["deploymentMode"] = "Standard"

    def _reconcile_ingress(self, isvc: Object) -> None:
        """The second half, on the InferenceService as the first half read it."""
        namespace, name = isvc["metadata"]["namespace"], isvc["metadata"]["name"]
        self._busy.discard((namespace, name))
        status = copied(isvc["status"])
        ready = self._routes.apply(isvc)
        self._condition(status, "IngressReady", str(ready))
        if ready:
            stable = service_name(name, isvc["spec"]["predictor"].get("name", ""))
            status["url"] = f"http://{name}-{namespace}.{_DOMAIN}"
            status["address"] = {"url": f"http://{stable}.{namespace}.svc.cluster.local"}
            status["components"] = {"predictor": {"url": f"http://{stable}-{namespace}.{_DOMAIN}"}}
        states = {each["type"]: each["status"] for each in status["conditions"]}
        both = states.get("PredictorReady") == "True" and ready
        self._condition(status, "Ready", str(both))
        self._store.set_status("InferenceService", namespace, name, status)

    def _condition(self, status: Object, kind: str, value: str, reason: str = "") -> None:
        conditions = status.setdefault("conditions", [])
        old = next((each for each in conditions if each["type"] == kind), None)
        if old is not None and (old["status"], old.get("reason", "")) == (value, reason):
            return
        new = {"type": kind, "status": value, "lastTransitionTime": self._clock.stamp}
        new |= {"reason": reason} if reason else {}
        status["conditions"] = sorted(
            [each for each in conditions if each["type"] != kind] + [new], key=lambda each: str(each["type"])
        )
