"""The REST endpoints: V1, V2, health, and the model repository where it is enabled."""

import contextlib
import time
from collections.abc import AsyncGenerator
from typing import Any

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from predictors import __version__
from predictors.serving.protocols import sse
from predictors.serving.protocols.v1 import codec as v1
from predictors.serving.protocols.v2 import codec as v2
from predictors.serving.model.types import Batch, Event
from predictors.serving.errors import InvalidInput, NotFound
from predictors.serving.protocols.http import JSON, Request, Response, unsupported_media_type
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.dispatch.registry import Registry
from predictors.serving.app.routing import Route, Router
from predictors.serving.dispatch.served_model import Slot, State

SERVER_NAME = "kserve-predictors"
EXTENSIONS = ("binary_tensor_data",)
REPOSITORY_OFF = "the model repository endpoints are off; start the server with --enable_repository to use them"


class Endpoints:
    """Handlers on one registry.

    Args:
        registry: the models.
        metrics: what `/metrics` shows.
        enable_repository: whether models may be loaded and unloaded by request.
    """

    def __init__(self, registry: Registry, metrics: Metrics, enable_repository: bool) -> None:
        self._registry = registry
        self._metrics = metrics
        self._enable_repository = enable_repository

    def register(self, router: Router) -> None:
        """Add all routes."""
        router.add("POST", "/v1/models/{model}:predict", Route(self.v1_predict, "v1"))
        model = "/v2/models/{model}"
        for base in (model, model + "/versions/{version}"):
            router.add("POST", base + "/infer", Route(self.v2_infer, "v2"))
            router.add("GET", base, Route(self.model_metadata))
            router.add("GET", base + "/ready", Route(self.model_ready, quiet=True))
        router.add("GET", "/v1/models", Route(self.model_list))
        router.add("GET", "/v1/models/{model}", Route(self.v1_status, quiet=True))
        router.add("GET", "/v2/models", Route(self.model_list))
        router.add("GET", "/v2", Route(self.server_metadata))
        router.add("GET", "/v2/health/live", Route(self.live, quiet=True))
        router.add("GET", "/v2/health/ready", Route(self.ready, quiet=True))
        router.add("GET", "/", Route(self.root, quiet=True))
        router.add("GET", "/metrics", Route(self.metrics, quiet=True))
        router.add("POST", "/v2/repository/index", Route(self.repository_index))
        router.add("POST", "/v2/repository/models/{model}/load", Route(self.repository_load))
        router.add("POST", "/v2/repository/models/{model}/unload", Route(self.repository_unload))

    async def v1_predict(self, request: Request) -> Response:
        """``POST /v1/models/{model}:predict``."""
        slot = self._ready_slot(request)
        request.require_json()
        deadline = request.parse_deadline()
        body = await request.body(deadline)
        begun = time.monotonic()
        batch = v1.decode(body, slot.predictor.input, slot.limits)
        if slot.predictor.streams and v1.take_stream(batch):
            return await sse.response(_v1_parts(slot, batch, deadline))
        decoded = time.monotonic()
        outputs = await slot.answer(batch, deadline, request)
        predicted = time.monotonic()
        answer = v1.encode(outputs, slot.predictor.v1_fields, slot.version)
        slot.observe_steps(begun, decoded, predicted, time.monotonic())
        return Response(200, answer, [JSON])

    async def v2_infer(self, request: Request) -> Response:
        """``POST /v2/models/{model}[/versions/{version}]/infer``."""
        slot = self._ready_slot(request)
        media_type = request.media_type()
        if media_type not in ("application/json", "application/octet-stream", ""):
            raise unsupported_media_type(media_type)
        deadline = request.parse_deadline()
        body = await request.body(deadline)
        json_length = _json_length(request)
        if media_type != "application/json" and json_length is None and b'"binary_data' not in body:
            # Triton's clients send no content type, or a general one. Their bodies always speak the binary tensor
            # extension, by that header or by a binary_data parameter; nothing else may come without its type.
            raise unsupported_media_type(media_type)
        predictor = slot.predictor
        begun = time.monotonic()
        batch, reply = v2.decode(body, json_length, predictor.input, predictor.outputs, slot.limits)
        decoded = time.monotonic()
        outputs = await slot.answer(batch, deadline, request)
        predicted = time.monotonic()
        answer, header_length = v2.encode(outputs, reply, slot.name, slot.version)
        slot.observe_steps(begun, decoded, predicted, time.monotonic())
        if header_length is None:
            return Response(200, answer, [JSON])
        length = (b"inference-header-content-length", b"%d" % header_length)
        return Response(200, answer, [(b"content-type", b"application/octet-stream"), length])

    async def root(self, request: Request) -> Response:
        """``GET /``: KServe's V1 liveness."""
        return Response.json({"status": "alive"})

    async def live(self, request: Request) -> Response:
        """``GET /v2/health/live``: 200 as long as the event loop turns."""
        return Response.json({"live": True})

    async def ready(self, request: Request) -> Response:
        """``GET /v2/health/ready``: 200 when every model can answer."""
        return readiness({"ready": True}, self._registry.unready())

    async def model_ready(self, request: Request) -> Response:
        """``GET /v2/models/{model}/ready``."""
        slot = self._slot(request)
        return readiness({"name": slot.name, "ready": True}, self._registry.model_unready(slot))

    async def v1_status(self, request: Request) -> Response:
        """``GET /v1/models/{model}``."""
        return await self.model_ready(request)

    async def model_list(self, request: Request) -> Response:
        """``GET /v1/models`` and ``/v2/models``."""
        return Response.json({"models": list(self._registry.slots)})

    async def server_metadata(self, request: Request) -> Response:
        """``GET /v2``."""
        return Response.json({"name": SERVER_NAME, "version": __version__, "extensions": EXTENSIONS})

    async def model_metadata(self, request: Request) -> Response:
        """``GET /v2/models/{model}``."""
        slot = self._slot(request)
        slot.require_ready()
        return Response.json(
            {
                "name": slot.name,
                "versions": [slot.version],
                "platform": slot.predictor.platform,
                "inputs": slot.predictor.get_input_types(),
                "outputs": slot.predictor.get_output_types(),
            }
        )

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics``: this server's metrics, then KServe's and the process's."""
        return Response(200, self._metrics.exposition(), [(b"content-type", CONTENT_TYPE_PLAIN_0_0_4.encode())])

    async def repository_index(self, request: Request) -> Response:
        """``POST /v2/repository/index``."""
        self._require_repository()
        return Response.json([_index_entry(slot) for slot in self._registry.slots.values()])

    async def repository_load(self, request: Request) -> Response:
        """``POST /v2/repository/models/{model}/load``: load again from the same artifact."""
        self._require_repository()
        slot = self._slot(request)
        await self._registry.load(slot)
        return Response.json({"name": slot.name, "load": True})

    async def repository_unload(self, request: Request) -> Response:
        """``POST /v2/repository/models/{model}/unload``."""
        self._require_repository()
        slot = self._slot(request)
        await self._registry.unload(slot)
        return Response.json({"name": slot.name, "unload": True})

    def _require_repository(self) -> None:
        if not self._enable_repository:
            raise NotFound(REPOSITORY_OFF)

    def _slot(self, request: Request) -> Slot:
        slot = self._registry.find(request.params["model"], request.params.get("version", ""))
        request.slot = slot
        return slot

    def _ready_slot(self, request: Request) -> Slot:
        slot = self._slot(request)
        slot.require_ready()
        return slot


def readiness(content: dict[str, Any], unready: str) -> Response:
    """200 with the content, or 503 with the reason."""
    if unready:
        return Response.json({**content, "ready": False, "error": unready}, 503)
    return Response.json(content)


async def _v1_parts(slot: Slot, batch: Batch, deadline: float) -> AsyncGenerator[bytes, None]:
    """A streamed answer: events as the model gives them, then ``done`` with what V1 answers otherwise."""
    async with contextlib.aclosing(slot.stream(batch, deadline)) as parts:
        async for part in parts:
            if isinstance(part, Event):
                yield sse.event(part.data, part.name)
            else:
                yield sse.event(v1.encode_payload(part, slot.predictor.v1_fields, slot.version), "done")


def _json_length(request: Request) -> int | None:
    given = request.header(b"inference-header-content-length")
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 12:
        raise InvalidInput("inference-header-content-length must be a number of bytes")
    return int(given)


def _index_entry(slot: Slot) -> dict[str, str]:
    state = {State.READY: "READY", State.LOADING: "LOADING"}.get(slot.state, "UNAVAILABLE")
    return {"name": slot.name, "version": slot.version, "state": state, "reason": slot.reason}
