"""Names in the cluster that lead to ports of this machine."""

import socket

from tests.cluster.cluster import Cluster
from tests.cluster.settings import Settings


def lead_here(cluster: Cluster, namespace: str, name: str, ports: dict[int, int], settings: Settings) -> str:
    """Make a Service that leads to servers on this machine.

    Args:
        cluster, namespace: where.
        name: of the Service.
        ports: of the Service, each with the port of this machine that it leads to.
        settings: may say what this machine's address is.

    Returns:
        Its host name.
    """
    metadata = {"name": name, "labels": {"kubernetes.io/service-name": name}}
    listed = [{"name": f"p{port}", "port": port} for port in ports]
    cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": listed}}, namespace)
    cluster.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": metadata,
            "addressType": "IPv4",
            "ports": [{"name": f"p{port}", "port": target} for port, target in ports.items()],
            "endpoints": [{"addresses": [settings.here or _address_towards(_node(cluster))]}],
        },
        namespace,
    )
    return f"{name}.{namespace}.svc.cluster.local"


def _node(cluster: Cluster) -> str:
    addresses = cluster.find("Node")[0]["status"]["addresses"]
    return next(str(each["address"]) for each in addresses if each["type"] == "InternalIP")


def _address_towards(peer: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((peer, 9))  # sends nothing
        return str(probe.getsockname()[0])
