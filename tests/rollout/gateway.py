"""The gateway: it judges HTTPRoutes, and some time later its data plane follows them."""

from dataclasses import dataclass
from functools import partial

from predictors.rollout.kube.api import Object
from tests.rollout.behavior import Chance
from tests.rollout.clock import Clock, Loop
from tests.rollout.kubelet import is_ready
from tests.rollout.store import Store, selects

# Kinds of matches in the order in which they are tried; of equals, the oldest route first.
_RANKS = {"Exact": 0, "RegularExpression": 1, "PathPrefix": 2}


@dataclass(frozen=True)
class Rule:
    """What the data plane does with requests for a host.

    Args:
        order: before other rules, of the smallest.
        weights: by Service; the namespace's.
        missing: Services that are not there.
        waits: whether requests wait for a pod, as at Knative's activator.
    """

    order: tuple[int, str, str]
    weights: dict[tuple[str, str], int]
    missing: frozenset[tuple[str, str]]
    waits: bool = False


class Gateway:
    """One Gateway with its proxies.

    Args:
        store: where routes, Services and pods are.
        clock, chance: that it lives by.
    """

    def __init__(self, store: Store, clock: Clock, chance: Chance) -> None:
        self.refuses: set[str] = set()
        self.stuck = False
        self.rules: dict[str, list[Rule]] = {}
        self.endpoints: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._store = store
        self._clock = clock
        self._chance = chance
        self._applied = 0.0
        self._judging = Loop(clock, lambda: chance.of("accept"), lambda *_: self.judge())
        self._finding = Loop(clock, lambda: chance.of("endpoints"), lambda *_: self._find())
        for kind in ("HTTPRoute", "Service"):
            store.watch(kind, lambda _: self._judging.wake("", ""))
        for kind in ("Pod", "Service"):
            store.watch(kind, lambda _: self._finding.wake("", ""))

    def rule(self, host: str) -> Rule | None:
        """That requests for a host follow now."""
        return min(self.rules.get(host, []), key=lambda each: each.order, default=None)

    def judge(self) -> None:
        """Look at all routes now, unless it is stuck: then it goes on with what it has."""
        if self.stuck:
            return
        rules: dict[str, list[Rule]] = {}
        for route in self._store.list("HTTPRoute", ""):
            missing = frozenset(each for each in _backends(route) if self._store.get("Service", *each) is None)
            accepted = route["metadata"]["name"] not in self.refuses
            self._report(route, accepted, not missing)
            if accepted:
                for host in route["spec"].get("hostnames", []):
                    rules.setdefault(host, []).append(_rule(route, missing))
        # Later judgements are followed later: the data plane never goes back.
        self._applied = max(self._applied, self._clock.now + self._chance.of("program"))
        self._clock.after(self._applied - self._clock.now, partial(setattr, self, "rules", rules))

    def _report(self, route: Object, accepted: bool, resolved: bool) -> None:
        metadata = route["metadata"]
        conditions = [
            {
                "type": kind,
                "status": str(value),
                "reason": kind if value else reason,
                "observedGeneration": metadata["generation"],
            }
            for kind, value, reason in (
                ("Accepted", accepted, "NotAllowedByListeners"),
                ("ResolvedRefs", resolved, "BackendNotFound"),
            )
        ]
        parents = [
            {"parentRef": reference, "controllerName": "simulated", "conditions": conditions}
            for reference in route["spec"].get("parentRefs", [])
        ]
        self._store.set_status("HTTPRoute", metadata["namespace"], metadata["name"], {"parents": parents})

    def _find(self) -> None:
        pods = self._store.list("Pod", "")
        self.endpoints = {
            (namespace, service["metadata"]["name"]): [
                (namespace, pod["metadata"]["name"])
                for pod in pods
                if pod["metadata"]["namespace"] == namespace
                and selects(selector, pod["metadata"]["labels"])
                and is_ready(pod)
                and "deletionTimestamp" not in pod["metadata"]
            ]
            for service in self._store.list("Service", "")
            for namespace in [service["metadata"]["namespace"]]
            for selector in [",".join(f"{k}={v}" for k, v in service["spec"].get("selector", {}).items())]
        }


def _backends(route: Object) -> dict[tuple[str, str], int]:
    """Weights of the backends of a route's rule for REST, which is its last."""
    namespace = route["metadata"]["namespace"]
    references = route["spec"]["rules"][-1].get("backendRefs", [])
    return {(each.get("namespace", namespace), each["name"]): each.get("weight", 1) for each in references}


def _rule(route: Object, missing: frozenset[tuple[str, str]]) -> Rule:
    matches = route["spec"]["rules"][-1].get("matches") or [{"path": {"type": "PathPrefix", "value": "/"}}]
    rank = _RANKS[matches[0].get("path", {}).get("type", "PathPrefix")]
    metadata = route["metadata"]
    return Rule(
        (rank, metadata["creationTimestamp"], metadata["name"]),
        _backends(route),
        missing,
        "activator" in (metadata.get("labels") or {}),
    )
