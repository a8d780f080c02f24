"""One server's life: open the ports, load in the background, drain on SIGTERM, end.

SIGTERM → readiness says no, requests are still taken for `drain_seconds` so that load balancers can notice → listeners
close, running requests get `grace_seconds` → exit 0. Ctrl-C skips the drain; a second signal skips the rest.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry

from predictors.serving.app.application import build_application
from predictors.serving.app.routes import build_router
from predictors.serving.dataplane import DataPlane
from predictors.serving.dispatch.registry import Registry
from predictors.serving.errors import StartupError
from predictors.serving.model.predictor import Predictor
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.access_log import AccessLog
from predictors.serving.telemetry.call import Call, RequestIds
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.telemetry.tracing import Tracing
from predictors.serving.transport.connections import Connections
from predictors.serving.transport.listener import BACKLOG, HttpListener
from predictors.serving.transport.tls import Certificate

logger = logging.getLogger(__name__)

# How long a model's thread may keep the GIL while the event loop wants it. Python's own 5 ms would be most of the time
# that an answer takes.
_SWITCH_SECONDS = 0.0005
# Objects made before the garbage collector looks at them, and how many such looks before it looks at older ones too.
# Requests leave no cycles, but a few dozen in flight exceed Python's 700 again and again: that took up to a tenth of a
# small request's time.
_GC_THRESHOLDS = (5_000, 20, 100)


class Server:
    """A server for some models.

    Args:
        predictors: the models; not loaded yet.
        settings: the server's settings.
        log_json: whether the access log is JSON.
        on_ready: called once, when loading has ended, with the URL of REST and the port of gRPC, if any.

    Raises:
        StartupError: the certificate cannot be used.
    """

    def __init__(
        self,
        predictors: Sequence[Predictor[Any]],
        settings: ServerSettings,
        log_json: bool,
        on_ready: Callable[[Registry, int, int | None], None] | None = None,
    ) -> None:
        self._settings = settings
        self._on_ready = on_ready
        self._hurry = asyncio.Event()  # ends the drain
        self._forced = False  # a second signal came
        self._certificate = _certificate(settings)
        metrics = Metrics(CollectorRegistry())
        ids = RequestIds()
        self._tracing = _tracing(settings)
        access_log = AccessLog(log_json, enabled=settings.log_level in ("debug", "info"))
        self.registry = Registry(predictors, settings, metrics)
        plane = DataPlane(self.registry, metrics, settings.enable_repository)
        self.app = build_application(
            build_router(plane, metrics),
            settings,
            metrics=metrics,
            access_log=access_log,
            ids=ids,
            tracing=self._tracing,
            ending=lambda: self.http.ending,
        )
        connections = Connections(self.app, settings, metrics, lambda: Call(ids.choose(None), ""), access_log.write)
        self.http = HttpListener(connections, settings)
        self.grpc = self._new_grpc(plane, metrics, access_log, ids) if settings.enable_grpc else None
        self._shadowing = self._new_shadowing(metrics) if settings.shadow_file else None

    def _new_grpc(self, plane: DataPlane, metrics: Metrics, access_log: AccessLog, ids: RequestIds) -> Any:
        from predictors.serving.protocols.grpc.server import GrpcServer
        from predictors.serving.protocols.grpc.service import InferenceService

        service = InferenceService(plane, self._settings, metrics, access_log, ids)
        service.tracing = self._tracing
        credentials = self._certificate.grpc_credentials() if self._certificate else None
        return GrpcServer(service, self.registry, self._settings, credentials)

    def _new_shadowing(self, metrics: Metrics) -> Any:
        from predictors.serving.shadow.shadowing import Shadowing

        return Shadowing(self.registry.models, self._settings, metrics.registry)

    def run(self) -> None:
        """Serve until a signal ends it.

        Raises:
            StartupError: a port or a socket is taken.
        """
        sys.setswitchinterval(_SWITCH_SECONDS)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())
        if self._forced and any(model.busy for model in self.registry.models.values()):
            logging.shutdown()
            os._exit(0)  # Python would wait for the models' threads

    async def _serve(self) -> None:
        listener = _listen(self._settings)
        try:
            await self._serve_on(listener)
        finally:
            if self._settings.uds:
                Path(self._settings.uds).unlink(missing_ok=True)
        logger.info("stopped")

    async def _serve_on(self, listener: socket.socket) -> None:
        grpc_port = await self._start_grpc()
        stop = asyncio.Event()
        self._handle_signals(stop)
        await self.http.start(listener, self._certificate.context if self._certificate else None)
        background = [asyncio.create_task(self._load(listener, grpc_port))]
        if self._certificate is not None:
            background.append(asyncio.create_task(self._certificate.watch()))
        shadowing = None if self._shadowing is None else asyncio.create_task(self._shadowing.run())
        try:
            await stop.wait()
            if shadowing is not None:
                shadowing.cancel()
            await self._stop()
        finally:
            for task in background:
                task.cancel()
            await self.registry.close_cache()
            self.registry.close()
            if self._tracing is not None:
                await asyncio.to_thread(self._tracing.close)

    async def _start_grpc(self) -> int | None:
        if self.grpc is None:
            return None
        try:
            port: int = await self.grpc.start()
        except OSError as error:
            raise StartupError(str(error)) from None
        return port

    async def _load(self, listener: socket.socket, grpc_port: int | None) -> None:
        settings = self._settings
        where = f"{settings.host}: HTTP {listener.getsockname()[1]}" if not settings.uds else f"HTTP {settings.uds}"
        logger.info("listening on %s, gRPC %s%s", where, grpc_port or "off", ", with TLS" if self._certificate else "")
        if settings.host in ("0.0.0.0", "::"):  # noqa: S104
            logger.warning("the ports are open to the network, without authentication; --host 127.0.0.1 limits them")
        await self.registry.load_all()
        _exempt_from_collection()
        if self._on_ready is not None:
            self._on_ready(self.registry, 0 if settings.uds else listener.getsockname()[1], grpc_port)
        while await self.registry.load_late():
            _exempt_from_collection()

    def _handle_signals(self, stop: asyncio.Event) -> None:
        def on_signal(number: signal.Signals) -> None:
            if stop.is_set():
                self._forced = True
                self._hurry.set()
                return
            if number is signal.SIGINT:
                self._hurry.set()
            logger.info("%s: shutting down", number.name)
            stop.set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, on_signal, number)

    async def _stop(self) -> None:
        self.registry.draining = True
        self.http.drain()
        await self.registry.notify()
        if not self._hurry.is_set():
            logger.info("not ready any more, still accepting for up to %.1f s", self._settings.drain_seconds)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._settings.drain_seconds)
        servers = (self.http, self.grpc) if self.grpc else (self.http,)
        await asyncio.gather(*(each.stop(self._settings.grace_seconds, lambda: self._forced) for each in servers))


def _exempt_from_collection() -> None:
    """Have the garbage collector skip what is there now: to look at all of it took 50 ms of some requests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def _certificate(settings: ServerSettings) -> Certificate | None:
    if settings.ssl_certfile is None and settings.ssl_keyfile is None:
        return None
    if settings.ssl_certfile is None or settings.ssl_keyfile is None:
        raise StartupError("TLS needs both --ssl_certfile and --ssl_keyfile")
    return Certificate(settings.ssl_certfile, settings.ssl_keyfile)


def _tracing(settings: ServerSettings) -> Tracing | None:
    return Tracing(settings.otlp_endpoint, settings.trace_sample_ratio) if settings.otlp_endpoint else None


def _listen(settings: ServerSettings) -> socket.socket:
    if settings.uds:
        return _listen_on_path(Path(settings.uds))
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.http_port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise StartupError(
            f"cannot listen on {settings.host} port {settings.http_port} ({error.strerror}); "
            "choose another with --http_port"
        ) from None
    listener.setblocking(False)
    return listener


def _listen_on_path(path: Path) -> socket.socket:
    """Open a Unix socket; one that a server left behind is replaced, and nothing else."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _is_served(path):
            path.unlink()
        listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartupError(f"cannot listen on {path} ({error.strerror or error}); choose another with --uds") from None
    listener.setblocking(False)
    return listener


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0
