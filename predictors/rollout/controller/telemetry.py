"""The controller's own metrics, its health and its readiness."""

import time
from collections import Counter as Counts
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from predictors.rollout.engine.state import Phase, Result
from predictors.rollout.kube.api import Object

# A loop that has not looked for so long hangs: longer than the longest backoff and the longest call together.
_HANGS_SECONDS = 180.0


class Telemetry:
    """What the controller does, for Prometheus and the kubelet.

    Args:
        registry: where the metrics are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._rollouts = Gauge("rollouts", "InferenceRollouts, by phase.", ["phase"], registry=registry)
        self._weight = Gauge(
            "rollout_canary_weight", "The canary's share, percent.", ["namespace", "name"], registry=registry
        )
        self._ended = Counter("rollouts_ended", "Rollouts that ended, by result.", ["result"], registry=registry)
        self._failures = Counter(
            "rollout_turn_failures", "Turns that failed, by reason.", ["reason"], registry=registry
        )
        self._seconds = Histogram("rollout_turn_seconds", "Duration of one turn of a rollout.", registry=registry)
        self._leader = Gauge("rollout_controller_leader", "1 for the replica that leads.", registry=registry)
        self._looked = time.monotonic()
        self._away = False
        for result in Result:
            self._ended.labels(str(result))
        for reason in ("refused", "unavailable", "internal"):
            self._failures.labels(reason)

    def lead(self) -> None:
        """This replica leads from now on."""
        self._leader.set(1)
        self.looked(0)

    def looked(self, failures: int) -> None:
        """The loop has looked; so many looks in a row have failed."""
        self._looked, self._away = time.monotonic(), failures > 0

    def count(self, rollouts: Iterable[Object]) -> None:
        """The InferenceRollouts that there are."""
        statuses = [(each["metadata"], each.get("status") or {}) for each in rollouts]
        phases = Counts(status.get("phase") for _, status in statuses)
        for phase in Phase:
            self._rollouts.labels(str(phase)).set(phases[str(phase)])
        self._weight.clear()
        for metadata, status in statuses:
            weight = (status.get("weight") or {}).get("seen")
            if weight is not None:
                self._weight.labels(metadata["namespace"], metadata["name"]).set(weight)

    def ended(self, result: Result) -> None:
        """A rollout has ended."""
        self._ended.labels(str(result)).inc()

    def failed(self, reason: str) -> None:
        """A turn has failed."""
        self._failures.labels(reason).inc()

    def turned(self, seconds: float) -> None:
        """A turn has taken so long."""
        self._seconds.observe(seconds)

    def health(self) -> str:
        """Why the controller should be restarted; empty if it should not."""
        leads = self._leader._value.get() == 1  # the library has no public way to read a gauge
        return "the loop hangs" if leads and time.monotonic() - self._looked > _HANGS_SECONDS else ""

    def readiness(self) -> str:
        """Why it cannot do its work now; empty if it can."""
        return "the API server does not answer" if self._away else self.health()


def serve(telemetry: Telemetry, port: int) -> ThreadingHTTPServer:
    """Serve /metrics, /healthz and /readyz on all addresses; returns the running server.

    Args:
        telemetry: what is served.
        port: to listen on.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages = {"/healthz": telemetry.health, "/readyz": telemetry.readiness}
            if self.path == "/metrics":
                self._send(HTTPStatus.OK, generate_latest(telemetry.registry))
            elif (page := pages.get(self.path)) is not None:
                problem = page()
                self._send(HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK, (problem or "ok").encode())
            else:
                self._send(HTTPStatus.NOT_FOUND, b"not found")

        def _send(self, status: HTTPStatus, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
            """Probes and scrapes are not logged."""

    server = ThreadingHTTPServer(("", port), Handler)
    Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server
