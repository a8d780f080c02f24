"""One server's life: open the ports, load in the background, drain on SIGTERM, end.

SIGTERM → readiness says no, requests are still taken for `drain_seconds` so that whoever sends them can notice →
listeners close, requests in flight get `grace_seconds` → exit 0. Ctrl-C skips the drain; a second signal,
all the rest.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry

from predictors.serving.app.middleware.cors import Cors
from predictors.serving.app.endpoints import Endpoints
from predictors.serving.protocols.grpc.server import GrpcServer
from predictors.serving.transport.http_server import HttpServer
from predictors.serving.protocols.legacy import LegacyEndpoints
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.protocols.openai.handlers import OpenAiEndpoints
from predictors.serving.protocols.openapi import OpenApiEndpoint
from predictors.serving.model.predictor import Predictor
from predictors.serving.dispatch.registry import Registry
from predictors.serving.app.rest import RestApp
from predictors.serving.app.routing import Router
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.call import Telemetry

logger = logging.getLogger(__name__)


# How long a model's thread may keep the interpreter while the event loop wants it; Python's own 5 ms are most of the
# time that an answer takes.
_SWITCH_SECONDS = 0.0005


class StartupError(Exception):
    """The server cannot start; the text says what to do."""


class Server:
    """A server for some models.

    Args:
        predictors: the models; not loaded yet.
        settings: the server's settings.
        log_json: whether the access log is JSON.
        on_ready: called once, when loading has ended, with the ports: (HTTP, gRPC or None).
    """

    def __init__(
        self,
        predictors: Sequence[Predictor[Any]],
        settings: ServerSettings,
        log_json: bool,
        on_ready: Callable[[Registry, int, int | None], None] | None = None,
    ) -> None:
        metrics = Metrics(CollectorRegistry())
        telemetry = Telemetry(metrics, log_json, log=settings.log_level in ("debug", "info"))
        self._settings = settings
        self._on_ready = on_ready
        self._hurry = asyncio.Event()  # ends the drain
        self._forced = False  # a second signal came
        self.registry = Registry(predictors, settings, metrics)
        router = Router()
        Endpoints(self.registry, metrics, settings.enable_repository).register(router)
        LegacyEndpoints(self.registry).register(router)
        if any(predictor.generates for predictor in predictors):
            OpenAiEndpoints(self.registry).register(router)
        OpenApiEndpoint(self.registry).register(router)
        app = RestApp(router, self.registry, Cors(settings.cors_origins) if settings.cors_origins else None, telemetry)
        self.http = HttpServer(app, settings, metrics)
        self._grpc = GrpcServer(self.registry, settings, telemetry) if settings.enable_grpc else None

    def run(self) -> None:
        """Serve until a signal ends it.

        Raises:
            StartupError: a port is taken.
        """
        sys.setswitchinterval(_SWITCH_SECONDS)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())
        if self._forced and any(slot.busy for slot in self.registry.slots.values()):
            logging.shutdown()
            os._exit(0)  # the interpreter would wait for the models' threads

    async def _serve(self) -> None:
        listener = self._listen()
        grpc_port = await self._start_grpc()
        stop = asyncio.Event()
        self._handle_signals(stop)
        await self.http.start(listener)
        loading = asyncio.create_task(self._load(listener.getsockname()[1], grpc_port))
        try:
            await stop.wait()
            await self._stop()
        finally:
            loading.cancel()
            await self.registry.close_cache()
            self.registry.close()
        logger.info("stopped")

    def _listen(self) -> socket.socket:
        settings = self._settings
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        try:
            listener = socket.create_server((settings.host, settings.http_port), family=family, backlog=2048)
        except OSError as error:
            raise StartupError(
                f"cannot listen on {settings.host} port {settings.http_port} ({error.strerror}); "
                "choose another with --http_port"
            ) from None
        listener.setblocking(False)
        return listener

    async def _start_grpc(self) -> int | None:
        if self._grpc is None:
            return None
        try:
            return await self._grpc.start()
        except OSError as error:
            raise StartupError(str(error)) from None

    async def _load(self, http_port: int, grpc_port: int | None) -> None:
        logger.info("listening on %s: HTTP %d, gRPC %s", self._settings.host, http_port, grpc_port or "off")
        if self._settings.host in ("0.0.0.0", "::"):  # noqa: S104
            logger.warning("the ports are open to the network, without authentication; --host 127.0.0.1 limits them")
        await self.registry.load_all()
        # What is there now stays: a full collection that walks it all again took 50 ms of some requests' time.
        gc.collect()
        gc.freeze()
        if self._on_ready is not None:
            self._on_ready(self.registry, http_port, grpc_port)

    def _handle_signals(self, stop: asyncio.Event) -> None:
        def on_signal(number: signal.Signals) -> None:
            if stop.is_set():
                self._forced = True
                self._hurry.set()
                return
            if number is signal.SIGINT:
                self._hurry.set()
            stop.set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)

    async def _stop(self) -> None:
        self.registry.draining = True
        await self.registry.notify()
        logger.info("shutting down: not ready, still accepting for up to %.1f s", self._settings.drain_seconds)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), self._settings.drain_seconds)
        servers = (self.http, self._grpc) if self._grpc else (self.http,)
        await asyncio.gather(*(each.stop(self._settings.grace_seconds, lambda: self._forced) for each in servers))


def use_json(log_format: str) -> bool:
    """Resolve the setting `log_format`."""
    return log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
