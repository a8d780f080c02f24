"""Runs the controller in a pod: one leader by a Lease, the others ready to take over."""

import logging
import os
import signal
import socket
import time
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

from kubernetes import client as kubernetes_client
from kubernetes.client.exceptions import ApiException
from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.leaderelection import LeaderElection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock
from prometheus_client import CollectorRegistry
from urllib3.exceptions import HTTPError

from predictors.rollout.controller.loop import Loop
from predictors.rollout.controller.reconcile import Reconciler
from predictors.rollout.controller.telemetry import Telemetry, serve
from predictors.rollout.kube.client import DirectPods, connect

log = logging.getLogger(__name__)
_LEASE = "rollout-controller"
# How long a leader that is gone is waited for; how long one may fail to renew before it ends; and between tries,
# seconds.
_LEASE_SECONDS, _RENEW_SECONDS, _RETRY_SECONDS = 15, 10, 2
# Connecting and reading, seconds; both together are less than a leader may fail to renew.
_LEASE_TIMEOUT = (2.0, 4.0)
# How long turns that run may take to end, seconds.
_TURN_SECONDS = 15.0
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Args:
        namespaces: whose InferenceRollouts are driven; none: all.
        kserve_version: of the cluster; empty: it is looked up.
        http_port: for metrics and probes.
        metrics_token_file: holds the token that the pods' /metrics asks for; None: it asks for none.
        lease_namespace: where the leader's Lease is; empty: the pod's own.
    """

    namespaces: tuple[str, ...] = ()
    kserve_version: str = ""
    http_port: int = 8080
    metrics_token_file: Path | None = None
    lease_namespace: str = ""


def run(options: Options) -> None:
    """Run until SIGTERM or SIGINT, or until another replica leads.

    Raises:
        Refused: there is no cluster.
        OSError: the port is taken, or the token cannot be read.
    """
    logging.getLogger("leaderelection").setLevel(logging.WARNING)  # it says every few seconds that a Lease was renewed
    api = connect()
    telemetry = Telemetry(CollectorRegistry())
    token = options.metrics_token_file.read_text("utf-8").strip() if options.metrics_token_file else ""
    pods = DirectPods(token)
    loop = Loop(
        api,
        options.namespaces,
        lambda: Reconciler(api, pods, time.time, options.kserve_version, telemetry.ended),
        telemetry,
    )
    serve(telemetry, options.http_port)

    def lead() -> None:
        log.info("leading")
        telemetry.lead()
        loop.run()

    # The library's lock asks with the default configuration.
    kubernetes_client.Configuration.set_default(api.configuration)
    namespace = options.lease_namespace or _own_namespace()
    identity = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
    config = Config(
        _Lock(_LEASE, namespace, identity),
        lease_duration=_LEASE_SECONDS,
        renew_deadline=_RENEW_SECONDS,
        retry_period=_RETRY_SECONDS,
        onstarted_leading=lead,
        onstopped_leading=lambda: _lost(loop),
    )
    _end_on_signals(loop, config.lock)
    log.info("waiting for the Lease %s/%s as %s", namespace, _LEASE, identity)
    LeaderElection(config).run()


class _Lock(LeaseLock):  # type: ignore[misc]
    """The library's lock, for which an API server that cannot be reached is one that refuses: it is asked again."""

    def __init__(self, name: str, namespace: str, identity: str) -> None:
        super().__init__(name, namespace, identity)
        # Without a limit, a connection that has died unseen lets a leader neither renew nor end.
        for call in ("read_namespaced_lease", "create_namespaced_lease", "replace_namespaced_lease"):
            limited = partial(getattr(self.api_instance, call), _request_timeout=_LEASE_TIMEOUT)
            setattr(self.api_instance, call, limited)

    def get(self, name: str, namespace: str) -> tuple[bool, Any]:
        try:
            found: tuple[bool, Any] = super().get(name, namespace)
        except HTTPError as error:
            return False, ApiException(reason=str(error))
        return found

    def create(self, name: str, namespace: str, election_record: Any) -> bool:
        try:
            return bool(super().create(name, namespace, election_record))
        except HTTPError:
            return False

    def update(self, name: str, namespace: str, updated_record: Any) -> bool:
        try:
            return bool(super().update(name, namespace, updated_record))
        except HTTPError:
            return False


def _own_namespace() -> str:
    return _NAMESPACE_FILE.read_text("utf-8").strip() if _NAMESPACE_FILE.exists() else "default"


def _lost(loop: Loop) -> None:
    log.error("the Lease is lost; another replica may lead, so this one ends")
    loop.stop()
    # Not by an exception: that would wait for turns that run.
    os._exit(1)


def _end_on_signals(loop: Loop, lock: LeaseLock) -> None:
    """Turns that run are finished; then the Lease is given back, so that the next leader need not wait for its end."""

    def end(number: int, frame: FrameType | None) -> None:
        log.info("ending on signal %d", number)
        loop.stop()
        Thread(target=_end_after, args=(loop, lock), daemon=True).start()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)


def _end_after(loop: Loop, lock: LeaseLock) -> None:
    loop.wait(_TURN_SECONDS)
    found, record = lock.get(lock.name, lock.namespace)
    if found and record is not None and record.holder_identity == lock.identity:
        try:
            lock.api_instance.patch_namespaced_lease(lock.name, lock.namespace, {"spec": {"holderIdentity": None}})
        except (ApiException, HTTPError):
            log.info("the Lease could not be given back; it runs out in %d s", _LEASE_SECONDS)
    # The election's thread would take it again.
    os._exit(0)
