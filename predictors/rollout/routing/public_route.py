"""The HTTPRoute of a rollout: the public host, led to the stable version and the canary by weight."""

import json
import re

from predictors.rollout.kube.api import API_VERSIONS, Api, Object, Refused
from predictors.rollout.routing.objects import covers, is_foreign, is_going
from predictors.rollout.routing.target import Target

_CONFIG_NAMESPACE, _CONFIG = "kserve", "inferenceservice-config"
_FIELD = re.compile(r"\{\{-?\s*\.(\w+)\s*-?\}\}")
_DEFAULT_HOST = "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}"
_DEFAULT_TIMEOUT = 60
# A name that no client has (RFC 2606).
_PARKED = "parked.invalid"
_GRPC_PATH = r"^/inference\.GRPCInferenceService/.*$"


class PublicRoute:
    """See the module's docstring.

    Args:
        api: the API server.
        target: the InferenceService.
    """

    def __init__(self, api: Api, target: Target) -> None:
        self._api = api
        self._target = target
        self._name = f"{target.name}-rollout"

    def get(self) -> Object | None:
        """The route, or None."""
        found = self._api.get("HTTPRoute", self._target.namespace, self._name)
        return None if is_going(found) else found

    def is_shared(self) -> bool:
        """Whether a route that KServe made still has a public host of the InferenceService."""
        return any(not _is_parked(route) for route in self._kserves_all())

    def unshare(self) -> None:
        """Take the hosts away from KServe's routes, and let the routes be.

        Were they deleted, a proxy might forget their backends before it has led the hosts here: Envoy Gateway answers
        503 for a fifth of a second then.
        """
        for route in self._kserves_all():
            if not _is_parked(route):
                self._api.replace(route | {"spec": route["spec"] | {"hostnames": [_PARKED]}})

    def remove_parked(self) -> None:
        """Delete what unsharing has left, some time later."""
        for route in self._kserves_all():
            if _is_parked(route):
                self._api.delete("HTTPRoute", self._target.namespace, route["metadata"]["name"])

    def _kserves_all(self) -> list[Object]:
        return [route for name in self._kserves_names() if (route := self._kserves(name)) is not None]

    def _kserves_names(self) -> tuple[str, str]:
        return self._target.name, f"{self._target.name}-predictor"

    def refusal(self) -> str:
        """Why there can be no such route; empty if there can."""
        found = self.get()
        if found is not None and found["metadata"].get("ownerReferences") and is_foreign(found, self._target.name):
            return f"there is an HTTPRoute {self._name} that is not the rollout's; it needs another name"
        if found is not None or self._kserves(self._target.name) is not None:
            return ""
        try:
            self._from_config()
        except Refused as error:
            return str(error)
        return ""

    def write(self, backends: dict[str, int]) -> None:
        """Make the route, or change its weights.

        Args:
            backends: weight of each Service, percent.
        """
        found = self.get()
        spec = dict(found["spec"]) if found else self._parents_and_hosts()
        spec["rules"] = self._rules(backends)
        if found is not None:
            if not covers(spec, found["spec"]):
                self._api.replace(found | {"spec": spec})
            return
        metadata = {
            "name": self._name,
            "namespace": self._target.namespace,
            "ownerReferences": self._target.owners,
        }
        kind = {"apiVersion": API_VERSIONS["HTTPRoute"], "kind": "HTTPRoute"}
        self._api.create(kind | {"metadata": metadata, "spec": spec})

    def _kserves(self, name: str) -> Object | None:
        found = self._api.get("HTTPRoute", self._target.namespace, name)
        return None if is_going(found) else found

    def _parents_and_hosts(self) -> Object:
        """As KServe's own routes have them, or as KServe's configuration says."""
        kserves = [route["spec"] for route in self._kserves_all() if not _is_parked(route)]
        if not kserves:
            return self._from_config()
        hosts = [host for spec in kserves for host in spec["hostnames"]]
        return {"parentRefs": kserves[0]["parentRefs"], "hostnames": list(dict.fromkeys(hosts))}

    def _from_config(self) -> Object:
        config = self._api.get("ConfigMap", _CONFIG_NAMESPACE, _CONFIG)
        if config is None:
            raise Refused(
                f"KServe's ConfigMap {_CONFIG_NAMESPACE}/{_CONFIG} is not there, so the public host is not known"
            )
        ingress = json.loads(config["data"].get("ingress", "{}"))
        if not ingress.get("enableGatewayApi"):
            raise Refused("KServe does not use the Gateway API here (enableGatewayApi); pair routing needs it")
        namespace, _, name = ingress.get("kserveIngressGateway", "").partition("/")
        values = {
            "Name": self._target.name,
            "Namespace": self._target.namespace,
            "IngressDomain": ingress.get("ingressDomain", ""),
        }
        template = ingress.get("domainTemplate") or _DEFAULT_HOST
        host = _FIELD.sub(lambda field: values.get(field[1], field[0]), template)
        if "{{" in host:
            raise Refused(f"KServe's domainTemplate {template!r} has fields that are not understood")
        gateway = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": namespace, "name": name}
        return {"parentRefs": [gateway], "hostnames": [host]}

    def _rules(self, backends: dict[str, int]) -> list[Object]:
        """As KServe writes them: gRPC to the gRPC port, where the Services have one, and everything else to port 80."""
        grpc = self._grpc_port()
        rules = [self._rule("^/.*$", [], 80, backends)]
        if grpc is not None:
            header = {"type": "RegularExpression", "name": "content-type", "value": "^application/grpc.*"}
            rules.insert(0, self._rule(_GRPC_PATH, [header], grpc, backends))
        return rules

    def _rule(self, path: str, headers: list[Object], port: int, backends: dict[str, int]) -> Object:
        match: Object = {"path": {"type": "RegularExpression", "value": path}}
        timeout = self._target.wanted.get("timeout") or _DEFAULT_TIMEOUT
        names = {"KServe-Isvc-Name": self._target.name, "KServe-Isvc-Namespace": self._target.namespace}
        headers_set = [{"name": name, "value": value} for name, value in names.items()]
        return {
            "matches": [match | ({"headers": headers} if headers else {})],
            "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": headers_set}}],
            "backendRefs": [
                {"group": "", "kind": "Service", "name": name, "port": port, "weight": weight}
                for name, weight in backends.items()
            ],
            "timeouts": {"request": f"{timeout}s"},
        }

    def _grpc_port(self) -> int | None:
        service = self._api.get("Service", self._target.namespace, f"{self._target.name}-predictor")
        ports: list[Object] = service["spec"]["ports"] if service else []
        named = [port for port in ports if "grpc" in port.get("name", "") or "h2c" in port.get("name", "")]
        others = [port for port in ports if port not in named]
        return int(named[0]["port"]) if named and others else None


def _is_parked(route: Object) -> bool:
    return bool(route["spec"].get("hostnames") == [_PARKED])
