"""The cluster's API: objects as plain dictionaries, by kind and name."""

from pathlib import Path
from typing import Any

import kubernetes
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError, TooManyRequestsError

from tests.waiting import until

Object = dict[str, Any]
_VERSIONS = {
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "Deployment": "apps/v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "InferenceRollout": "rollouts.predictors.dev/v1alpha1",
    "InferenceService": "serving.kserve.io/v1beta1",
    "ServingRuntime": "serving.kserve.io/v1alpha1",
}
_SOURCE = "internal.serving.kserve.io/storage-initializer-sourceuri"
MODEL_LABEL = "serving.kserve.io/inferenceservice"


class Cluster:
    """The cluster that a kubeconfig file names.

    Args:
        kubeconfig: the file.
        scratch: a directory, for the client's cache of what kinds there are.
    """

    def __init__(self, kubeconfig: str, scratch: Path) -> None:
        self._client = kubernetes.config.new_client_from_config(kubeconfig)
        self._dynamic = DynamicClient(self._client, cache_file=str(scratch / "discovery.json"))

    def create(self, document: Object, namespace: str = "") -> None:
        self._resource(document["kind"]).create(body=document, namespace=namespace or None)

    def get(self, kind: str, name: str, namespace: str = "") -> Object:
        """One object; empty if there is none."""
        try:
            found: Object = self._resource(kind).get(name=name, namespace=namespace or None).to_dict()
        except NotFoundError:
            return {}
        return found

    def find(self, kind: str, namespace: str = "", labels: str = "") -> list[Object]:
        """Objects of a kind, oldest first."""
        found = self._resource(kind).get(namespace=namespace or None, label_selector=labels or None).to_dict()
        items: list[Object] = found["items"]
        return sorted(items, key=lambda each: str(each["metadata"]["creationTimestamp"]))

    def patch(self, kind: str, name: str, change: Object, namespace: str = "") -> None:
        """Change an object by a JSON merge patch."""
        self._resource(kind).patch(
            name=name, namespace=namespace or None, body=change, content_type="application/merge-patch+json"
        )

    def delete(self, kind: str, name: str, namespace: str = "") -> None:
        self._resource(kind).delete(name=name, namespace=namespace or None)

    def ask(self, path: str, **query: str | int) -> tuple[int, str]:
        """Status and body of a GET at a path of the API server."""
        try:
            answer = self._dynamic.request(
                "get", path, serialize=False, query_params=list(query.items()), header_params={"Accept": "*/*"}
            )
        except ApiException as error:
            body = error.body or error.reason or ""
            return int(error.status), body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
        return int(answer.status), answer.data.decode("utf-8", "replace")

    def pods(self, namespace: str, model: str) -> list[Object]:
        """A model's pods that are not being deleted, oldest first."""
        pods = self.find("Pod", namespace, f"{MODEL_LABEL}={model}")
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def logs(self, namespace: str, pod: str, container: str, lines: int = 1000) -> str:
        """The last lines of a container's log; empty if there is none yet."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        status, text = self.ask(path, container=container, tailLines=lines)
        return text if status == 200 else ""

    def ask_pod(self, namespace: str, pod: str, path: str) -> tuple[int, str]:
        """Status and body of a GET to a pod's port 8080, ready or not, through the API server."""
        return self.ask(f"/api/v1/namespaces/{namespace}/pods/{pod}:8080/proxy{path}")

    def evict(self, namespace: str, pod: str) -> bool:
        """Ask for an eviction; says whether the disruption budgets allow it."""
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
        try:
            self._dynamic.request("post", f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction", body=body)
        except TooManyRequestsError:
            return False
        return True

    def cordon(self, node: str, *, on: bool) -> None:
        """Keep new pods off a node, or no longer."""
        self.patch("Node", node, {"spec": {"unschedulable": on}})

    def deployment(self, namespace: str, model: str) -> Object:
        """A model's Deployment; its name changes with a promotion, its label does not. Empty if there is none."""
        found = self.find("Deployment", namespace, f"{MODEL_LABEL}={model}")
        return found[-1] if found else {}

    def wait_rolled_out(self, namespace: str, model: str, replicas: int) -> None:
        """Wait until a model has so many pods, all as its InferenceService says and available, and the old ones are gone."""

        def look() -> bool:
            deployment = self.deployment(namespace, model)
            service = self.get("InferenceService", model, namespace)
            return bool(deployment) and follows(deployment, service) and is_rolled_out(deployment, replicas)

        until(look, f"{replicas} new pods of {model}")
        selector = f"{MODEL_LABEL}={model}"
        until(lambda: len(self.find("Pod", namespace, selector)) == replicas, f"the old pods of {model} to end")

    def _resource(self, kind: str) -> Any:
        return self._dynamic.resources.get(api_version=_VERSIONS.get(kind, "v1"), kind=kind)


def follows(deployment: Object, service: Object) -> bool:
    """Whether KServe has written an InferenceService's model into its Deployment. (The status' observedGeneration does not
    say: KServe copies the Deployment's there.)
    """
    model = service["spec"]["predictor"]["model"]
    template = deployment["spec"]["template"]
    [container] = (each for each in template["spec"]["containers"] if each["name"] == "kserve-container")
    same_uri = template["metadata"]["annotations"].get(_SOURCE) == model["storageUri"]
    return same_uri and bool(container["args"][-len(model["args"]) :] == model["args"])


def is_rolled_out(deployment: Object, replicas: int) -> bool:
    """Whether a Deployment's pods are as many as given, of its newest template, and available."""
    status = deployment.get("status", {})
    observed = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    counts = [status.get(field, 0) for field in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    return bool(observed and counts == [replicas] * len(counts))


def condition(thing: Object, name: str) -> Object:
    """One of an object's conditions; empty if it has none of that name."""
    conditions: list[Object] = thing.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == name), {})


def is_ready(thing: Object) -> bool:
    """Whether the condition Ready is true."""
    return condition(thing, "Ready").get("status") == "True"
