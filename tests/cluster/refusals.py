"""What is seen of a model that is not served: its pod's answer and log, and the gateway's silence."""

import json

from tests.cluster.cluster import Cluster, is_ready
from tests.cluster.gateway import V1_BODIES, Gateway
from tests.waiting import stays, until

NOBODYS_DIGEST = "sha256:" + "0" * 64
"""No artifact's."""

# So long is watched that something does not happen.
WATCHED_SECONDS = 5


def the_pod(cluster: Cluster, namespace: str, model: str) -> str:
    """The name of a model's one pod."""
    [pod] = until(lambda: cluster.pods(namespace, model), f"a pod of {model}")
    return str(pod["metadata"]["name"])


def the_new_pod(cluster: Cluster, namespace: str, model: str, old: str) -> str:
    """The name of the pod beside a model's old one."""

    def new() -> set[str]:
        return {str(pod["metadata"]["name"]) for pod in cluster.pods(namespace, model)} - {old}

    [pod] = until(new, f"a new pod of {model}")
    return pod


def readiness(cluster: Cluster, namespace: str, pod: str, path: str = "/v2/health/ready") -> tuple[int, str]:
    """Status and reason of a server's own answer, once it gives one that is not that it still loads."""

    def look() -> tuple[int, str] | None:
        status, body = cluster.ask_pod(namespace, pod, path)
        try:
            why = json.loads(body)["error"]
            return None if why.endswith("loading") else (status, why)
        except (KeyError, ValueError):
            return None  # the API server's answer: nothing listens yet

    return until(look, f"pod {pod} to say why it is not ready")


def mentions(cluster: Cluster, namespace: str, pod: str, what: str) -> list[str]:
    """The lines of a server's log with a text."""
    return [line for line in cluster.logs(namespace, pod, "kserve-container").splitlines() if what in line]


def last_words(cluster: Cluster, namespace: str, pod: str) -> str:
    """The last line of the storage initializer's log; empty if there is none yet."""
    return cluster.logs(namespace, pod, "storage-initializer").strip().rpartition("\n")[2]


def is_never_served(cluster: Cluster, gateway: Gateway, namespace: str, model: str) -> None:
    """Check that an InferenceService is not Ready, and that the gateway answers nobody for it."""
    with gateway.rest(model, namespace) as client:

        def served() -> tuple[bool, bool]:
            response = client.post(f"/v1/models/{model}:predict", json=V1_BODIES["iris"])
            return is_ready(cluster.get("InferenceService", model, namespace)), response.is_success

        stays(served, (False, False), WATCHED_SECONDS)
