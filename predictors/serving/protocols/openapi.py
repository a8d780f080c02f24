"""The OpenAPI document: what this server, with these models, really takes and gives."""

from typing import Any, TypeAlias

from predictors import __version__
from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.model.types import FeatureInput, TensorSpec
from predictors.serving.protocols.tensors import allowed_types

Schema: TypeAlias = dict[str, Any]

_STRING: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number", "minimum": -3.4e38, "maximum": 3.4e38}
_ERRORS = {
    "400": "The request is not as described.",
    "404": "No such model or version.",
    "405": "The path is for other methods.",
    "413": "The body, its rows or a text are over a limit.",
    "415": "The body is not JSON.",
    "422": "A field is missing or wrong.",
    "429": "Too many requests are waiting.",
    "503": "Not ready; the text says why.",
    "504": "The deadline passed.",
}


def document(models: list[ServedModel]) -> Schema:
    """Build the document.

    Args:
        models: all that are served.
    """
    paths = _server_paths()
    for model in models:
        paths |= _model_paths(model)
    paths |= _legacy_path(models) | _openai_paths([model for model in models if model.predictor.generates])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kserve-predictors",
            "version": __version__,
            "description": "V1, V2 (Open Inference), OpenAI's API and the earlier services' /predict.",
        },
        "paths": paths,
        "components": {"schemas": {"Error": _object({"error": _STRING})}},
    }


def _server_paths() -> Schema:
    names = _object({"models": _array(_STRING)})
    live = _object({"live": {"type": "boolean"}})
    server = _object({"name": _STRING, "version": _STRING, "extensions": _array(_STRING)})
    described = _object(
        {
            "name": _STRING,
            "kind": _STRING,
            "version": _STRING,
            "format": _STRING,
            "loaded": {"type": "boolean"},
            "reason": _STRING,
        }
    )
    return {
        "/": _get("Liveness, as V1 has it", _object({"status": _STRING})),
        "/health": _get("Liveness", _object({"status": _STRING})),
        "/ready": _get("Readiness of all models", _ready({"models": {"type": "object"}}), "503"),
        "/models": _get("The models, with version and format", _object({"models": _array(described)})),
        "/v1/models": _get("The models' names", names),
        "/v2": _get("Server metadata", server),
        "/v2/models": _get("The models' names", names),
        "/v2/health/live": _get("Liveness", live),
        "/v2/health/ready": _get("Readiness of all models", _ready({}), "503"),
        "/metrics": {
            "get": {
                "summary": "Prometheus metrics",
                "responses": {"200": {"description": "Text format", "content": {"text/plain": {"schema": _STRING}}}},
            }
        },
    }


def _model_paths(model: ServedModel) -> Schema:
    predictor, name = model.predictor, model.name
    metadata = _object(
        {
            "name": _STRING,
            "versions": _array(_STRING),
            "platform": _STRING,
            "inputs": _array(_object({"name": _STRING, "datatype": _STRING, "shape": _array(_INTEGER)})),
            "outputs": _array(_object({"name": _STRING, "datatype": _STRING, "shape": _array(_INTEGER)})),
        }
    )
    ready = _ready({"name": _STRING})
    infer = _post("Predict (V2)", _v2_request(model), _v2_answer(predictor.outputs), "404")
    # With the binary tensor extension, JSON is followed by tensors, and the header has the JSON's length.
    infer["post"]["responses"]["200"]["content"]["application/octet-stream"] = {"schema": {}}
    paths = {
        f"/v1/models/{name}": _get("Readiness of the model", ready, "503"),
        f"/v1/models/{name}:predict": _post("Predict (V1)", _v1_request(model), _v1_answer(model)),
        f"/v2/models/{name}": _get("Metadata of the model", metadata, "503"),
        f"/v2/models/{name}/ready": _get("Readiness of the model", ready, "503"),
        f"/v2/models/{name}/infer": infer,
    }
    version = {"name": "version", "in": "path", "required": True, "schema": _STRING}
    for suffix in ("", "/ready", "/infer"):
        base = paths[f"/v2/models/{name}{suffix}"]
        [(method, operation)] = base.items()
        responses = {**operation["responses"], "404": _error("404")}
        parameters = [*operation.get("parameters", []), version]
        paths[f"/v2/models/{name}/versions/{{version}}{suffix}"] = {
            method: {**operation, "parameters": parameters, "responses": responses}
        }
    return paths


def _v1_request(model: ServedModel) -> Schema:
    kind = model.predictor.input
    if isinstance(kind, FeatureInput):
        row = {"type": "array", "items": _NUMBER, "minItems": len(kind.names), "maxItems": len(kind.names)}
        instance = {"anyOf": [row, _object(dict.fromkeys(kind.names, _NUMBER), closed=True)]}
    else:
        text = _text(model)
        instance = {"anyOf": [text, _object({kind.name: text})]}
    instances = {"type": "array", "items": instance, "minItems": 1, "maxItems": model.limits.max_rows}
    schema = _object({"instances": instances})
    schema["properties"]["parameters"] = model.predictor.parameters_schema()
    return schema


def _v1_answer(model: ServedModel) -> Schema:
    by_name = {spec.name: spec for spec in model.predictor.outputs}
    properties: Schema = {"model_version": _STRING}
    for field, source in model.predictor.v1_fields.items():
        if isinstance(source, str):
            properties[field] = _array(_row(by_name[source]) if source in by_name else {})  # V2 has it in another form
        else:
            properties[field] = _array(_object({column: _row(by_name[column]) for column in source}))
    return _object(properties)


