"""The application called in process, without a socket, with its access log and metrics."""

import asyncio
import io
import json
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx
from prometheus_client import CollectorRegistry

from predictors.serving.app.application import build_application
from predictors.serving.app.routes import build_router
from predictors.serving.app.routing import Handler, Route, Router
from predictors.serving.dataplane import DataPlane
from predictors.serving.dispatch.registry import Registry
from predictors.serving.protocols.http import AsgiApp, Message
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.access_log import AccessLog
from predictors.serving.telemetry.call import ErrorBody, RequestIds, plain_error
from predictors.serving.telemetry.metrics import Metrics
from tests.unit.serving.dispatch.test_registry import Paced

T = TypeVar("T")

PATH = "/v1/models/paced:predict"


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario on a new event loop."""
    return asyncio.run(asyncio.wait_for(scenario, 60))


class Harness:
    """An application with the routes of a test, its access log, and its metrics.

    Args:
        handlers: each is the route ``POST /`` plus its name.
        protocol: the routes' protocol; empty if they are not inference.
        error_body: the routes' form of errors.
        settings: server settings that differ from the defaults.
    """

    def __init__(
        self, *handlers: Handler, protocol: str = "test", error_body: ErrorBody = plain_error, **settings: Any
    ) -> None:
        self._protocol, self._error_body = protocol, error_body
        self.settings = ServerSettings(**settings)
        self.numbers = CollectorRegistry()
        self.metrics = Metrics(self.numbers)
        self.ending = False
        """Whether the server is shutting down."""
        self._log = io.BytesIO()
        self.app = self._build(handlers)

    def _build(self, handlers: tuple[Handler, ...]) -> AsgiApp:
        router = Router()
        for handler in handlers:
            name: str = getattr(handler, "__name__", "")
            router.add("POST", f"/{name}", Route(handler, self._protocol, error_body=self._error_body))
        return self._application(router)

    def _application(self, router: Router) -> AsgiApp:
        return build_application(
            router,
            self.settings,
            metrics=self.metrics,
            access_log=AccessLog(json=True, stream=self._log),
            ids=RequestIds(),
            tracing=None,
            ending=lambda: self.ending,
        )

    def client(self) -> httpx.AsyncClient:
        """A client of the application."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://server")

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send one request, on a new event loop."""

        async def scenario() -> httpx.Response:
            async with self.client() as client:
                return await client.request(method, path, **request)

        return run(scenario())

    async def call(self, path: str, *received: Message, headers: dict[str, str] | None = None) -> list[Message]:
        """Call the application directly; returns the messages it sends.

        Args:
            path: the path of a POST request.
            received: messages that ``receive`` returns; then it waits forever.
            headers: the request's headers.
        """
        messages, sent = iter(received), []

        async def receive() -> Message:
            for message in messages:
                return message
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            sent.append(message)

        pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "headers": pairs}
        await self.app(scope, receive, send)
        return sent

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of the access log."""
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    def value(self, name: str, **labels: str) -> float:
        """The value of a metric; 0 if it does not exist."""
        return self.numbers.get_sample_value(name, labels) or 0.0

    def counted(self) -> dict[tuple[str, str, str, str], int]:
        """Number of requests counted, by model, version, protocol and code."""
        names = ("model_name", "model_version", "protocol", "code")
        return {
            tuple(sample.labels[name] for name in names): int(sample.value)  # type: ignore[misc]
            for family in self.numbers.collect()
            for sample in family.samples
            if sample.name == "model_requests_total" and sample.value
        }


class Serving(Harness):
    """The complete application with one model.

    Args:
        settings: server settings that differ from the defaults.
    """

    def __init__(self, **settings: Any) -> None:
        self.predictor = Paced()
        super().__init__(**settings)
        run(self.registry.load_all())

    def _build(self, handlers: tuple[Handler, ...]) -> AsgiApp:
        self.registry = Registry([self.predictor], self.settings, self.metrics)
        self.plane = DataPlane(self.registry, self.metrics, self.settings.enable_repository)
        return self._application(build_router(self.plane, self.metrics, self.settings))

    def __enter__(self) -> "Serving":
        return self

    def __exit__(self, *_: object) -> None:
        self.predictor.gate.set()
        self.registry.close()
