"""What is read: each kind of object, where it is, and which right that needs."""

from typing import NamedTuple

MODELS_PART = "app.kubernetes.io/part-of=predictors"


class Source(NamedTuple):
    """A kind of objects.

    Args:
        version: group and version.
        plural: its name in paths and in roles.
        is_everywhere: whether those of all namespaces are read, or of the cluster.
        query: what narrows it down; {namespace} is the one that is looked at.
    """

    version: str
    plural: str
    is_everywhere: bool = False
    query: str = ""

    @property
    def group(self) -> str:
        """Its API group; empty for Kubernetes' first one."""
        return self.version.rpartition("/")[0]

    def path(self, namespace: str) -> str:
        """Where the API server has them."""
        base = f"/apis/{self.version}" if self.group else f"/api/{self.version}"
        where = base if self.is_everywhere else f"{base}/namespaces/{namespace}"
        return f"{where}/{self.plural}" + (f"?{self.query.format(namespace=namespace)}" if self.query else "")


_KSERVE, _GATEWAY, _OPERATOR = "serving.kserve.io", "gateway.networking.k8s.io/v1", "monitoring.coreos.com/v1"

SOURCES = {
    "InferenceService": Source(f"{_KSERVE}/v1beta1", "inferenceservices"),
    "ServingRuntime": Source(f"{_KSERVE}/v1alpha1", "servingruntimes"),
    "ClusterServingRuntime": Source(f"{_KSERVE}/v1alpha1", "clusterservingruntimes", is_everywhere=True),
    "InferenceRollout": Source("rollouts.predictors.dev/v1alpha1", "inferencerollouts"),
    "ControllerRevision": Source("apps/v1", "controllerrevisions"),
    "Deployment": Source("apps/v1", "deployments"),
    "ReplicaSet": Source("apps/v1", "replicasets"),
    "Pod": Source("v1", "pods"),
    "HorizontalPodAutoscaler": Source("autoscaling/v2", "horizontalpodautoscalers"),
    "PodDisruptionBudget": Source("policy/v1", "poddisruptionbudgets"),
    "NetworkPolicy": Source("networking.k8s.io/v1", "networkpolicies"),
    "PersistentVolumeClaim": Source("v1", "persistentvolumeclaims"),
    "HTTPRoute": Source(_GATEWAY, "httproutes"),
    "Gateway": Source(_GATEWAY, "gateways", is_everywhere=True),
    "Namespace": Source("v1", "namespaces", is_everywhere=True, query="fieldSelector=metadata.name%3D{namespace}"),
    "Node": Source("v1", "nodes", is_everywhere=True),
    "DaemonSet": Source("apps/v1", "daemonsets", is_everywhere=True),
    "Controller": Source(
        "apps/v1", "deployments", is_everywhere=True, query="fieldSelector=metadata.name%3Dkserve-controller-manager"
    ),
    "ConfigMap": Source(
        "v1", "configmaps", is_everywhere=True, query=f"labelSelector={MODELS_PART.replace('=', '%3D')}"
    ),
    "PodMonitor": Source(_OPERATOR, "podmonitors", is_everywhere=True),
    "ServiceMonitor": Source(_OPERATOR, "servicemonitors", is_everywhere=True),
    "PrometheusRule": Source(_OPERATOR, "prometheusrules", is_everywhere=True),
}
# APIs whose kinds are only asked for by name; everyone who may log in may read these paths.
METRICS_API = "/apis/metrics.k8s.io/v1beta1"
CUSTOM_METRICS_API = "/apis/custom.metrics.k8s.io/v1beta1"
# What the pods themselves are asked, through the API server's proxy.
PODS = "pods/proxy"
