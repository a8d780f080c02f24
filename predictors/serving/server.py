"""One server's life: open the ports, load in the background, drain on SIGTERM, end.

SIGTERM → readiness says no, requests are still taken for `drain_seconds` so that whoever sends them can notice →
listeners close, requests in flight get `grace_seconds` → exit 0. Ctrl-C skips the drain; a second signal,
all the rest.
"""

import asyncio
import contextlib
import functools
import gc
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware

from predictors.serving.endpoints import Endpoints
from predictors.serving.grpc_server import GrpcServer
from predictors.serving.http_protocol import HttpProtocol
from predictors.serving.legacy import LegacyEndpoints
from predictors.serving.metrics import Metrics
from predictors.serving.openai_endpoints import OpenAiEndpoints
from predictors.serving.openapi import OpenApiEndpoint
from predictors.serving.predictor import Predictor
from predictors.serving.registry import Registry
from predictors.serving.rest import RestApp
from predictors.serving.routing import Router
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry import Telemetry

logger = logging.getLogger(__name__)


class StartupError(Exception):
    """The server cannot start; the text says what to do."""


class _Uvicorn(uvicorn.Server):
    """Uvicorn with its signal handling left to `Server`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


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
        self._telemetry = telemetry
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
        self.app: Any = RestApp(router, self.registry, settings, telemetry)
        if settings.cors_origins:
            self.app = CORSMiddleware(
                self.app,
                allow_origins=settings.cors_origins,
                allow_methods=("GET", "POST"),
                allow_headers=("*",),
                expose_headers=("x-request-id", "x-model-version", "x-cache"),
            )
        self._grpc = GrpcServer(self.registry, settings, telemetry) if settings.enable_grpc else None

    def run(self) -> None:
        """Serve until a signal ends it.

        Raises:
            StartupError: a port is taken.
        """
        config = uvicorn.Config(
            self.app,
            http=functools.partial(HttpProtocol, telemetry=self._telemetry),  # type: ignore[arg-type]
            loop="uvloop",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=self._settings.keep_alive_seconds,
            timeout_graceful_shutdown=math.ceil(self._settings.grace_seconds),
        )
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(self._serve(_Uvicorn(config)))
        if self._forced and any(slot.busy for slot in self.registry.slots.values()):
            logging.shutdown()
            os._exit(0)  # the interpreter would wait for the models' threads

    async def _serve(self, http: uvicorn.Server) -> None:
        listener = self._listen()
        grpc_port = await self._start_grpc()
        stop = asyncio.Event()
        self._handle_signals(http, stop)
        loading = asyncio.create_task(self._load(listener.getsockname()[1], grpc_port))
        stopping = asyncio.create_task(self._stop(stop, http))
        try:
            await http.serve(sockets=[listener])
            stop.set()
            await stopping
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

    def _handle_signals(self, http: uvicorn.Server, stop: asyncio.Event) -> None:
        def on_signal(number: signal.Signals) -> None:
            if stop.is_set():
                self._forced = http.should_exit = http.force_exit = True
                self._hurry.set()
                return
            if number is signal.SIGINT:
                self._hurry.set()
            stop.set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)

    async def _stop(self, stop: asyncio.Event, http: uvicorn.Server) -> None:
        await stop.wait()
        self.registry.draining = True
        await self.registry.notify()
        logger.info("shutting down: not ready, still accepting for up to %.1f s", self._settings.drain_seconds)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), self._settings.drain_seconds)
        http.should_exit = True
        if self._grpc is not None:
            await self._grpc.stop(self._settings.grace_seconds, lambda: self._forced)


def use_json(log_format: str) -> bool:
    """Resolve the setting `log_format`."""
    return log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
