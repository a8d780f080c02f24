"""KServe, its controller, the Gateway API, and the namespace."""

import re
from collections.abc import Iterable, Iterator, Sequence

from predictors.doctor.fields import Object, condition, integer, mapping, name, objects, text
from predictors.doctor.finding import Fix, Issue
from predictors.doctor.model import Model
from predictors.doctor.snapshot import Snapshot

_MANAGER = "kserve-controller-manager"
# The first version that gives a canary its share, and waits for it to be ready.
_SPLITS = (0, 21)
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.\d+)?(?:[-+][\w.-]+)?")
_RELEASE = "v0.21.0"
_CRDS, _RESOURCES = (
    f"oci://ghcr.io/kserve/charts/{each} --version {_RELEASE}" for each in ("kserve-crd", "kserve-resources")
)
# In Standard mode and with the Gateway API, as in docs/kubernetes.md.
_STANDARD = (
    "--set kserve.controller.deploymentMode=Standard --set kserve.controller.gateway.disableIstioVirtualHost=true "
    "--set kserve.controller.gateway.ingressGateway.enableGatewayApi=true "
    "--set kserve.controller.gateway.ingressGateway.createGateway=true"
)
_CLUSTER_LOCAL = "networking.kserve.io/visibility"
_LEVEL = "pod-security.kubernetes.io/enforce"


def kserve(cluster: Snapshot) -> Iterator[Issue]:
    """KServe's kinds."""
    missing = [each for each in ("InferenceService", "ServingRuntime") if not cluster.has(each)]
    if missing:
        crds = f"helm install kserve-crd {_CRDS} -n kserve --create-namespace"
        fix = Fix(f"{crds} && helm install kserve {_RESOURCES} -n kserve {_STANDARD}")
        yield Issue("cluster", f"the cluster has no kind {' and no kind '.join(missing)}: KServe is not installed", fix)


def controller(cluster: Snapshot) -> Iterator[Issue]:
    """KServe's controller."""
    for each in cluster.of("Controller"):
        if not integer(each, "status", "availableReplicas"):
            where = text(each, "metadata", "namespace")
            fix = Fix(f"kubectl describe deployment {_MANAGER} -n {where}")
            yield Issue(f"deployment/{_MANAGER}", "no pod of KServe's controller is available", fix)


def controller_unseen(cluster: Snapshot) -> Iterator[Issue]:
    """A controller under another name, or outside the cluster."""
    if cluster.has("InferenceService") and not cluster.of("Controller"):
        fix = Fix(f"kubectl get deployment -A --field-selector metadata.name={_MANAGER}")
        yield Issue("cluster", f"could not see KServe's controller: there is no Deployment {_MANAGER}", fix)


def version(cluster: Snapshot) -> Iterator[Issue]:
    """KServe's version."""
    for manager in cluster.of("Controller"):
        installed = _version(manager)
        if installed and installed < _SPLITS:
            number = ".".join(map(str, installed))
            where = text(manager, "metadata", "namespace")
            crds = f"helm upgrade kserve-crd {_CRDS} -n {where}"
            fix = Fix(f"{crds} && helm upgrade kserve {_RESOURCES} -n {where} --reuse-values")
            message = f"KServe {number} takes canaries and sends them no traffic; rollouts work, by `routing: pair`"
            yield Issue(f"deployment/{_MANAGER}", message, fix)


def version_unknown(cluster: Snapshot) -> Iterator[Issue]:
    """A version that the image does not tell."""
    for manager in cluster.of("Controller"):
        if not _version(manager):
            where = text(manager, "metadata", "namespace")
            fix = Fix(f"kubectl get deployment {_MANAGER} -n {where} -o wide")
            yield Issue(f"deployment/{_MANAGER}", f"could not see KServe's version in the image {_image(manager)}", fix)


def _version(manager: Object) -> tuple[int, int] | None:
    match = _VERSION.fullmatch(_image(manager).partition("@")[0].rpartition(":")[2])
    return (int(match[1]), int(match[2])) if match else None


def _image(manager: Object) -> str:
    containers = objects(manager, "spec", "template", "spec", "containers")
    named = [each for each in containers if text(each, "name") == "manager"]
    return text((named or containers or [{}])[0], "image")


def canary_without_traffic(model: Model) -> Iterator[Issue]:
    """A canary of KServe's own where KServe does not split."""
    if not objects(model.service, "spec", "canary"):
        return
    old = [each for each in map(_version, model.cluster.of("Controller")) if each and each < _SPLITS]
    if old:
        fix = Fix(
            f"kubectl patch inferenceservice {model.name} -n {model.cluster.namespace} --type json "
            """-p '[{"op": "remove", "path": "/spec/canary"}]'"""
        )
        number = ".".join(map(str, old[0]))
        yield model.issue(f"its canary gets no requests from KServe {number}, and takes pods away", fix)


def gateway_api(cluster: Snapshot, models: Sequence[Model]) -> Iterator[Issue]:
    """The Gateway API, through which Standard mode is reached."""
    if not cluster.has("Gateway") and any(map(_is_routed, models)):
        base = "https://github.com/kubernetes-sigs/gateway-api/releases/download"
        fix = Fix(f"kubectl apply --server-side -f {base}/v1.5.1/standard-install.yaml")
        yield Issue("cluster", "the cluster has no Gateway API, so nothing outside it reaches the models", fix)


def gateways(cluster: Snapshot) -> Iterator[Issue]:
    """The Gateways that the models' routes name."""
    known = {(text(each, "metadata", "namespace"), name(each)): each for each in cluster.of("Gateway")}
    for where, named in sorted(named_gateways(cluster)):
        gateway = known.get((where, named))
        if gateway is None:
            fix = Fix(f"kubectl get gateway -n {where}")
            yield Issue(f"gateway/{named}", f"routes lead to a Gateway that namespace {where} does not have", fix)
        elif condition(gateway, "Programmed").get("status") != "True":
            said = text(condition(gateway, "Programmed"), "message") or "no controller has taken it"
            fix = Fix(f"kubectl describe gateway {named} -n {where}")
            yield Issue(f"gateway/{named}", f"it is not programmed: {said}", fix)


def named_gateways(cluster: Snapshot) -> set[tuple[str, str]]:
    """Namespaces and names of the Gateways that routes of the models lead to."""
    found = set()
    for route in cluster.of("HTTPRoute"):
        for parent in objects(route, "spec", "parentRefs"):
            if text(parent, "kind") in ("", "Gateway"):
                found.add((text(parent, "namespace") or cluster.namespace, text(parent, "name")))
    return found


def _is_routed(model: Model) -> bool:
    labels = mapping(model.service, "metadata", "labels")
    return not model.is_knative and labels.get(_CLUSTER_LOCAL) != "cluster-local"


def nothing_served(cluster: Snapshot) -> Iterator[Issue]:
    """A namespace without models."""
    if cluster.has("InferenceService") and not cluster.of("InferenceService"):
        where = cluster.namespace
        fix = Fix(f"helm install predictors charts/predictors -n {where} --create-namespace -f VALUES.yaml")
        yield Issue(f"namespace/{where}", "it has no InferenceService", fix)


def namespace_level(cluster: Snapshot) -> Iterable[Issue]:
    """The namespace's pod security level."""
    for each in cluster.of("Namespace"):
        if name(each) == cluster.namespace and text(each, "metadata", "labels", _LEVEL) != "restricted":
            fix = Fix(f"kubectl label namespace {cluster.namespace} {_LEVEL}=restricted --overwrite")
            yield Issue(f"namespace/{cluster.namespace}", "it does not enforce the pod security `restricted`", fix)
