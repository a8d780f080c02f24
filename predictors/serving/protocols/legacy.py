"""The paths of the earlier services: ``/predict``, ``/health``, ``/ready`` and ``/models``."""

import time
from typing import Any

import numpy as np

from predictors.serving.dataplane import DataPlane
from predictors.serving.dispatch.served_model import ServedModel, State
from predictors.serving.errors import InvalidInput, MissingField, NotFound
from predictors.serving.model.types import Batch, FeatureBatch, FeatureInput, Outputs, TextBatch, TextInput
from predictors.serving.model.validation import feature_rows, text_rows
from predictors.serving.protocols.http import Request, Response
from predictors.serving.protocols.json_body import parse_object
from predictors.serving.protocols.readiness import readiness


class LegacyHandlers:
    """The earlier services' API over a data plane."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def predict(self, request: Request) -> Response:
        """``POST /predict``: one row; the field that holds it selects the model."""
        request.require_json()
        payload = parse_object(await request.body(), "features", "text")
        inference = self._plane.open(request, self._model_for(payload).name)
        model = inference.model
        outputs = await inference.answer(inference.decode(_decode, payload, model))
        return Response.json(inference.encode(_encode, outputs, request, model.version))

    async def health(self, request: Request) -> Response:
        """``GET /health``: 200 as long as the event loop runs."""
        return Response.json({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """``GET /ready``: 200 when every model can answer."""
        states = {model.name: model.state.value for model in self._plane.models}
        return readiness({"ready": True, "models": states}, self._plane.unready())

    async def models(self, request: Request) -> Response:
        """``GET /models``: what is served."""
        return Response.json({"models": [_describe(model) for model in self._plane.models]})

    def _model_for(self, payload: dict[str, Any]) -> ServedModel:
        given = [field for field in ("features", "text") if field in payload]
        if len(given) != 1:
            raise MissingField(
                'exactly one of the fields "features" (a list of numbers) and "text" (a string) is needed'
            )
        wanted = FeatureInput if given == ["features"] else TextInput
        for model in self._plane.models:
            if model.predictor.classifies and isinstance(model.predictor.input, wanted):
                return model
        raise NotFound(f'no classifier that takes "{given[0]}" is served here')


def _decode(payload: dict[str, Any], model: ServedModel) -> Batch:
    kind = model.predictor.input
    try:
        if isinstance(kind, FeatureInput):
            return FeatureBatch(feature_rows([payload["features"]], kind.names, "features"))
        return TextBatch(text_rows([payload["text"]], "text", "text", model.limits))
    except InvalidInput as error:
        raise MissingField(str(error).replace("features[0]", "features").replace("text[0]", "text")) from None


def _encode(outputs: Outputs, request: Request, version: str) -> dict[str, Any]:
    return {
        "request_id": request.id,
        "prediction": outputs["label" if "label" in outputs else "predict"][0],
        "confidence": float(np.max(outputs["predict_proba"])),
        "model_version": version,
        "latency_ms": round((time.monotonic() - request.started) * 1000, 3),
    }


def _describe(model: ServedModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": model.predictor.kind,
        "version": model.version,
        "format": model.predictor.format,
        "loaded": model.state is State.READY,
        "reason": model.reason,
    }
