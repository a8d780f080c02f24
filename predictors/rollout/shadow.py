"""Tells stable's pods to send copies of requests to the canary, and to stop.

By a ConfigMap that they mount: an endpoint would be reached through the public gateway too, and let anybody copy the
traffic anywhere. The kubelet brings a change to the pods within a minute or so; none of them restarts.
"""

import json

from predictors.rollout.kube.api import Api, Object

FILE = "shadow.json"


class ShadowSwitch:
    """The ConfigMap NAME-shadow.

    Args:
        api: the API server.
        namespace, name: of the InferenceService.
        owners: owner references of the ConfigMap.
    """

    def __init__(self, api: Api, namespace: str, name: str, owners: list[Object]) -> None:
        self._api = api
        self._namespace = namespace
        self._name = f"{name}-shadow"
        self._owners = owners

    def is_on(self) -> bool:
        """Whether there is one."""
        found = self._api.get("ConfigMap", self._namespace, self._name)
        return found is not None and FILE in (found.get("data") or {})

    def turn_on(self, model: str, service: str, percent: int) -> None:
        """Have a share of the requests for a model copied to a Service."""
        url = f"http://{service}.{self._namespace}.svc.cluster.local{self._port(service)}"
        text = json.dumps({"models": {model: {"url": url, "percent": percent}}})
        metadata = {"name": self._name, "namespace": self._namespace, "ownerReferences": self._owners}
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {FILE: text}}
        found = self._api.get("ConfigMap", self._namespace, self._name)
        if found is None:
            self._api.create(config)
        else:
            self._api.replace(found | {"data": config["data"]})

    def _port(self, service: str) -> str:
        """A headless Service leads to the pods' own port."""
        found = self._api.get("Service", self._namespace, service)
        if found is None or found["spec"].get("clusterIP") != "None":
            return ""
        port = found["spec"]["ports"][0]
        return f":{port.get('targetPort', port['port'])}"

    def turn_off(self) -> None:
        """No longer."""
        self._api.delete("ConfigMap", self._namespace, self._name)
