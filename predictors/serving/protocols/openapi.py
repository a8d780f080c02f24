"""The OpenAPI document: what this server, with these models, really takes and gives."""

from predictors import __version__
from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.model.types import ColumnInput, FeatureInput, Input, TensorSpec
from predictors.serving.protocols.json_schema import BOOLEAN, INTEGER, STRING, Schema, array, obj
from predictors.serving.protocols.tensors import allowed_types

_NUMBER: Schema = {"type": "number", "minimum": -3.4e38, "maximum": 3.4e38}
_ERRORS = {
    "400": "The request is not as described.",
    "404": "No such model or version.",
    "413": "The body, its rows or a text exceed a limit.",
    "415": "The body is not JSON.",
    "422": "A field is missing or wrong.",
    "429": "Too many requests are waiting.",
    "503": "Not ready; the text says why.",
    "504": "The deadline passed.",
}
_REQUEST_ID = {
    "name": "x-request-id",
    "in": "header",
    "required": False,
    "description": "Returned if it is safe to log; otherwise a new one is made.",
    "schema": STRING,
}
_VERSION = {"name": "version", "in": "path", "required": True, "schema": STRING}


def document(models: list[ServedModel]) -> Schema:
    """Build the document for the models that are served."""
    paths = _server_paths()
    for model in models:
        paths |= _model_paths(model)
    paths |= _legacy_paths(models) | _openai_paths([model for model in models if model.predictor.generates])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kserve-predictors",
            "version": __version__,
            "description": "V1, V2 (Open Inference), OpenAI's API and the earlier services' paths.",
        },
        "paths": paths,
        "components": {"schemas": {"Error": obj({"error": STRING})}},
    }


def _server_paths() -> Schema:
    status = obj({"status": STRING})
    names = obj({"models": array(STRING)})
    version = obj(
        dict.fromkeys(("state", "reason"), STRING)
        | {"default": BOOLEAN, "bytes": {"type": "integer"}, "last_use": {"type": ["string", "null"]}}
    )
    described = obj(
        dict.fromkeys(("version", "kind", "format", "reason"), STRING) | {"loaded": BOOLEAN, "ready": BOOLEAN},
        {"versions": {"type": "object", "additionalProperties": version}},
    )
    listed = obj({"models": {"type": "object", "additionalProperties": described}})
    metrics = {"description": "Text format", "content": {"text/plain": {"schema": STRING}}}
    return {
        "/": _get("Liveness, as in V1", status),
        "/health": _get("Liveness", obj({"status": STRING, "timestamp": {"type": "string", "format": "date-time"}})),
        "/ready": _get("Readiness of all models", status, "503"),
        "/models": _get("The models by name, with version and format", listed),
        "/v1/models": _get("The models' names", names),
        "/v2": _get("Server metadata", obj({"name": STRING, "version": STRING, "extensions": array(STRING)})),
        "/v2/models": _get("The models' names", names),
        "/v2/health/live": _get("Liveness", obj({"live": BOOLEAN})),
        "/v2/health/ready": _get("Readiness of all models", obj({"ready": BOOLEAN}), "503"),
        "/metrics": {"get": {"summary": "Prometheus metrics", "responses": {"200": metrics}}},
    }


def _model_paths(model: ServedModel) -> Schema:
    tensors = array(obj({"name": STRING, "datatype": STRING, "shape": array(INTEGER)}))
    metadata = obj(
        {"name": STRING, "versions": array(STRING), "platform": STRING, "inputs": tensors, "outputs": tensors}
    )
    ready = _get("Readiness of the model", obj({"name": STRING, "ready": BOOLEAN}), "503")
    infer = _post("Predict (V2)", _v2_request(model), _v2_answer(model.predictor.outputs), "404")
    # With the binary tensor extension, tensors follow the JSON, whose length a header gives.
    infer["post"]["requestBody"]["content"]["application/json"]["example"] = _v2_example(model.predictor.input)
    infer["post"]["responses"]["200"]["content"]["application/octet-stream"] = {"schema": {}}
    v1, v2 = f"/v1/models/{model.name}", f"/v2/models/{model.name}"
    paths = {v1: ready, f"{v1}:predict": _post("Predict (V1)", _v1_request(model), _v1_answer(model))}
    described = {"": _get("Metadata of the model", metadata, "503"), "/config": _config()}
    for suffix, path in {**described, "/ready": ready, "/infer": infer}.items():
        paths[f"{v2}{suffix}"] = path
        [(method, operation)] = path.items()
        parameters = [*operation.get("parameters", []), _VERSION]
        responses = {**operation["responses"], "404": _error("404")}
        versioned = {method: {**operation, "parameters": parameters, "responses": responses}}
        paths[f"{v2}/versions/{{version}}{suffix}"] = versioned
    return paths