def _row(spec: TensorSpec) -> Schema:
    value = {"BYTES": _STRING, "INT64": _INTEGER}.get(spec.datatype, {"type": "number"})
    return _array(value) if len(spec.shape) > 1 else value


def _v2_request(model: ServedModel) -> Schema:
    kind = model.predictor.input
    element, most = (_NUMBER, len(kind.names)) if isinstance(kind, FeatureInput) else (_text(model), 1)
    tensor = _object(
        {
            "name": {"type": "string", "minLength": 1, "maxLength": 128},
            "datatype": {"enum": list(allowed_types(kind))},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 2},
            "data": {
                "description": "As many elements as the shape's product, flat or nested as the shape is.",
                "type": "array",
                "items": {"anyOf": [element, {"type": "array", "items": element, "minItems": 1}]},
                "minItems": 1,
            },
        }
    )
    schema = _object({"inputs": {"type": "array", "items": tensor, "minItems": 1, "maxItems": most}})
    names = [spec.name for spec in model.predictor.outputs]
    output = _object({"name": {"enum": names}})
    output["properties"]["parameters"] = _object({"binary_data": {"type": "boolean"}})
    schema["properties"]["id"] = _STRING
    schema["properties"]["parameters"] = model.predictor.parameters_schema()
    schema["properties"]["outputs"] = {"type": "array", "items": output, "maxItems": len(names)}
    return schema


def _v2_answer(specs: tuple[TensorSpec, ...]) -> Schema:
    tensor = _object(
        {
            "name": {"enum": [spec.name for spec in specs]},
            "datatype": {"enum": sorted({spec.datatype for spec in specs})},
            "shape": _array(_INTEGER),
            "data": {"type": "array"},
        }
    )
    return _object({"model_name": _STRING, "model_version": _STRING, "outputs": _array(tensor)})


def _legacy_path(models: list[ServedModel]) -> Schema:
    forms = []
    for model in models:
        if not model.predictor.classifies:
            continue
        kind = model.predictor.input
        if isinstance(kind, FeatureInput):
            count = len(kind.names)
            features = {"type": "array", "items": _NUMBER, "minItems": count, "maxItems": count}
            forms.append(_object({"features": features}, closed=True))
        else:
            forms.append(_object({"text": _text(model)}, closed=True))
    if not forms:
        return {}
    answer = _object(
        {
            "request_id": _STRING,
            "prediction": _STRING,
            "confidence": {"type": "number"},
            "model_version": _STRING,
            "latency_ms": {"type": "number"},
        }
    )
    return {"/predict": _post("Predict, as the earlier services did", {"anyOf": forms}, answer, "404", "422")}


def _openai_paths(models: list[ServedModel]) -> Schema:
    if not models:
        return {}
    from predictors.serving.protocols.openai import schema as openai_schema

    names, most = [model.name for model in models], max(model.limits.max_text_chars for model in models)
    model = _get("A model", openai_schema.model(), "404")
    model["get"]["parameters"] = [{"name": "model", "in": "path", "required": True, "schema": {"enum": names}}]
    chat = _post("Chat", openai_schema.chat_request(names, most), openai_schema.chat_answer(), "404")
    completion = _post(
        "Go on from a text", openai_schema.completion_request(names, most), openai_schema.completion_answer(), "404"
    )
    for operation in (chat["post"], completion["post"]):
        operation["responses"]["200"]["content"]["text/event-stream"] = {"schema": {}}  # with "stream": true
    paths = {"chat/completions": chat, "completions": completion, "models/{model}": model}
    for [operation] in (path.values() for path in paths.values()):
        for status, response in operation["responses"].items():
            if status != "200":
                response["content"]["application/json"]["schema"] = openai_schema.error()
    paths["models"] = _get("The models that generate text", openai_schema.model_list())
    return {f"/openai/v1/{path}": described for path, described in paths.items()}


def _text(model: ServedModel) -> Schema:
    return {"type": "string", "pattern": r"\S", "maxLength": model.limits.max_text_chars}


def _object(properties: Schema, closed: bool = False) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "required": list(properties)}
    if closed:
        schema["additionalProperties"] = False
    return schema


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ready(properties: Schema) -> Schema:
    return _object({**properties, "ready": {"type": "boolean"}})


def _error(status: str) -> Schema:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": _ERRORS[status], "content": {"application/json": {"schema": schema}}}


def _get(summary: str, schema: Schema, *statuses: str) -> Schema:
    responses = {status: _error(status) for status in statuses}
    responses["200"] = {"description": "OK", "content": {"application/json": {"schema": schema}}}
    return {"get": {"summary": summary, "responses": responses}}


def _post(summary: str, request: Schema, answer: Schema, *statuses: str) -> Schema:
    responses = {status: _error(status) for status in ("400", "413", "415", "429", "503", "504", *statuses)}
    responses["200"] = {"description": "OK", "content": {"application/json": {"schema": answer}}}
    return {
        "post": {
            "summary": summary,
            "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
            "parameters": [
                {
                    "name": "x-request-id",
                    "in": "header",
                    "required": False,
                    "description": "Given back if it is sane; a new one is made otherwise.",
                    "schema": _STRING,
                }
            ],
            "responses": responses,
        }
    }
