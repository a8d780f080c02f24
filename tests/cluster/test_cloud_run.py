"""The image of iris as Cloud Run starts it, in a pod: the container of deploy/cloud-run/service.yaml as it is written."""

import re
import time
from typing import Any

import yaml

from tests.cluster.cluster import Cluster, is_ready
from tests.cluster.conftest import Note
from tests.cluster.namespaces import Namespaces
from tests.cluster.settings import Settings
from tests.live import ROOT
from tests.waiting import until

NAMES = {"PORT": "8080", "K_SERVICE": "iris", "K_REVISION": "iris-00001-abc", "K_CONFIGURATION": "iris"}
# What namespaces here demand.
CONFINED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def pod(image: str) -> dict[str, Any]:
    """The pod of one instance; SIGKILL follows 10 s after SIGTERM there."""
    template = yaml.safe_load((ROOT / "deploy/cloud-run/service.yaml").read_text())["spec"]["template"]
    [container] = template["spec"]["containers"]
    container |= {"name": "iris", "image": image, "imagePullPolicy": "IfNotPresent", "securityContext": CONFINED}
    container["env"] += [{"name": name, "value": value} for name, value in NAMES.items()]
    secured = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "securityContext": secured,
        "terminationGracePeriodSeconds": 10,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "instance"}, "spec": spec}


def test_an_instance_starts_answers_and_ends(
    cluster: Cluster, namespaces: Namespaces, settings: Settings, note: Note
) -> None:
    namespace = namespaces.create("cloud-run")
    begun = time.monotonic()
    cluster.create(pod(f"{settings.registry}/iris:{settings.tag}"), namespace)
    until(lambda: is_ready(cluster.get("Pod", "instance", namespace)), "the instance", pause=0.1)
    note(f"a pod of iris as on Cloud Run, created to Ready: {time.monotonic() - begun:.1f} s")
    assert cluster.ask_pod(namespace, "instance", "/models")[0] == 200
    status, metrics = cluster.ask_pod(namespace, "instance", "/metrics")
    assert status == 200
    [resident] = re.findall(r"^process_resident_memory_bytes (\S+)$", metrics, re.MULTILINE)
    note(f"memory of that pod, resident: {float(resident) / 1e6:.0f} MB")
    assert "gRPC off" in cluster.logs(namespace, "instance", "iris")
    begun = time.monotonic()
    cluster.delete("Pod", "instance", namespace)
    until(lambda: not cluster.get("Pod", "instance", namespace), "the end of the instance", pause=0.1)
    note(f"that pod, deleted to gone: {time.monotonic() - begun:.1f} s")
    namespaces.delete(namespace)