def _config() -> Schema:
    tensors = array(obj({"name": STRING, "data_type": STRING, "dims": array(INTEGER)}))
    policy, values = {"type": "object"}, obj({"version": obj({"string_value": STRING})})
    fields = {"name": STRING, "platform": STRING, "version_policy": policy, "max_batch_size": INTEGER}
    config = obj(fields | {"input": tensors, "output": tensors, "parameters": values})
    return _get("Configuration of the model, as Triton describes it", config, "503")


def _v1_request(model: ServedModel) -> Schema:
    kind = model.predictor.input
    if isinstance(kind, FeatureInput):
        row = obj(dict.fromkeys(kind.names, _number(kind)), additionalProperties=False)
        instance = {"anyOf": [_features(kind), row]}
    elif isinstance(kind, ColumnInput):
        row = obj({spec.name: _value(spec, kind, model) for spec in kind.columns}, additionalProperties=False)
        instance = {"anyOf": [row, array({}, minItems=len(kind.columns), maxItems=len(kind.columns))]}
    else:
        instance = {"anyOf": [_text(model), obj({kind.name: _text(model)})]}
    instances = array(instance, minItems=1, maxItems=model.limits.max_rows)
    return obj({"instances": instances}, {"parameters": model.predictor.parameters_schema()})


def _v1_answer(model: ServedModel) -> Schema:
    by_name = {spec.name: spec for spec in model.predictor.outputs}
    properties: Schema = {"model_version": STRING}
    for field, source in model.predictor.v1_fields.items():
        if isinstance(source, str):
            properties[field] = array(_row(by_name[source]) if source in by_name else {})  # V2 has it in another form
        else:
            properties[field] = array(obj({column: _row(by_name[column]) for column in source}))
    return obj(properties)


def _row(spec: TensorSpec) -> Schema:
    value = {"BYTES": STRING, "INT64": INTEGER, "BOOL": BOOLEAN}.get(spec.datatype, {"type": "number"})
    return array(value) if len(spec.shape) > 1 else value


def _v2_request(model: ServedModel) -> Schema:
    kind = model.predictor.input
    element, most = (_text(model), 1)
    if isinstance(kind, FeatureInput):
        element, most = _number(kind), len(kind.names)
    elif isinstance(kind, ColumnInput):
        element, most = {"anyOf": [_value(spec, kind, model) for spec in kind.columns]}, len(kind.columns)
    data = array({"anyOf": [element, array(element, minItems=1)]}, minItems=1)
    data["description"] = "As many elements as the shape's product, flat or nested as the shape is."
    tensor = obj(
        {
            "name": {"type": "string", "minLength": 1, "maxLength": 128},
            "datatype": {"enum": list(allowed_types(kind))},
            "shape": array({"type": "integer", "minimum": 1}, minItems=1, maxItems=2),
            "data": data,
        }
    )
    names = [spec.name for spec in model.predictor.outputs]
    output = obj({"name": {"enum": names}}, {"parameters": obj({"binary_data": BOOLEAN})})
    return obj(
        {"inputs": array(tensor, minItems=1, maxItems=most)},
        {
            "id": STRING,
            "parameters": model.predictor.parameters_schema(),
            "outputs": array(output, maxItems=len(names)),
        },
    )


def _v2_example(kind: Input) -> Schema:
    """One row: schemas cannot say that a tensor has as many elements as its shape asks for."""
    values = {"BYTES": "text", "BOOL": True, "INT64": 1}
    rows = {"features": [1, len(kind.names)]} if isinstance(kind, FeatureInput) else {}
    inputs = [
        {
            "name": spec.name,
            "datatype": spec.datatype,
            "shape": rows.get(spec.name, [1]),
            "data": [values.get(spec.datatype, 1.5)] * rows.get(spec.name, [1])[-1],
        }
        for spec in kind.specs()
    ]
    return {"inputs": inputs}


def _v2_answer(specs: tuple[TensorSpec, ...]) -> Schema:
    tensor = obj(
        {
            "name": {"enum": [spec.name for spec in specs]},
            "datatype": {"enum": sorted({spec.datatype for spec in specs})},
            "shape": array(INTEGER),
            "data": {"type": "array"},
        }
    )
    return obj({"model_name": STRING, "model_version": STRING, "outputs": array(tensor)})


