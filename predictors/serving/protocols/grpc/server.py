"""The gRPC server: its port, TLS, the standard health service, reflection, and shutdown."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from predictors.serving.dispatch.registry import Registry
from predictors.serving.protocols.grpc import service
from predictors.serving.protocols.grpc.service import InferenceService
from predictors.serving.settings import ServerSettings

# A message up to this multiple of the limit is read, so that its refusal is logged and counted like any other; gRPC
# itself refuses larger ones.
_READ_FACTOR = 2
# Clients may ping this often, with or without calls, while they wait for an answer: Go's allow 10 s, others less.
# gRPC's own 5 minutes would end their connections with "Too many pings".
_SHORTEST_PING_MS = 1_000
# Time for the last response to be sent, seconds.
_FLUSH_SECONDS = 0.1


class GrpcServer:
    """The gRPC side of a server.

    Args:
        inference: the service.
        registry: whose readiness the health service reports.
        settings: for the port and the limits.
        credentials: for TLS; plain text without them.
    """

    def __init__(
        self,
        inference: InferenceService,
        registry: Registry,
        settings: ServerSettings,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self._inference = inference
        self._registry = registry
        self._settings = settings
        self._credentials = credentials
        self._health = health.aio.HealthServicer()
        self._reported: set[str] = set()

    async def start(self) -> int:
        """Open the port and return its number.

        Raises:
            OSError: it cannot be opened.
        """
        # One process per port: with SO_REUSEPORT, a second server would silently receive half of the calls.
        options = [
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", _READ_FACTOR * self._settings.max_body_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.http2.min_ping_interval_without_data_ms", _SHORTEST_PING_MS),
            ("grpc.keepalive_permit_without_calls", 1),
        ]
        self._server = grpc.aio.server(options=options)
        self._server.add_generic_rpc_handlers((self._inference.handlers(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (service.NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)
        port = self._open_port()
        self._registry.on_change(self._report_health)
        await self._report_health()
        await self._server.start()
        return port

    def _open_port(self) -> int:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        address = f"{host}:{self._settings.grpc_port}"
        try:
            opened: Any = (
                self._server.add_insecure_port(address)
                if self._credentials is None
                else self._server.add_secure_port(address, self._credentials)
            )
        except RuntimeError as error:
            raise OSError(
                f"cannot listen on {host} port {self._settings.grpc_port} for gRPC; choose another with --grpc_port"
            ) from error
        return int(opened)

    async def _report_health(self) -> None:
        status = health_pb2.HealthCheckResponse
        server = status.NOT_SERVING if self._registry.unready() else status.SERVING
        await self._health.set("", server)
        await self._health.set(service.NAME, server)
        models = dict(self._registry.models)
        for name in self._reported - set(models):
            await self._health.set(name, status.SERVICE_UNKNOWN)
        self._reported = set(models)
        for name, model in models.items():
            unready = self._registry.model_unready(model)
            await self._health.set(name, status.NOT_SERVING if unready else status.SERVING)

    async def stop(self, grace_seconds: float, hurry: Callable[[], bool]) -> None:
        """Accept no more calls, wait for those to the inference service, then close the rest, such as health watches.

        Args:
            grace_seconds: the longest wait.
            hurry: polled; true ends the wait.
        """
        stopping = asyncio.create_task(self._server.stop(grace_seconds))
        while self._inference.active and not stopping.done() and not hurry():
            await asyncio.sleep(_FLUSH_SECONDS)
        await asyncio.sleep(_FLUSH_SECONDS)
        await self._server.stop(0)
        await stopping
