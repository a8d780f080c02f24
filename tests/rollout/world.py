"""A cluster in virtual time: an API server, KServe, Deployments, pods, a gateway and its users. And all that can go wrong."""

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any, Literal, TypeAlias

from predictors.rollout.kube.api import Object, Unavailable
from tests.rollout.behavior import Behavior, Chance, Delays
from tests.rollout.clock import Clock
from tests.rollout.deployments import Autoscaler, Deployments
from tests.rollout.frail import FrailServer
from tests.rollout.gateway import Gateway
from tests.rollout.knative import Knative
from tests.rollout.kserve import KServe
from tests.rollout.kubelet import Kubelet, is_ready
from tests.rollout.server import Server
from tests.rollout.store import Store
from tests.rollout.traffic import Traffic

Flavor: TypeAlias = Literal["0.20", "0.21"]
NAMESPACE = "models"
# Seconds until the control plane knows that a node is gone, and until its pods are evicted.
_NODE_NOTICED, _NODE_EVICTED = 10.0, 40.0
_INGRESS = (
    '{"ingressDomain": "example.com", "enableGatewayApi": true, "kserveIngressGateway": "kserve/kserve-ingress-gateway",'
    ' "domainTemplate": "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}", "urlScheme": "http"}'
)


class World:
    """The cluster.

    Args:
        clock: virtual time.
        kserve: its version.
        behaviors: of model versions, by storage URI; others are sound.
        seed: of all chance in it.
        delays: of its parts.
    """

    def __init__(
        self,
        clock: Clock,
        kserve: Flavor = "0.21",
        behaviors: Mapping[str, Behavior] | None = None,
        seed: int = 0,
        delays: Delays | None = None,
    ) -> None:
        self.clock = clock
        self.random = Random(seed)
        self.loads: dict[str, int] = {}
        chance = Chance(self.random, delays or Delays())
        self.store = Store(clock)
        self.api = FrailServer(clock, Server(self.store))
        self.kubelet = Kubelet(self.store, clock, chance, behaviors or {})
        self.gateway = Gateway(self.store, clock, chance)
        self.kserve = KServe(self.store, clock, chance, splits=kserve == "0.21")
        Knative(self.store, clock, chance)
        Deployments(self.store, clock, chance)
        Autoscaler(self.store, clock, chance, lambda name: self.loads.get(name, 1))
        self._install(kserve)

    def _install(self, kserve: str) -> None:
        box = {"name": "manager", "image": f"kserve/kserve-controller:v{kserve}.0"}
        for kind, group, name, rest in (
            ("ConfigMap", "v1", "inferenceservice-config", {"data": {"ingress": _INGRESS}}),
            ("Gateway", "gateway.networking.k8s.io/v1", "kserve-ingress-gateway", {"spec": {}}),
        ):
            metadata = {"name": name, "namespace": "kserve"}
            self.store.create({"apiVersion": group, "kind": kind, "metadata": metadata, **rest})
        metadata = {"name": "kserve-controller-manager", "namespace": "kserve"}
        spec = {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "kserve"}},
            "template": {"metadata": {"labels": {"app": "kserve"}, "annotations": {}}, "spec": {"containers": [box]}},
        }
        self.store.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})

    def traffic(self, name: str) -> Traffic:
        """A stream of requests for an InferenceService's public host, which is not started yet."""
        return Traffic(self.clock, self.random, self.gateway, self.kubelet, f"{name}-{NAMESPACE}.example.com")

    # ---- Faults of the cluster

    def kill_pod(self, name: str) -> None:
        """A pod is gone without a drain."""
        self.kubelet.lose(NAMESPACE, name)

    def restart_pod(self, name: str) -> None:
        """A pod's container ends, and is started again."""
        self.kubelet.restart(NAMESPACE, name)

    def lose_node(self, pods: list[str]) -> None:
        """The node of some pods is gone: they answer no more; later they are known not to be ready, and then evicted."""
        for name in pods:
            self.kubelet.cut_off(NAMESPACE, name)
            self.clock.after(_NODE_NOTICED, partial(self.kubelet.give_up, NAMESPACE, name))
            self.clock.after(_NODE_EVICTED, partial(self.kubelet.lose, NAMESPACE, name))

    # ---- What is there

    def pods(self, labels: str = "") -> list[Object]:
        """Pods that are not being deleted."""
        found = self.store.list("Pod", NAMESPACE, labels)
        return [each for each in found if "deletionTimestamp" not in each["metadata"]]

    def ready(self, deployment: str) -> int:
        """Number of ready pods of a Deployment."""
        return sum(map(is_ready, self.pods(f"app=isvc.{deployment}")))


class WorldPods:
    """The way to the pods' HTTP port; see `kube.api.Pods`.

    Args:
        world: where they are.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, pod: Object, path: str) -> tuple[int, str]:
        """Ask a pod."""
        process = self._world.kubelet.processes.get((pod["metadata"]["namespace"], pod["metadata"]["name"]))
        if process is None:
            raise Unavailable(f"{pod['metadata']['name']} does not answer")
        return process.answer(path)


def inference_service(name: str, uri: str, **predictor: Any) -> Object:
    """An InferenceService of a model.

    Args:
        name: of it.
        uri: where the artifact is.
        predictor: other fields of its predictor.
    """
    model = {"modelFormat": {"name": "sklearn"}, "runtime": "iris-runtime", "storageUri": uri}
    annotations = {"serving.kserve.io/deploymentMode": "Standard", "serving.kserve.io/autoscalerClass": "hpa"}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": annotations},
        "spec": {"predictor": {"minReplicas": 2, "model": model, **predictor}},
    }