def _legacy_paths(models: list[ServedModel]) -> Schema:
    inputs = [(model, model.predictor.input) for model in models if model.predictor.classifies]
    if not inputs:
        return {}
    rows = [
        {"features": _features(kind)} if isinstance(kind, FeatureInput) else {"text": _text(model)}
        for model, kind in inputs
    ]
    versions = [{"model_version": {"enum": sorted({"latest", model.version} - {""})}} for model, _ in inputs]
    pairs = list(zip(rows, versions, strict=True))
    predict = {"anyOf": [obj(row, version, additionalProperties=False) for row, version in pairs]}
    kinds = [{"enum": sorted({model.name, model.predictor.kind})} for model, _ in inputs]
    named = [{"model_type": kind, "data": obj(row)} for kind, row in zip(kinds, rows, strict=True)]
    pairs = list(zip(named, versions, strict=True))
    inference = {"anyOf": [obj(fields, version, additionalProperties=False) for fields, version in pairs]}
    number = {"type": "number"}
    answer = obj(
        dict.fromkeys(("request_id", "model_version"), STRING)
        | dict.fromkeys(("confidence", "latency_ms"), number)
        | {"prediction": {"type": ["boolean", "integer", "number", "string"]}},
        {"label": STRING},
    )
    summary = "as the earlier services did"
    return {
        "/predict": _post(f"Predict, {summary}", predict, answer, "404", "422"),
        "/inference": _post(f"Predict with a named model, {summary}", inference, answer, "404", "422"),
    }


def _openai_paths(models: list[ServedModel]) -> Schema:
    if not models:
        return {}
    from predictors.serving.protocols.openai import schema as openai_schema

    names, most = [model.name for model in models], max(model.limits.max_text_chars for model in models)
    model = _get("A model", openai_schema.MODEL, "404")
    model["get"]["parameters"] = [{"name": "model", "in": "path", "required": True, "schema": {"enum": names}}]
    chat = _post("Chat", openai_schema.chat_request(names, most), openai_schema.chat_answer(), "404")
    completion = _post(
        "Continue a text", openai_schema.completion_request(names, most), openai_schema.completion_answer(), "404"
    )
    example = {"model": names[0], "messages": [{"role": "user", "content": "What is an arbitration clause?"}]}
    chat["post"]["requestBody"]["content"]["application/json"]["example"] = example
    for operation in (chat["post"], completion["post"]):
        operation["responses"]["200"]["content"]["text/event-stream"] = {"schema": {}}  # with "stream": true
    paths = {"chat/completions": chat, "completions": completion, "models/{model}": model}
    for [operation] in (path.values() for path in paths.values()):
        for status, response in operation["responses"].items():
            if status != "200":
                response["content"]["application/json"]["schema"] = openai_schema.ERROR
    paths["models"] = _get("The models that generate text", openai_schema.MODEL_LIST)
    return {f"/openai/v1/{path}": described for path, described in paths.items()}


def _features(kind: FeatureInput) -> Schema:
    return array(_number(kind), minItems=len(kind.names), maxItems=len(kind.names))


def _number(kind: FeatureInput) -> Schema:
    return {"anyOf": [_NUMBER, {"type": "null"}]} if kind.missing else _NUMBER


def _value(spec: TensorSpec, kind: ColumnInput, model: ServedModel) -> Schema:
    """A column's value in a V1 row."""
    text = {"type": "string", "maxLength": model.limits.max_text_chars}
    plain: dict[str, Schema] = {"INT64": INTEGER, "BOOL": BOOLEAN, "BYTES": text}
    value = plain.get(spec.datatype, _NUMBER)
    return {"anyOf": [value, {"type": "null"}]} if spec.name in kind.missing else value


def _text(model: ServedModel) -> Schema:
    return {"type": "string", "pattern": r"\S", "maxLength": model.limits.max_text_chars}


def _error(status: str) -> Schema:
    return _response(_ERRORS[status], {"$ref": "#/components/schemas/Error"})


def _response(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _get(summary: str, answer: Schema, *statuses: str) -> Schema:
    responses = {"200": _response("OK", answer), **{status: _error(status) for status in statuses}}
    return {"get": {"summary": summary, "responses": responses}}


def _post(summary: str, request: Schema, answer: Schema, *statuses: str) -> Schema:
    operation = _get(summary, answer, "400", "413", "415", "429", "503", "504", *statuses)["get"]
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": request}}}
    operation["parameters"] = [_REQUEST_ID]
    return {"post": operation}
