"""Who may call, and what is encrypted."""

import re
import shlex
from collections.abc import Iterator

from predictors.doctor import remedy
from predictors.doctor.checks.platform import named_gateways
from predictors.doctor.fields import is_on, mapping, name, objects, selects, text, texts
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
            "every pod of the cluster may call it, unless a mesh forbids it: "
            "it asks for no token, and no NetworkPolicy selects its pods",
            remedy.release(model, "networkPolicy.enabled=true", _policy(model)),
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
        # The second is a token for the release's own requests, without which the chart refuses the first.
        own = f"models.{model.name}.access.callerTokenSecret.name=SECRET"
        yield model.issue(
            "it asks nobody who they are: whoever the network lets in may call, unless the gateway asks",
            remedy.argument(
                model, f"access.tokenDigestsSecret.name=SECRET,{own}", "--token_digests_file=/PATH/digests"
            ),
        )


def repository(model: Model) -> Iterator[Issue]:
    """Endpoints that unload models, for everyone."""
    if is_on(model.settings.get("enable_repository", "false")) and not _asks(model):
        yield model.issue(
            "whoever reaches it may unload its models: --enable_repository without tokens",
            remedy.no_argument(model, "settings.enableRepository=false", "--enable_repository"),
        )


def plain_gateway(cluster: Snapshot) -> Iterator[Issue]:
    """Gateways without TLS."""
    wanted = named_gateways(cluster)
    for each in cluster.of("Gateway"):
        where = text(each, "metadata", "namespace")
        secure = [one for one in objects(each, "spec", "listeners") if text(one, "protocol") in ("HTTPS", "TLS")]
        if (where, name(each)) in wanted and not secure:
            fix = Fix(f"kubectl patch gateway {name(each)} -n {where} --type json -p {shlex.quote(_LISTENER)}")
            yield Issue(
                f"gateway/{name(each)}",
                "no listener has TLS: requests reach it in the clear, unless something before it decrypts them",
                fix,
            )


def plain_pods(model: Model) -> Iterator[Issue]:
    """Pods without TLS. In Knative's pods, its own proxy comes first."""
    if not model.is_knative and not model.settings.get("ssl_certfile"):
        yield model.issue(
            "from the gateway to its pods, requests are in the clear, unless the network encrypts them",
            remedy.argument(
                model, "tls.secretName=SECRET", "--ssl_certfile=/PATH/tls.crt", "--ssl_keyfile=/PATH/tls.key"
            ),
        )


def password_in_the_open(model: Model) -> Iterator[Issue]:
    """URLs with passwords that everyone reads who may read the InferenceService."""
    words = texts(model.container, "command") + texts(model.container, "args")
    shown = [*words, *(text(each, "value") for each in objects(model.container, "env"))]
    if any(map(_PASSWORD.search, shown)):
        yield model.issue(
            "a URL with a password stands in its arguments or variables, for all who may read the InferenceService",
            _hidden(model),
        )


def _hidden(model: Model) -> Fix:
    """A Secret for the cache's URL; for any other, its author knows where it can be."""
    by_hand = f"kubectl edit inferenceservice {model.name} -n {model.cluster.namespace}"
    if not _PASSWORD.search(model.settings.get("cache_url", "")):
        return Fix(by_hand)
    return remedy.release(model, f"models.{model.name}.cacheUrlSecret.name=SECRET", by_hand)
