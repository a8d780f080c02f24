"""The pod security level `restricted`, as https://kubernetes.io/docs/concepts/security/pod-security-standards defines it."""

from collections.abc import Iterator
from typing import Any

from tests.chart.chart import Pod

_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
_SECCOMP = {"RuntimeDefault", "Localhost"}


def violations(pod: Pod) -> Iterator[str]:
    """What the API server would refuse a pod for."""
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(field):
            yield f"{field} is set"
    for volume in pod.spec.get("volumes", []):
        if kinds := volume.keys() - {"name"} - _VOLUMES:
            yield f"volume {volume['name']} is of the kind {kinds}"
    for container in pod.containers:
        yield from _of_container(container, pod.spec.get("securityContext", {}))


def _of_container(container: dict[str, Any], of_pod: dict[str, Any]) -> Iterator[str]:
    own = container.get("securityContext", {})
    both = {**of_pod, **own}
    if own.get("allowPrivilegeEscalation") is not False:
        yield "privilege escalation is allowed"
    if own.get("privileged"):
        yield "it is privileged"
    if own.get("capabilities", {}).get("drop") != ["ALL"] or own["capabilities"].get("add"):
        yield "it keeps capabilities"
    if both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0:
        yield "it may run as root"
    if both.get("seccompProfile", {}).get("type") not in _SECCOMP:
        yield "it has no seccomp profile"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "it has a port of the host"
