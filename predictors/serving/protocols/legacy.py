"""The paths of the services that came before: ``/predict``, ``/health``, ``/ready`` and ``/models``."""

import time
from typing import Any

import numpy as np

from predictors.serving.model.types import Batch, FeatureBatch, FeatureInput, Outputs, TextBatch, TextInput
from predictors.serving.app.endpoints import readiness
from predictors.serving.errors import InvalidInput, MissingField, NotFound
from predictors.serving.protocols.http import Request, Response
from predictors.serving.protocols.json_body import parse_object
from predictors.serving.dispatch.registry import Registry
from predictors.serving.app.routing import Route, Router
from predictors.serving.model.validation import feature_rows, text_rows
from predictors.serving.dispatch.served_model import Slot, State


class LegacyEndpoints:
    """Handlers on one registry.

    Args:
        registry: the models.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def register(self, router: Router) -> None:
        """Add all routes."""
        router.add("POST", "/predict", Route(self.predict, "legacy"))
        router.add("GET", "/health", Route(self.health, quiet=True))
        router.add("GET", "/ready", Route(self.ready, quiet=True))
        router.add("GET", "/models", Route(self.models))

    async def predict(self, request: Request) -> Response:
        """``POST /predict``: one row; its field says which model is meant."""
        request.require_json()
        deadline = request.parse_deadline()
        body = await request.body(deadline)
        payload = parse_object(body, "features", "text")
        slot = self._slot_for(payload)
        request.slot = slot
        slot.require_ready()
        batch = _decode(payload, slot)
        outputs = await slot.answer(batch, deadline, request)
        return Response.json(
            {
                "request_id": request.id,
                "prediction": _label(outputs),
                "confidence": float(np.max(outputs["predict_proba"])),
                "model_version": slot.version,
                "latency_ms": round((time.monotonic() - request.started) * 1000, 3),
            }
        )

    async def health(self, request: Request) -> Response:
        """``GET /health``: 200 as long as the event loop turns."""
        return Response.json({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """``GET /ready``: 200 when every model can answer."""
        states = {slot.name: slot.state.value for slot in self._registry.slots.values()}
        return readiness({"ready": True, "models": states}, self._registry.unready())

    async def models(self, request: Request) -> Response:
        """``GET /models``: what is served."""
        return Response.json({"models": [_describe(slot) for slot in self._registry.slots.values()]})

    def _slot_for(self, payload: dict[str, Any]) -> Slot:
        given = [field for field in ("features", "text") if field in payload]
        if len(given) != 1:
            raise MissingField(
                'exactly one of the fields "features" (a list of numbers) and "text" (a string) is needed'
            )
        wanted = FeatureInput if given == ["features"] else TextInput
        for slot in self._registry.slots.values():
            predictor = slot.predictor
            classifies = any(spec.name == "predict_proba" for spec in predictor.outputs)
            if classifies and isinstance(predictor.input, wanted):
                return slot
        raise NotFound(f'no classifier that takes "{given[0]}" is served here')


def _decode(payload: dict[str, Any], slot: Slot) -> Batch:
    kind = slot.predictor.input
    try:
        if isinstance(kind, FeatureInput):
            return FeatureBatch(feature_rows([payload["features"]], kind.names, "features"))
        return TextBatch(text_rows([payload["text"]], "text", "text", slot.limits))
    except InvalidInput as error:
        raise MissingField(str(error).replace("features[0]", "features").replace("text[0]", "text")) from None


def _label(outputs: Outputs) -> Any:
    return outputs["label" if "label" in outputs else "predict"][0]


def _describe(slot: Slot) -> dict[str, Any]:
    return {
        "name": slot.name,
        "kind": slot.predictor.kind,
        "version": slot.version,
        "format": slot.predictor.format,
        "loaded": slot.state is State.READY,
        "reason": slot.reason,
    }
