"""A volume with a model that is too large for a ConfigMap, and what its container's memory is used for."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.cluster.cluster import Cluster, condition
from tests.cluster.programs import kubectl
from tests.cluster.settings import Settings
from tests.waiting import until

CLAIM = "weights"
_SIZE = "2Gi"
_MIB = 2**20
_SEND_SECONDS = 1200
# Where cgroups are in a container, v2 and v1, and what the same things are called there.
_STAT = "cat /sys/fs/cgroup/memory.stat 2>/dev/null || cat /sys/fs/cgroup/memory/memory.stat"
_PEAK = "cat /sys/fs/cgroup/memory.peak 2>/dev/null || cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes"
_NAMES = {
    "own": ("anon", "total_rss"),
    "mapped": ("file_mapped", "total_mapped_file"),
    "cached": ("file", "total_cache"),
}


class Memory(NamedTuple):
    """A container's memory, bytes.

    Args:
        own: of the process; it cannot be taken back.
        mapped: pages of files that the process has in its address space, such as weights, those included that it has
            copied and reads no more.
        cached: pages of files, mapped or not; the kernel takes them back when others need memory.
        peak: the most at any time, `cached` included.
    """

    own: int
    mapped: int
    cached: int
    peak: int

    def __str__(self) -> str:
        own, mapped, cached, peak = (each // _MIB for each in self)
        return f"own {own} MiB, mapped {mapped} MiB; with all cached pages {own + cached} MiB, at most {peak} MiB"


def memory(namespace: str, pod: str) -> Memory:
    """Read a pod's cgroup, from its server's container."""

    def read(script: str) -> str:
        return kubectl("exec", "-n", namespace, pod, "-c", "kserve-container", "--", "sh", "-c", script)

    stat = dict(line.split() for line in read(_STAT).splitlines())
    found = {name: int(next(stat[key] for key in reversed(keys) if key in stat)) for name, keys in _NAMES.items()}
    return Memory(**found, peak=int(read(_PEAK)))


@contextmanager
def volume(cluster: Cluster, namespace: str, settings: Settings, directory: Path) -> Iterator[None]:
    """A claim named `CLAIM` with an artifact in its folder ``model``. At the end the files are deleted: a volume may be kept."""
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": _SIZE}}}
    cluster.create(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM}, "spec": claim}, namespace
    )
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": CLAIM}, "spec": _pod(settings)}
    cluster.create(pod, namespace)
    until(lambda: condition(cluster.get("Pod", CLAIM, namespace), "Ready").get("status") == "True", "the volume's pod")
    try:
        _in_pod(namespace, "mkdir -p /volume/model")
        # The manifest comes last: until it is there, servers wait for the artifact.
        for file in sorted(directory.iterdir(), key=lambda each: each.name == "manifest.json"):
            _send(namespace, file)
        yield
    finally:
        _in_pod(namespace, "rm -rf /volume/model")


def _in_pod(namespace: str, script: str) -> None:
    kubectl("exec", "-n", namespace, CLAIM, "--", "sh", "-c", script)


def _send(namespace: str, file: Path) -> None:
    command = ["kubectl", "exec", "-i", "-n", namespace, CLAIM, "--", "sh", "-c", f"cat > /volume/model/{file.name}"]
    with file.open("rb") as content:
        subprocess.run(command, stdin=content, check=True, timeout=_SEND_SECONDS)


def _pod(settings: Settings) -> dict[str, object]:
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": CLAIM, "persistentVolumeClaim": {"claimName": CLAIM}}],
        "containers": [
            {
                "name": CLAIM,
                "image": f"{settings.registry}/iris:{settings.tag}",
                "imagePullPolicy": "IfNotPresent",
                "command": ["sleep", "infinity"],
                "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}},
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                "volumeMounts": [{"name": CLAIM, "mountPath": "/volume"}],
            }
        ],
    }
