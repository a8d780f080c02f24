"""The handlers of OpenAI's API, for the models that generate text."""

import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

from predictors.serving.dataplane import DataPlane, Inference
from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.errors import NotFound
from predictors.serving.model.types import Event
from predictors.serving.protocols import sse
from predictors.serving.protocols.http import Request, Response
from predictors.serving.protocols.json_body import parse_object
from predictors.serving.protocols.openai import requests as openai
from predictors.serving.protocols.openai.replies import (
    AnswerWriter,
    ChatCompletionWriter,
    CompletionWriter,
    model_object,
)

_DONE = b"data: [DONE]\n\n"


class OpenAiHandlers:
    """OpenAI's API over a data plane; models that do not generate text are not found here."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self._created = int(time.time())

    async def chat(self, request: Request) -> Response:
        """``POST /openai/v1/chat/completions``."""
        return await self._answer(request, "messages", openai.decode_chat, ChatCompletionWriter)

    async def completion(self, request: Request) -> Response:
        """``POST /openai/v1/completions``."""
        return await self._answer(request, "prompt", openai.decode_completion, CompletionWriter)

    async def models(self, request: Request) -> Response:
        """``GET /openai/v1/models``."""
        owner = self._plane.metadata().name
        data = [model_object(model.name, self._created, owner) for model in self._generating(request)]
        return Response.json({"object": "list", "data": data})

    async def model(self, request: Request) -> Response:
        """``GET /openai/v1/models/{model}``."""
        model = self._plane.find(request, request.params["model"])
        self._require_generating(request, model)
        return Response.json(model_object(model.name, self._created, self._plane.metadata().name))

    async def _answer(
        self, request: Request, subject: str, decode: openai.Decode, writer_type: type[AnswerWriter]
    ) -> Response:
        request.require_json()
        payload = await self._plane.parse(request, parse_object, await request.body(), subject, "model")
        name = openai.model_name(payload)
        self._require_generating(request, self._plane.find(request, name))
        inference = await self._plane.open(request, name)
        model = inference.model
        generation = await inference.decode(decode, payload, model.limits)

        def new_writer() -> AnswerWriter:  # once it is known which version answers
            return writer_type(request.id, model.name, request.version, generation.include_usage)

        if generation.stream:
            return await sse.response(_chunks(inference, generation, new_writer))
        outputs = await inference.answer(generation.batch)
        return Response.json(inference.encode(new_writer().whole, outputs))

    def _require_generating(self, request: Request, model: ServedModel) -> None:
        if not model.predictor.generates:
            names = ", ".join(each.name for each in self._generating(request)) or "no model"
            raise NotFound(f'model "{model.name}" does not generate text; {names} can be used here')

    def _generating(self, request: Request) -> list[ServedModel]:
        return [model for model in self._plane.visible(request) if model.predictor.generates]


async def _chunks(
    inference: Inference, generation: openai.GenerationRequest, new_writer: Callable[[], AnswerWriter]
) -> AsyncGenerator[bytes, None]:
    """A streamed answer. Nothing is sent before the model's first text, so that until then errors have a status."""
    async with contextlib.aclosing(inference.stream(generation.batch)) as parts:
        writer: AnswerWriter | None = None
        chunks: list[dict[str, Any]] = []
        async for part in parts:
            if writer is None:
                writer = new_writer()
                chunks = writer.opening()
            if isinstance(part, Event):
                chunks.append(writer.piece(part.data["text"]))
                yield b"".join(map(sse.event, chunks))
                chunks = []
            else:
                yield b"".join(map(sse.event, [*chunks, *inference.encode(writer.ending, part)])) + _DONE
