"""The API server of a cluster, through the official client; and the ways to the pods' HTTP port."""

import json
import time
from typing import Any, TypeAlias

import httpx
import kubernetes
from urllib3.exceptions import HTTPError

from predictors.rollout.kube.api import API_VERSIONS, Conflict, Object, Refused, Unavailable

# Connecting and reading, seconds.
_TIMEOUT = (3.0, 15.0)
_Query: TypeAlias = list[tuple[str, str]]
# A pod's answer, as a whole.
_ANSWER_SECONDS, _ANSWER_BYTES = 10.0, 8 << 20
_MERGE_PATCH = "application/merge-patch+json"
_DEFAULT_PORT = 8080
_PORT_ANNOTATION = "predictors.dev/metrics-port"


class Client:
    """The API server.

    Args:
        client: of the official library, with its configuration.
    """

    def __init__(self, client: "kubernetes.client.ApiClient") -> None:
        self._client = client

    @property
    def configuration(self) -> Any:
        """Of the official library."""
        return self._client.configuration

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """One object, or None if there is none."""
        status, found = self._call("GET", _path(kind, namespace, name))
        return None if status == 404 else dict(found)

    def list(self, kind: str, namespace: str, labels: str = "") -> list[Object]:
        """Objects of a kind, by a label selector; of all namespaces if none is named."""
        query = [("labelSelector", labels)] if labels else []
        status, found = self._call("GET", _path(kind, namespace), query=query)
        if status == 404:
            raise Refused(f"the cluster has no kind {kind} of {API_VERSIONS[kind]}")
        # Items of a list come without their kind.
        typed = {"apiVersion": API_VERSIONS[kind], "kind": kind}
        return [typed | item for item in found["items"]]

    def create(self, thing: Object) -> Object:
        """Create an object; raises Conflict if there is one of that name."""
        metadata = thing["metadata"]
        status, made = self._call("POST", _path(thing["kind"], metadata["namespace"]), thing)
        if status == 404:
            raise Refused(f"the cluster has no namespace {metadata['namespace']}, or no kind {thing['kind']}")
        return dict(made)

    def replace(self, thing: Object) -> Object:
        """Write a whole object that was read before; raises Conflict if it was changed or deleted since."""
        metadata = thing["metadata"]
        return self._present("PUT", _path(thing["kind"], metadata["namespace"], metadata["name"]), thing)

    def patch(self, kind: str, namespace: str, name: str, change: Object, *, subresource: str = "") -> Object:
        """Change an object by a JSON merge patch, or its subresource `status`; raises Conflict if there is none."""
        path = _path(kind, namespace, name) + (f"/{subresource}" if subresource else "")
        return self._present("PATCH", path, change)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object; that there is none is fine."""
        self._call("DELETE", _path(kind, namespace, name), {"propagationPolicy": "Background"})

    def text(self, path: str) -> tuple[int, str]:
        """Status and body of a GET at any path.

        Raises:
            Unavailable: there is no answer.
        """
        return self._send("GET", path, None, [])

    def _present(self, method: str, path: str, body: Object) -> Object:
        status, found = self._call(method, path, body)
        if status == 404:
            raise Conflict(f"{path.rpartition('/')[2]} was deleted meanwhile")
        return dict(found)

    def _call(
        self, method: str, path: str, body: Object | None = None, *, query: _Query | None = None
    ) -> tuple[int, Any]:
        """Status, 2xx or 404, and the object."""
        status, text = self._send(method, path, body, query or [])
        if status == 404:
            return status, None
        if 200 <= status < 300:
            return status, json.loads(text)
        message = _message(status, text)
        if status == 409:
            raise Conflict(message)
        if status == 429 or status >= 500:
            raise Unavailable(message)
        raise Refused(message)

    def _send(self, method: str, path: str, body: Object | None, query: _Query) -> tuple[int, str]:
        headers = {"Accept": "application/json, */*"}
        if body is not None:
            headers["Content-Type"] = _MERGE_PATCH if method == "PATCH" else "application/json"
        configuration = self._client.configuration
        self._client.update_params_for_auth(headers, query, ["BearerToken"], path, method, body)
        try:
            answer = self._client.rest_client.pool_manager.request(
                method,
                configuration.host + path,
                fields=query or None,
                body=None if body is None else _encoded(body),
                headers=headers,
                timeout=kubernetes.client.rest.urllib3.Timeout(*_TIMEOUT),
                retries=False,
            )
        except HTTPError as error:
            raise Unavailable(f"the API server does not answer: {error}") from None
        return int(answer.status), answer.data.decode("utf-8", "replace")


def _encoded(body: Object) -> bytes:
    """JSON as the API server writes it: keys in order, no spaces, what HTML could mistake escaped.

    It compares the immutable data of a ControllerRevision byte by byte; written otherwise, any later patch is refused,
    and deleting its owner with `--cascade=orphan` never ends.
    """
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for each in "<>&\u2028\u2029":
        text = text.replace(each, f"\\u{ord(each):04x}")
    return text.encode()


class ProxiedPods:
    """The pods through the API server's proxy, with the user's own rights (`pods/proxy`).

    Args:
        client: the API server.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def get(self, pod: Object, path: str) -> tuple[int, str]:
        """Status and body of a GET at a pod's HTTP port; raises Unavailable if there is no answer in time."""
        metadata = pod["metadata"]
        where = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}:{http_port(pod)}/proxy"
        return self._client.text(where + path)


