"""What there is in a namespace, and what a release has made outside of it."""

from tests.cluster.programs import kubectl

# What Kubernetes itself writes, with names that are new each time.
_PASSING = {
    "endpoints",
    "endpointslices.discovery.k8s.io",
    "events",
    "events.events.k8s.io",
    "pods",
    "replicasets.apps",
}
_METRICS = ".metrics.k8s.io"
_RELEASE_NAMESPACE = "{.metadata.annotations.meta\\.helm\\.sh/release-namespace}"


def in_namespace(namespace: str) -> set[str]:
    """Objects of every kind, as kind/name; without pods and what is written about them."""
    kinds = _kinds(namespaced=True)
    return set(kubectl("get", ",".join(kinds), "-n", namespace, "-o", "name", "--ignore-not-found").split())


def outside(namespace: str) -> set[str]:
    """Objects of the whole cluster that releases in a namespace have made, as helm's annotation says."""
    template = "{range .items[*]}" + _RELEASE_NAMESPACE + " {.kind}/{.metadata.name}{'\\n'}{end}"
    listed = kubectl("get", ",".join(_kinds(namespaced=False)), "-o", f"jsonpath={template}")
    return {line.split()[1] for line in listed.splitlines() if line.split()[0] == namespace}


def _kinds(*, namespaced: bool) -> list[str]:
    listed = kubectl("api-resources", f"--namespaced={str(namespaced).lower()}", "--verbs=list", "-o", "name")
    return [kind for kind in listed.split() if kind not in _PASSING and not kind.endswith(_METRICS)]
