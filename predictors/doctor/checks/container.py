"""What the container may take, how it is probed, and what it may do."""

from collections.abc import Iterator

from predictors.doctor import remedy
from predictors.doctor.fields import Object, at, integer, mapping, objects, quantity, text, texts
from predictors.doctor.finding import Fix, Issue
from predictors.doctor.model import Model

_REQUESTS = {"cpu": "100m", "memory": "256Mi"}
_SMALL, _SMALL_LIMIT = ("iris", "intent", "sklearn"), "512Mi"
_PATHS = {"readinessProbe": "/v2/health/ready", "livenessProbe": "/v2/health/live"}
# As the chart has it: a server that starts slowly is not killed for it.
_START = {"periodSeconds": 1, "failureThreshold": 120}
_HOSTS = ("hostNetwork", "hostPID", "hostIPC")
_PORT_OF_HOST = "a port of the host"
# That of our images.
_USER = 65532
_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def no_requests(model: Model) -> Iterator[Issue]:
    """Containers for which the scheduler reserves nothing. What has a limit alone requests as much."""
    given = {**mapping(model.container, "resources", "limits"), **mapping(model.container, "resources", "requests")}
    for resource, amount in _REQUESTS.items():
        if not quantity(given.get(resource)):
            yield model.issue(
                f"it requests no {resource}, so the scheduler reserves none",
                remedy.container(
                    model, f"resources.requests.{resource}={amount}", {"resources": {"requests": {resource: amount}}}
                ),
            )


def no_memory_limit(model: Model) -> Iterator[Issue]:
    """Containers that may take a node's memory."""
    if not quantity(mapping(model.container, "resources", "limits").get("memory")):
        yield model.issue(
            "it has no limit of memory, so it may take its neighbours' on the node",
            remedy.container(
                model, f"resources.limits.memory={_limit(model)}", {"resources": {"limits": {"memory": _limit(model)}}}
            ),
        )


def _limit(model: Model) -> str:
    """As much as is requested; else what is known to be enough."""
    requested = mapping(model.container, "resources", "requests").get("memory")
    return str(requested) if quantity(requested) else _SMALL_LIMIT if model.kind in _SMALL else "LIMIT"


def no_probes(model: Model) -> Iterator[Issue]:
    """Containers without a probe. Knative's proxy takes them over. Which question tells that another server is alive,
    we do not know, and a wrong one kills it.
    """
    wanted = [each for each in _PATHS if model.is_ours or each == "readinessProbe"]
    absent = [each for each in wanted if not mapping(model.container, each)]
    if absent and not model.is_knative:
        probes = {each: _probe(model, each) for each in absent}
        if "livenessProbe" in probes and not mapping(model.container, "startupProbe"):
            probes["startupProbe"] = {**_probe(model, "livenessProbe"), **_START}
        yield model.issue(f"it has no {' and no '.join(absent)}", remedy.container(model, "", probes))


def wrong_probes(model: Model) -> Iterator[Issue]:
    """Probes that do not ask what they are for."""
    ready, live = (text(model.container, each, "httpGet", "path") for each in _PATHS)
    if mapping(model.container, "readinessProbe") and not ready.endswith("/ready"):
        yield model.issue(
            f"its readiness probe asks {ready or 'for an open port'}, which answers before the model is loaded",
            remedy.container(model, "", {"readinessProbe": _probe(model, "readinessProbe")}),
        )
    if live.endswith("/ready"):
        yield model.issue(
            f"its liveness probe asks {live}, so a pod that loads or drains is killed",
            remedy.container(model, "", {"livenessProbe": _probe(model, "livenessProbe")}),
        )


def _probe(model: Model, kind: str) -> dict[str, object]:
    """A probe's question as `predictors serve` answers it, in place of any other; of another server, with a place for
    its path.
    """
    handler = {
        "path": _PATHS[kind] if model.is_ours else "/PATH",
        "port": _port(model),
        "scheme": "HTTPS" if model.is_ours and model.settings.get("ssl_certfile") else None,
    }
    return {"httpGet": handler, "exec": None, "grpc": None, "tcpSocket": None}


def _port(model: Model) -> int:
    """That of HTTP."""
    ports = objects(model.container, "ports")
    named = [each for each in ports if text(each, "name").startswith("http")]
    return next(filter(None, (integer(each, "containerPort") for each in named or ports)), 8080)


def unrestricted(model: Model) -> Iterator[Issue]:
    """Containers that may do more than the pod security level `restricted` allows:
    https://kubernetes.io/docs/concepts/security/pod-security-standards.
    """
    faults = [*_faults(model.container, mapping(model.spec, "securityContext"))]
    faults += [f"{field} is set" for field in _HOSTS if model.spec.get(field)]
    if faults:
        yield model.issue(
            f"it does more than the pod security level `restricted` allows: {', '.join(faults)}",
            _restriction(model, faults),
        )


def _restriction(model: Model, faults: list[str]) -> Fix:
    ports = objects(remedy.declared(model), "ports")
    given_back = [{field: port[field] for field in port if field not in ("hostPort", "hostIP")} for port in ports]
    if faults == [_PORT_OF_HOST] and given_back == ports:
        return remedy.runtime(model)
    return remedy.container(
        model,
        "",
        {"securityContext": _restricted(model), **({"ports": given_back} if given_back != ports else {})},
        {each: None for each in _HOSTS if model.predictor.get(each)},
    )


def _restricted(model: Model) -> dict[str, object]:
    """What is allowed, in place of what the container, its pod or its runtime has."""
    own = mapping(model.container, "securityContext")
    wanted: dict[str, object] = {**_SECURITY}
    if own.get("privileged"):
        wanted["privileged"] = False
    if 0 in (own.get("runAsUser"), mapping(model.spec, "securityContext").get("runAsUser")):
        wanted["runAsUser"] = _USER
    if texts(own, "capabilities", "add"):
        wanted["capabilities"] = {"drop": ["ALL"], "add": None}
    return wanted


def _faults(container: Object, of_pod: Object) -> Iterator[str]:
    own = mapping(container, "securityContext")
    both = {**of_pod, **own}
    if own.get("allowPrivilegeEscalation") is not False:
        yield "privilege escalation"
    if own.get("privileged"):
        yield "privileged"
    if "ALL" not in texts(own, "capabilities", "drop") or {*texts(own, "capabilities", "add")} - {"NET_BIND_SERVICE"}:
        yield "capabilities"
    if both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0:
        yield "may run as root"
    if text(both, "seccompProfile", "type") not in ("RuntimeDefault", "Localhost"):
        yield "no seccomp profile"
    if any("hostPort" in port for port in objects(container, "ports")):
        yield _PORT_OF_HOST


def service_links(model: Model) -> Iterator[Issue]:
    """Variables for every Service of the namespace: one called `predictors-http` would be taken for a setting."""
    if at(model.spec, "enableServiceLinks") is not False:
        yield model.issue(
            "every Service of its namespace becomes environment variables of its pods, which may look like settings",
            remedy.predictor(model, "", {"enableServiceLinks": False}),
        )
