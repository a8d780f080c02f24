"""Who may call, and what is encrypted."""

import re
import shlex
from collections.abc import Iterator

from predictors.doctor.checks.platform import named_gateways
from predictors.doctor.fields import mapping, name, objects, selects, text, texts
from predictors.doctor.finding import Fix, Issue
from predictors.doctor.model import SERVICE_LABEL, Model
from predictors.doctor.snapshot import Snapshot

_CREDENTIALS = ("token_digests_file", "jwt_issuer", "ssl_ca_certfile")
_PASSWORD = re.compile(r"\w+://[^/@\s]*:[^/@\s]+@")
_LISTENER = (
    '[{"op": "add", "path": "/spec/listeners/-", "value": {"name": "https", "protocol": "HTTPS", "port": 443, '
    '"tls": {"certificateRefs": [{"name": "SECRET"}]}, "allowedRoutes": {"namespaces": {"from": "All"}}}}]'
)


def _asks(model: Model) -> bool:
    """Whether the server itself asks who calls."""
    return any(model.settings.get(each) for each in _CREDENTIALS)


def open_port(model: Model) -> Iterator[Issue]:
    """Pods that everyone in the cluster may call."""
    policies = [
        each
        for each in model.cluster.of("NetworkPolicy")
        if "Ingress" in (texts(each, "spec", "policyTypes") or ["Ingress"])
        and selects(mapping(each, "spec", "podSelector"), model.labels)
    ]
    if not policies and not _asks(model):
        yield model.issue(
            "every pod of the cluster may call it: it asks for no token, and no NetworkPolicy selects its pods",
            model.fix_release("networkPolicy.enabled=true", _policy(model)),
        )


def _policy(model: Model) -> str:
    spec = (
        f'{{"podSelector": {{"matchLabels": {{"{SERVICE_LABEL}": "{model.name}"}}}}, "policyTypes": ["Ingress"], '
        '"ingress": [{"from": [{"podSelector": {}}, {"namespaceSelector": {"matchLabels": '
        '{"kubernetes.io/metadata.name": "GATEWAY-NAMESPACE"}}}]}]}'
    )
    head = f'"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {{"name": "{model.name}"}}'
    document = shlex.quote(f'{{{head}, "spec": {spec}}}')
    return f"echo {document} | kubectl apply -n {model.cluster.namespace} -f -"


def asks_nobody(model: Model) -> Iterator[Issue]:
    """Servers that do not ask who calls."""
    if not _asks(model):
        yield model.issue(
            "it asks nobody who they are: whoever the network lets in may call, unless the gateway asks",
            model.fix("access.tokenDigestsSecret.name=SECRET", {}) if model.frame else _own_tokens(model),
        )


def _own_tokens(model: Model) -> Fix:
    arguments = [*model.arguments, "--token_digests_file=/PATH/digests"]
    return model.fix_container("", {"args": arguments})


def repository(model: Model) -> Iterator[Issue]:
    """Endpoints that unload models, for everyone."""
    if model.settings.get("enable_repository", "false").lower() in ("", "true", "1") and not _asks(model):
        arguments = [each for each in model.arguments if "enable_repository" not in each]
        yield model.issue(
            "whoever reaches it may unload its models: --enable_repository without tokens",
            model.fix_container("settings.enableRepository=false", {"args": arguments}),
        )


def plain_gateway(cluster: Snapshot) -> Iterator[Issue]:
    """Gateways without TLS."""
    wanted = named_gateways(cluster)
    for each in cluster.of("Gateway"):
        where = text(each, "metadata", "namespace")
        secure = [one for one in objects(each, "spec", "listeners") if text(one, "protocol") in ("HTTPS", "TLS")]
        if (where, name(each)) in wanted and not secure:
            fix = Fix(f"kubectl patch gateway {name(each)} -n {where} --type json -p {shlex.quote(_LISTENER)}")
            yield Issue(f"gateway/{name(each)}", "it has no listener with TLS: requests reach it in the clear", fix)


def plain_pods(model: Model) -> Iterator[Issue]:
    """Pods without TLS. Knative's proxy has its own."""
    if not model.is_knative and not model.settings.get("ssl_certfile"):
        arguments = [*model.arguments, "--ssl_certfile=/PATH/tls.crt", "--ssl_keyfile=/PATH/tls.key"]
        yield model.issue(
            "from the gateway to its pods, requests are in the clear, unless the network encrypts them",
            model.fix_container("tls.secretName=SECRET", {"args": arguments}),
        )


def password_in_the_open(model: Model) -> Iterator[Issue]:
    """URLs with passwords that everyone reads who may read the InferenceService."""
    shown = [*texts(model.container, "args"), *(text(each, "value") for each in objects(model.container, "env"))]
    if any(map(_PASSWORD.search, shown)):
        arguments = [each for each in model.arguments if not _PASSWORD.search(each)]
        yield model.issue(
            "a URL with a password stands in its arguments or variables, for all who may read the InferenceService",
            model.fix_container("cacheUrlSecret.name=SECRET", {"args": arguments}),
        )