class DirectPods:
    """The pods at their own addresses, from within the cluster.

    Args:
        token: for the pods' door, where it needs one.
    """

    def __init__(self, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(headers=headers, timeout=httpx.Timeout(5.0, connect=2.0), trust_env=False)

    def get(self, pod: Object, path: str) -> tuple[int, str]:
        """Status and body of a GET at a pod's HTTP port; raises Unavailable if there is no answer in time."""
        address = pod.get("status", {}).get("podIP")
        if not address:
            raise Unavailable("the pod has no address yet")
        host = f"[{address}]" if ":" in address else address
        try:
            return self._read(f"http://{host}:{http_port(pod)}{path}")
        except httpx.HTTPError as error:
            raise Unavailable(f"pod {pod['metadata']['name']} does not answer: {error}") from None

    def _read(self, url: str) -> tuple[int, str]:
        """A pod runs what a user wrote: neither a slow nor an endless answer may hold up other rollouts."""
        body, deadline = bytearray(), time.monotonic() + _ANSWER_SECONDS
        with self._http.stream("GET", url) as answer:
            for part in answer.iter_bytes():
                body += part
                if len(body) > _ANSWER_BYTES:
                    raise httpx.ReadError(f"its answer is longer than {_ANSWER_BYTES >> 20} MiB")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"its answer takes longer than {_ANSWER_SECONDS:g} s")
        return answer.status_code, body.decode("utf-8", "replace")


def http_port(pod: Object) -> int:
    """Port of a pod's metrics: what the chart's annotation says, else REST's, which is named http…, or the first."""
    annotated = str((pod["metadata"].get("annotations") or {}).get(_PORT_ANNOTATION, ""))
    if annotated.isascii() and annotated.isdigit():
        return int(annotated)
    containers = pod["spec"]["containers"]
    container = next((each for each in containers if each["name"] == "kserve-container"), containers[0])
    ports: list[Object] = container.get("ports", [])
    named = [port for port in ports if port.get("name", "").startswith("http")]
    return int((named or ports or [{"containerPort": _DEFAULT_PORT}])[0]["containerPort"])


def connect(kubeconfig: str = "", context: str = "") -> Client:
    """A client for the cluster of a kubeconfig file, or, within a pod, of its service account.

    Args:
        kubeconfig: the file; empty: where kubectl looks.
        context: in the file; empty: its current one.

    Raises:
        Refused: there is no configuration.
    """
    configuration = kubernetes.client.Configuration()
    configuration.retries = False
    try:
        try:
            kubernetes.config.load_kube_config(kubeconfig or None, context or None, configuration)
        except kubernetes.config.ConfigException:
            if kubeconfig or context:
                raise
            kubernetes.config.load_incluster_config(configuration)
    except kubernetes.config.ConfigException as error:
        raise Refused(f"no cluster: {error}") from None
    return Client(kubernetes.client.ApiClient(configuration))


def default_namespace(kubeconfig: str = "", context: str = "") -> str:
    """The namespace of a kubeconfig file's context."""
    try:
        contexts, current = kubernetes.config.list_kube_config_contexts(kubeconfig or None)
    except kubernetes.config.ConfigException:
        return "default"
    chosen = next((each for each in contexts if each["name"] == context), current)
    return str(chosen["context"].get("namespace") or "default")


def _path(kind: str, namespace: str, name: str = "") -> str:
    version = API_VERSIONS[kind]
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    plural = f"{kind.lower()}s"
    where = f"{base}/namespaces/{namespace}/{plural}" if namespace else f"{base}/{plural}"
    return f"{where}/{name}" if name else where


def _message(status: int, text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return f"the API server answered {status}"
