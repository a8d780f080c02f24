"""The handlers of V1."""

import contextlib
from collections.abc import AsyncGenerator

from predictors.serving.dataplane import DataPlane, Inference
from predictors.serving.model.types import Batch, Event
from predictors.serving.protocols import sse
from predictors.serving.protocols.http import JSON, Request, Response
from predictors.serving.protocols.readiness import readiness
from predictors.serving.protocols.v1 import codec


class V1Handlers:
    """V1 over a data plane."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def predict(self, request: Request) -> Response:
        """``POST /v1/models/{model}:predict``."""
        inference = await self._plane.open(request, request.params["model"])
        request.require_json()
        body = await request.body()
        model = inference.model
        predictor = model.predictor
        batch = await inference.decode(codec.decode, body, predictor.input, model.limits)
        if predictor.streams and codec.take_stream(batch):
            return await sse.response(_events(request, inference, batch))
        outputs = await inference.answer(batch)
        return Response(200, inference.encode(codec.encode, outputs, predictor.v1_fields, request.version), [JSON])

    async def status(self, request: Request) -> Response:
        """``GET /v1/models/{model}``: whether it is ready."""
        model = self._plane.find(request, request.params["model"])
        return readiness({"name": model.name, "ready": True}, self._plane.model_unready(model))

    async def models(self, request: Request) -> Response:
        """``GET /v1/models``."""
        return Response.json({"models": [model.name for model in self._plane.visible(request)]})

    async def alive(self, request: Request) -> Response:
        """``GET /``: liveness, as KServe has it."""
        return Response.json({"status": "alive"})


async def _events(request: Request, inference: Inference, batch: Batch) -> AsyncGenerator[bytes, None]:
    """A streamed answer: events as the model emits them, then ``done`` with the usual V1 answer."""
    fields = inference.model.predictor.v1_fields
    async with contextlib.aclosing(inference.stream(batch)) as parts:
        async for part in parts:
            if isinstance(part, Event):
                yield sse.event(part.data, part.name)
            else:
                yield sse.frame(inference.encode(codec.encode, part, fields, request.version), "done")
