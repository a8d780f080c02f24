"""Clients that reach the cluster through its gateway, by the host names that KServe gives its routes."""

import ssl
from typing import Any

import httpx
from openai import OpenAI

from tests.cluster.settings import Address, Settings
from tests.waiting import until

# Generous, since machines may be busy; a request that takes longer counts as lost.
TIMEOUT_SECONDS = 120.0


class Gateway:
    """The gateway as clients see it: real names, at the addresses that the settings give.

    Args:
        settings: the addresses, the certificate and the domain.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def host(self, model: str, namespace: str) -> str:
        """The host name of an InferenceService."""
        return f"{model}-{namespace}.{self._settings.domain}"

    def rest(self, model: str, namespace: str, scheme: str = "http") -> httpx.Client:
        """A client for REST, over http or https."""
        host = self.host(model, namespace)
        return httpx.Client(base_url=f"{scheme}://{host}", transport=_Transport(self), timeout=TIMEOUT_SECONDS)

    def wait_routed(self, model: str, namespace: str) -> None:
        """Wait until the proxy leads to a model. It may get there seconds after the InferenceService is Ready, and answers
        404 or 503 until then.
        """
        for scheme in ("http", "https"):
            with self.rest(model, namespace, scheme) as client:
                until(lambda: client.get("/v2/health/live").is_success, f"{scheme} to lead to {model}")  # at once

    def rest_async(self, model: str, namespace: str, connections: int) -> httpx.AsyncClient:
        """The same for asyncio over http, on so many connections, which are kept open."""
        host = self.host(model, namespace)
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=None)
        transport = _AsyncTransport(self, limits)
        # Waiting for one of the client's own connections is no fault of the server, so it has no limit.
        timeout = httpx.Timeout(TIMEOUT_SECONDS, pool=None)
        return httpx.AsyncClient(base_url=f"http://{host}", transport=transport, timeout=timeout)

    def openai(self, model: str, namespace: str, scheme: str = "http") -> OpenAI:
        """OpenAI's own client, which does not repeat what failed."""
        client = self.rest(model, namespace, scheme)
        return OpenAI(base_url=client.base_url.join("/openai/v1"), api_key="none", http_client=client, max_retries=0)

    def address(self, scheme: str) -> Address:
        """Where a scheme's port is."""
        return self._settings.gateway_tls if scheme == "https" else self._settings.gateway

    @property
    def certificate(self) -> str:
        """The certificate to trust, PEM."""
        return self._settings.gateway_ca

    def tls(self) -> ssl.SSLContext:
        """A context that trusts that certificate alone, be it a CA's or the gateway's own."""
        context = ssl.create_default_context(cadata=self.certificate)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    def send_to(self, request: httpx.Request) -> None:
        """Point a request at the gateway; its Host header and the name that TLS checks stay the model's."""
        request.extensions["sni_hostname"] = request.url.host
        address = self.address(request.url.scheme)
        request.url = request.url.copy_with(host=address.host, port=address.port)


class _Transport(httpx.HTTPTransport):
    def __init__(self, gateway: Gateway) -> None:
        super().__init__(verify=gateway.tls())
        self._gateway = gateway

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._gateway.send_to(request)
        return super().handle_request(request)


class _AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, gateway: Gateway, limits: httpx.Limits) -> None:
        super().__init__(verify=gateway.tls(), limits=limits)
        self._gateway = gateway

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._gateway.send_to(request)
        return await super().handle_async_request(request)


# One row of each kind, in V1, and what is answered.
IRIS_ROW = [5.1, 3.5, 1.4, 0.2]
V1_BODIES: dict[str, dict[str, Any]] = {
    "iris": {"instances": [IRIS_ROW]},
    "intent": {"instances": ["where is my parcel?"]},
    "summarizer": {"instances": ["You agree to pay 9 euros a month. You can cancel with 30 days of notice."]},
}
V2_BODIES: dict[str, dict[str, Any]] = {
    "iris": {"inputs": [{"name": "features", "datatype": "FP64", "shape": [1, 4], "data": IRIS_ROW}]},
    **{
        kind: {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": V1_BODIES[kind]["instances"]}]}
        for kind in ("intent", "summarizer")
    },
}
