"""What a rollout asks of the API server. `kube.client` does it; the simulation of the tests does too."""

from typing import Any, Protocol, TypeAlias

Object: TypeAlias = dict[str, Any]

# Group and version of each kind that a rollout deals with.
API_VERSIONS = {
    "ConfigMap": "v1",
    "ControllerRevision": "apps/v1",
    "Deployment": "apps/v1",
    "Event": "v1",
    "Gateway": "gateway.networking.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "InferenceRollout": "rollouts.predictors.dev/v1alpha1",
    "InferenceService": "serving.kserve.io/v1beta1",
    "Pod": "v1",
    "ReplicaSet": "apps/v1",
    "Service": "v1",
}


class KubeError(Exception):
    """The API server did not do what it was asked. The text is one sentence for the user."""


class Conflict(KubeError):
    """The object was changed since it was read, or it exists already; read it again."""


class Refused(KubeError):
    """The request is wrong or not allowed: asking again does not help. The text is the server's."""


class Unavailable(KubeError):
    """The API server cannot be reached or is overloaded; ask again later."""


class Api(Protocol):
    """The API server. Every method may raise Unavailable and Refused."""

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """One object, or None if there is none."""

    def list(self, kind: str, namespace: str, labels: str = "") -> list[Object]:
        """Objects of a kind, by a label selector; of all namespaces if none is named."""

    def create(self, thing: Object) -> Object:
        """Create an object; raises Conflict if there is one of that name."""

    def replace(self, thing: Object) -> Object:
        """Write a whole object that was read before; raises Conflict if it was changed or deleted since."""

    def patch(self, kind: str, namespace: str, name: str, change: Object, *, subresource: str = "") -> Object:
        """Change an object by a JSON merge patch, or its subresource `status`; raises Conflict if there is none."""

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object; that there is none is fine."""


class Pods(Protocol):
    """The way to the pods' HTTP port."""

    def get(self, pod: Object, path: str) -> tuple[int, str]:
        """Status and body of a GET at a pod's HTTP port; raises Unavailable if there is no answer in time."""
