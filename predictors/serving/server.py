"""One server's life: open the ports, load in the background, drain on SIGTERM, end.

SIGTERM → readiness says no, requests are still taken for `drain_seconds` so that load balancers can notice → listeners
close, running requests get `grace_seconds` → exit 0. Ctrl-C skips the drain; a second signal skips the rest.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from weakref import WeakSet

import uvloop
from prometheus_client import CollectorRegistry

from predictors.serving.access.door import Door
from predictors.serving.access.settings import AccessSettings
from predictors.serving.app.application import build_application
from predictors.serving.app.routes import build_probe_router, build_router
from predictors.serving.app.routing import Router
from predictors.serving.dataplane import DataPlane
from predictors.serving.dispatch.registry import Registry
from predictors.serving.dispatch.served_model import LOOK_SECONDS, ServedModel
from predictors.serving.drift.metrics import DriftMetrics
from predictors.serving.drift.settings import DriftSettings
from predictors.serving.drift.watch import Watcher
from predictors.serving.errors import StartupError
from predictors.serving.garbage import Garbage
from predictors.serving.model.predictor import Predictor
from predictors.serving.request_log.settings import RequestLogSettings
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.access_log import AccessLog
from predictors.serving.telemetry.call import Call, RequestIds
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.telemetry.tracing import Tracing
from predictors.serving.transport.connections import Connections
from predictors.serving.transport.listener import HttpListener
from predictors.serving.transport.sockets import listen, listen_on_port
from predictors.serving.transport.tls import Certificate

logger = logging.getLogger(__name__)

NewRegistry: TypeAlias = Callable[[ServerSettings, Metrics], Registry]

# How long a model's thread may keep the GIL while the event loop wants it. Python's own 5 ms would be most of the time
# that an answer takes.
_SWITCH_SECONDS = 0.0005


class Server:
    """A server for some models.

    Args:
        predictors: the models; not loaded yet.
        settings: the server's settings.
        log_json: whether the access log is JSON.
        on_ready: called once, when loading has ended, with the URL of REST and the port of gRPC, if any.
        access: who may call, and how much; by default, what the environment says.
        new_registry: makes the registry, if that is not to be one of the predictors alone.

    Raises:
        StartupError: the certificate, or what tells callers, cannot be used.
    """

    def __init__(
        self,
        predictors: Sequence[Predictor[Any]],
        settings: ServerSettings,
        log_json: bool,
        on_ready: Callable[[Registry, int, int | None], None] | None = None,
        access: AccessSettings | None = None,
        new_registry: NewRegistry | None = None,
    ) -> None:
        self._settings = settings
        self._on_ready = on_ready
        self._hurry = asyncio.Event()  # ends the drain
        self._forced = False  # a second signal came
        self._certificate = _certificate(settings)
        self._metrics = Metrics(CollectorRegistry())
        self._ids = RequestIds()
        self._tracing = _tracing(settings)
        self._access_log = AccessLog(log_json, enabled=settings.log_level in ("debug", "info"))
        self._door = Door(access or AccessSettings(), self._metrics.count_access_error)
        self._guard = None if self._door.is_open else self._door
        self.registry = (new_registry or partial(Registry, predictors))(settings, self._metrics)
        plane = self._plane = DataPlane(self.registry, self._metrics, settings.enable_repository, self._door.limits)
        self.http = self._new_http(build_router(plane, self._metrics, settings), self._metrics)
        self.probes = None if settings.probe_port is None else self._new_probes(plane)
        self.grpc = self._new_grpc(plane) if settings.enable_grpc else None
        self._shadowing = self._new_shadowing(self._metrics) if settings.shadow_file else None
        self._request_log: Any = None

    def _new_http(self, router: Router, metrics: Metrics) -> HttpListener:
        """A listener with an application of its own.

        Args:
            router: finds the application's handlers.
            metrics: where its connections and their memory are counted.
        """
        ids, log = self._ids, self._access_log
        app = build_application(
            router,
            self._settings,
            metrics=metrics,
            access_log=log,
            ids=ids,
            ending=lambda: listener.ending,
            door=self._guard,
            tracing=self._tracing,
        )
        connections = Connections(app, self._settings, metrics, lambda: Call(ids.choose(None), ""), log.write)
        listener = HttpListener(connections, self._settings)
        return listener

    def _new_probes(self, plane: DataPlane) -> HttpListener:
        """The listener of the probes' port; its few connections are not among those that metrics show."""
        return self._new_http(build_probe_router(plane, self._metrics), Metrics(CollectorRegistry()))

    def _new_grpc(self, plane: DataPlane) -> Any:
        from predictors.serving.protocols.grpc.server import GrpcServer
        from predictors.serving.protocols.grpc.service import InferenceService

        service = InferenceService(plane, self._settings, self._metrics, self._access_log, self._ids, self._guard)
        service.tracing = self._tracing
        credentials = self._certificate.grpc_credentials() if self._certificate else None
        return GrpcServer(service, self.registry, self._settings, credentials)

    def _new_shadowing(self, metrics: Metrics) -> Any:
        from predictors.serving.shadow.shadowing import Shadowing

        return Shadowing(self.registry.models, self._settings, metrics.registry)

    def watch_drift(self, settings: DriftSettings) -> None:
        """Compare the models' traffic with their references from now on, unless that is off."""
        if not settings.drift_window_seconds:
            return
        watchers: WeakSet[Watcher] = WeakSet()

        def new_watcher(model: ServedModel) -> Watcher:
            watcher = Watcher(model, settings.drift_window_seconds)
            watchers.add(watcher)
            return watcher

        self.registry.watch(new_watcher)
        DriftMetrics(watchers, self._metrics.registry)

    def log_requests(self, settings: RequestLogSettings) -> None:
        """Log what is asked and answered, where the settings name a sink. Call it before `run`.

        Raises:
            StartupError: the sink cannot be used.
        """
        if settings.has_sink:
            from predictors.serving.request_log.request_log import RequestLog

            self._request_log = RequestLog(settings, self.registry, self._metrics.registry)

    def run(self) -> None:
        """Serve until a signal ends it.

        Raises:
            StartupError: a port or a socket is taken.
        """
        sys.setswitchinterval(_SWITCH_SECONDS)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())
        if self._forced and any(model.busy for model in self.registry.everything):
            logging.shutdown()
            os._exit(0)  # Python would wait for the models' threads

    async def _serve(self) -> None:
        listener = listen(self._settings)
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
        probe_port = await self._start_probes()
        background = [asyncio.create_task(self._load(listener, grpc_port, probe_port))]
        if self._guard is not None:
            background.append(asyncio.create_task(self._door.run()))
        if self._certificate is not None:
            background.append(asyncio.create_task(self._certificate.watch()))
        shadowing = None if self._shadowing is None else asyncio.create_task(self._shadowing.run())
        if self._request_log is not None:
            self._request_log.start()
        try:
            await stop.wait()
            if shadowing is not None:
                shadowing.cancel()
            await self._stop()
        finally:
            for task in background:
                task.cancel()
            await self.registry.close_cache()
            await self._plane.close()
            await self._door.close()
            self.registry.close()
            if self._request_log is not None:
                await asyncio.to_thread(self._request_log.close)
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

    async def _start_probes(self) -> int | None:
        if self.probes is None or self._settings.probe_port is None:
            return None
        listener = listen_on_port(self._settings.host, self._settings.probe_port, "probe_port")
        await self.probes.start(listener)
        return int(listener.getsockname()[1])

    async def _load(self, listener: socket.socket, grpc_port: int | None, probe_port: int | None) -> None:
        settings = self._settings
        where = f"{settings.host}: HTTP {listener.getsockname()[1]}" if not settings.uds else f"HTTP {settings.uds}"
        probes = "" if probe_port is None else f", probes {probe_port}"
        tls = ", with TLS" if self._certificate else ""
        logger.info("listening on %s, gRPC %s%s%s", where, grpc_port or "off", tls, probes)
        self._say_who_may_call()
        await self.registry.load_all()
        garbage = Garbage()
        garbage.exempt()
        if self._on_ready is not None:
            self._on_ready(self.registry, 0 if settings.uds else listener.getsockname()[1], grpc_port)
        while await self._load_late():
            garbage.exempt()

    async def _load_late(self) -> bool:
        """Wait until something was loaded or unloaded; false if the server drains. Faults never end it."""
        while True:
            try:
                return await self.registry.load_late()
            except Exception:
                logger.exception("models cannot be followed; it is tried again in %.0f s", LOOK_SECONDS)

    def _say_who_may_call(self) -> None:
        asked = ["a token"] if self._door.guards_models else []
        if self._settings.ssl_ca_certfile is not None:
            asked.append("a client certificate")
        if asked:
            logger.info("callers need %s", " and ".join(asked))
        elif self._settings.host in ("0.0.0.0", "::"):  # noqa: S104
            logger.warning("the ports are open to the network, without authentication; --host 127.0.0.1 limits them")
        else:
            logger.info("there is no authentication; --token_digests_file and --jwt_issuer turn it on")

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
        servers = [server for server in (self.http, self.grpc) if server is not None]
        await asyncio.gather(*(each.stop(self._settings.grace_seconds, lambda: self._forced) for each in servers))
        if self.probes is not None:  # the last, so that probes are answered as long as requests are
            await self.probes.stop(0, lambda: True)


def _certificate(settings: ServerSettings) -> Certificate | None:
    if settings.ssl_certfile is None and settings.ssl_keyfile is None:
        if settings.ssl_ca_certfile is not None:
            raise StartupError("--ssl_ca_certfile needs --ssl_certfile and --ssl_keyfile")
        return None
    if settings.ssl_certfile is None or settings.ssl_keyfile is None:
        raise StartupError("TLS needs both --ssl_certfile and --ssl_keyfile")
    return Certificate(settings.ssl_certfile, settings.ssl_keyfile, settings.ssl_ca_certfile)


def _tracing(settings: ServerSettings) -> Tracing | None:
    return Tracing(settings.otlp_endpoint, settings.trace_sample_ratio) if settings.otlp_endpoint else None
