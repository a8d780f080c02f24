"""KServe's HTTPRoutes of an InferenceService: NAME and NAME-predictor."""

from predictors.rollout.kube.api import Object
from tests.rollout.components import service_name
from tests.rollout.deployments import owner
from tests.rollout.store import Store

_DOMAIN = "example.com"
PARENT = {
    "group": "gateway.networking.k8s.io",
    "kind": "Gateway",
    "namespace": "kserve",
    "name": "kserve-ingress-gateway",
}
VISIBILITY = "networking.kserve.io/visibility"


def is_true(isvc: Object, kind: str) -> bool:
    """Whether a condition of an InferenceService is True."""
    conditions = isvc.get("status", {}).get("conditions", [])
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)


class Routes:
    """Writes them.

    Args:
        store: where they are.
        splits: whether canaries get weights.
    """

    def __init__(self, store: Store, splits: bool) -> None:
        self._store = store
        self._splits = splits

    def apply(self, isvc: Object) -> bool:
        """Make the routes as an InferenceService says, while its predictor is ready; whether the gateway has taken them."""
        name = isvc["metadata"]["name"]
        if (isvc["metadata"].get("labels") or {}).get(VISIBILITY) == "cluster-local":
            return True  # routes of before stay as they are
        if not is_true(isvc, "PredictorReady"):
            return False
        for route in (f"{name}-predictor", name):
            self._write(isvc, route)
        return all(self._taken(isvc, route) for route in (name, f"{name}-predictor"))

    def _write(self, isvc: Object, route: str) -> None:
        ours = isvc["metadata"]
        spec = {
            "parentRefs": [PARENT],
            "hostnames": [f"{route}-{ours['namespace']}.{_DOMAIN}"],
            "rules": [self._rule(isvc, port) for port in (8081, 80)],
        }
        metadata = {
            "name": route,
            "namespace": ours["namespace"],
            "labels": ours.get("labels") or {},
            "annotations": ours.get("annotations") or {},
            "ownerReferences": [owner(isvc)],
        }
        old = self._store.get("HTTPRoute", ours["namespace"], route)
        new = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata, "spec": spec}
        if old is None:
            self._store.create(new)
        elif old["spec"] != spec:
            self._store.replace(new)

    def _rule(self, isvc: Object, port: int) -> Object:
        ours = isvc["metadata"]
        match: Object = {"path": {"type": "RegularExpression", "value": "^/.*$"}}
        if port == 8081:
            header = {"type": "RegularExpression", "name": "content-type", "value": "^application/grpc.*"}
            match = {
                "path": {"type": "RegularExpression", "value": "^/inference\\.GRPCInferenceService/.*$"},
                "headers": [header],
            }
        headers = [{"name": "KServe-Isvc-Name", "value": ours["name"]}]
        return {
            "matches": [match],
            "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": headers}}],
            "backendRefs": [
                {
                    "group": "",
                    "kind": "Service",
                    "name": name,
                    "namespace": ours["namespace"],
                    "port": port,
                    "weight": weight,
                }
                for name, weight in self._weights(isvc)
            ],
            "timeouts": {"request": f"{isvc['spec']['predictor'].get('timeout', 60)}s"},
        }

    def _weights(self, isvc: Object) -> list[tuple[str, int]]:
        """Backends, as the API server shows them: a weight that is not given is 1."""
        name = isvc["metadata"]["name"]
        stable = service_name(name, isvc["spec"]["predictor"].get("name", ""))
        canaries = isvc["spec"].get("canary", [])
        if not canaries or not self._splits:
            return [(stable, 1)]
        ready = {each["name"]: each["ready"] for each in isvc.get("status", {}).get("canaryStatuses", [])}
        split = [
            (service_name(name, each["predictor"]["name"]), each.get("trafficPercent", 0))
            for each in canaries
            if ready.get(each["predictor"]["name"])
        ]
        return [(stable, 100 - sum(weight for _, weight in split)), *split]

    def _taken(self, isvc: Object, route: str) -> bool:
        found = self._store.get("HTTPRoute", isvc["metadata"]["namespace"], route)
        parents = found.get("status", {}).get("parents", []) if found else []
        return bool(parents) and all(each["status"] != "False" for parent in parents for each in parent["conditions"])
