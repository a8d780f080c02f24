"""The endpoints of OpenAI's API, for the models that generate text."""

import contextlib
import time
from collections.abc import AsyncGenerator

from predictors.serving.protocols.openai import requests as openai
from predictors.serving.protocols import sse
from predictors.serving.model.types import Event
from predictors.serving.app.endpoints import SERVER_NAME
from predictors.serving.errors import NotFound
from predictors.serving.protocols.http import Request, Response
from predictors.serving.protocols.json_body import parse_object
from predictors.serving.protocols.openai.replies import ChatReply, CompletionReply, Reply, error_body, model_object
from predictors.serving.dispatch.registry import Registry
from predictors.serving.app.routing import Route, Router
from predictors.serving.dispatch.served_model import Slot

BASE = "/openai/v1"
_DONE = b"data: [DONE]\n\n"


class OpenAiEndpoints:
    """Handlers on one registry.

    Args:
        registry: the models; those that do not generate text are not found here.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._created = int(time.time())

    def register(self, router: Router) -> None:
        """Add all routes."""
        router.add("POST", f"{BASE}/chat/completions", Route(self.chat, "openai", error_body=error_body))
        router.add("POST", f"{BASE}/completions", Route(self.completion, "openai", error_body=error_body))
        router.add("GET", f"{BASE}/models", Route(self.models, error_body=error_body))
        router.add("GET", f"{BASE}/models/{{model}}", Route(self.model, error_body=error_body))

    async def chat(self, request: Request) -> Response:
        """``POST /openai/v1/chat/completions``."""
        return await self._answer(request, "messages", openai.decode_chat, ChatReply)

    async def completion(self, request: Request) -> Response:
        """``POST /openai/v1/completions``."""
        return await self._answer(request, "prompt", openai.decode_completion, CompletionReply)

    async def models(self, request: Request) -> Response:
        """``GET /openai/v1/models``."""
        data = [model_object(name, self._created, SERVER_NAME) for name in self._generating()]
        return Response.json({"object": "list", "data": data})

    async def model(self, request: Request) -> Response:
        """``GET /openai/v1/models/{model}``."""
        slot = self._slot(request, request.params["model"])
        return Response.json(model_object(slot.name, self._created, SERVER_NAME))

    async def _answer(self, request: Request, subject: str, decode: openai.Decode, reply_type: type[Reply]) -> Response:
        request.require_json()
        deadline = request.parse_deadline()
        payload = parse_object(await request.body(deadline), subject, "model")
        slot = self._slot(request, openai.model_name(payload))
        slot.require_ready()
        begun = time.monotonic()
        generation = decode(payload, slot.limits)
        decoded = time.monotonic()
        reply = reply_type(request.id, slot.name, slot.version, generation.include_usage)
        if generation.stream:
            return await sse.response(_chunks(slot, generation, reply, deadline))
        outputs = await slot.answer(generation.batch, deadline, request)
        predicted = time.monotonic()
        response = Response.json(reply.whole(outputs))
        slot.observe_steps(begun, decoded, predicted, time.monotonic())
        return response

    def _slot(self, request: Request, name: str) -> Slot:
        slot = self._registry.find(name)
        if not slot.predictor.generates:
            raise NotFound(f'model "{name}" does not generate text; {", ".join(self._generating())} can be used here')
        request.slot = slot
        return slot

    def _generating(self) -> list[str]:
        return [name for name, slot in self._registry.slots.items() if slot.predictor.generates]


async def _chunks(
    slot: Slot, generation: openai.Generation, reply: Reply, deadline: float
) -> AsyncGenerator[bytes, None]:
    """A streamed answer. Nothing is sent before the model gives something, so that until then errors have a status."""
    async with contextlib.aclosing(slot.stream(generation.batch, deadline)) as parts:
        chunks = reply.opening()
        async for part in parts:
            if isinstance(part, Event):
                chunks.append(reply.piece(part.data["text"]))
                yield b"".join(map(sse.event, chunks))
                chunks = []
            else:
                yield b"".join(map(sse.event, [*chunks, *reply.ending(part)])) + _DONE
