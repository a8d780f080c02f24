"""The paths of the earlier services: ``/predict``, ``/inference``, ``/health``, ``/ready`` and ``/models``."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from predictors.serving.dataplane import DataPlane
from predictors.serving.dispatch.registry import StoredVersion
from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.dispatch.state import State
from predictors.serving.errors import InvalidInput, MissingField, NotFound
from predictors.serving.model.names import json_type
from predictors.serving.model.types import Batch, FeatureBatch, FeatureInput, Outputs, TextBatch, TextInput
from predictors.serving.model.validation import feature_rows, text_rows
from predictors.serving.protocols.http import Request, Response
from predictors.serving.protocols.json_body import parse_object

_LATEST = "latest"


class LegacyHandlers:
    """The earlier services' API over a data plane."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def predict(self, request: Request) -> Response:
        """``POST /predict``: one row; the field that holds it selects the model."""
        payload = await self._parse(request, "features", "text", "model_version")
        model = self._model_for(request, _only(payload, ""), "")
        return await self._answer(request, _Row(payload, "", model.name, _version(payload)))

    async def inference(self, request: Request) -> Response:
        """``POST /inference``: one row, for the model that ``model_type`` names."""
        payload = await self._parse(request, "model_type", "data", "features", "text", "model_version")
        kind, data = payload.get("model_type"), payload.get("data")
        if type(kind) is not str:
            raise MissingField(f'"model_type" is {json_type(kind)}; the name of a model is expected', "model_type")
        if type(data) is not dict:
            raise MissingField(f'"data" is {json_type(data)}; an object with "features" or "text" is expected', "data")
        model = self._model_for(request, _only(data, "data."), kind)
        return await self._answer(request, _Row(data, "data.", model.name, _version(payload)))

    async def health(self, request: Request) -> Response:
        """``GET /health``: 200 as long as the event loop runs."""
        return Response.json({"status": "healthy", "timestamp": datetime.now(UTC).isoformat()})

    async def ready(self, request: Request) -> Response:
        """``GET /ready``: 200 when every model can answer."""
        if unready := self._plane.unready():
            return Response.json({"status": "not ready", "error": unready}, 503)
        return Response.json({"status": "ready"})

    async def models(self, request: Request) -> Response:
        """``GET /models``: what is served."""
        models = self._plane.visible(request)
        return Response.json({"models": {model.name: self._describe(model) for model in models}})

    def _describe(self, model: ServedModel) -> dict[str, Any]:
        versions = self._plane.stored(model)
        described = {
            "version": model.version,
            "kind": model.predictor.kind,
            "format": model.predictor.format,
            "loaded": model.state is State.READY,
            "ready": not self._plane.model_unready(model),
            "reason": model.reason,
        }
        if versions is not None:
            described["versions"] = {each.model.version: _describe_version(each) for each in versions}
        return described

    async def _parse(self, request: Request, *unique: str) -> dict[str, Any]:
        request.require_json()
        return await self._plane.parse(request, parse_object, await request.body(), *unique)

    def _model_for(self, request: Request, field: str, kind: str) -> ServedModel:
        """The first classifier of the caller's that takes what a field holds; of a kind or name, if one is given."""
        wanted = FeatureInput if field == "features" else TextInput
        for model in self._plane.visible(request):
            predictor = model.predictor
            if kind not in ("", model.name, predictor.kind) or not predictor.classifies:
                continue
            if isinstance(predictor.input, wanted):
                return model
        raise NotFound(f'no classifier {f"called {kind[:64]} " if kind else ""}that takes "{field}" is served here')

    async def _answer(self, request: Request, row: "_Row") -> Response:
        inference = await self._plane.open(request, row.model, row.version)
        model = inference.model
        outputs = await inference.answer(await inference.decode(_decode, row, model))
        return Response.json(inference.encode(_encode, outputs, request, model.version))


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, and which model it is for.

    Args:
        fields: the object that holds it.
        where: what to put before the names of its fields in errors.
        model: the model's name.
        version: the version that must be loaded; empty for any.
    """

    fields: dict[str, Any]
    where: str
    model: str
    version: str


def _only(fields: dict[str, Any], where: str) -> str:
    """Which of the two fields that may hold a row is there."""
    given = [field for field in ("features", "text") if field in fields]
    if len(given) != 1:
        raise MissingField(
            f'exactly one of the fields "{where}features" (a list of numbers) and "{where}text" (a string) is needed'
        )
    return given[0]


def _version(payload: dict[str, Any]) -> str:
    version = payload.get("model_version", _LATEST)
    if type(version) is not str or not version:
        found = "empty" if version == "" else json_type(version)
        raise MissingField(f'"model_version" is {found}; the loaded one or "{_LATEST}" is expected', "model_version")
    return "" if version == _LATEST else version


def _decode(row: _Row, model: ServedModel) -> Batch:
    kind, name = model.predictor.input, row.where
    try:
        if isinstance(kind, FeatureInput):
            return FeatureBatch(feature_rows([row.fields["features"]], kind.names, f"{name}features"))
        return TextBatch(text_rows([row.fields["text"]], "text", f"{name}text", model.limits))
    except InvalidInput as error:
        raise MissingField(str(error).replace("features[0]", "features").replace("text[0]", "text")) from None


def _encode(outputs: Outputs, request: Request, version: str) -> dict[str, Any]:
    label = {"label": outputs["label"][0]} if "label" in outputs else {}
    return {
        "request_id": request.id,
        "prediction": outputs["predict"][0],
        **label,
        "confidence": float(np.max(outputs["predict_proba"])),
        "model_version": version,
        "latency_ms": round((time.monotonic() - request.started) * 1000, 3),
    }


def _describe_version(version: StoredVersion) -> dict[str, Any]:
    last = version.last_use
    return {
        "state": version.model.state.value,
        "reason": version.model.reason,
        "default": version.default,
        "bytes": version.bytes,
        "last_use": None if last is None else datetime.fromtimestamp(last, UTC).isoformat(timespec="milliseconds"),
    }
