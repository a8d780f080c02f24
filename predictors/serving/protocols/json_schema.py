"""The JSON schemas that the OpenAPI document is made of."""

from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}


def array(items: Schema, **bounds: int) -> Schema:
    """Describe a list, with JSON Schema's own keywords as bounds, such as ``minItems``."""
    return {"type": "array", "items": items, **bounds}


def obj(required: Schema, optional: Schema | None = None, **keywords: Any) -> Schema:
    """Describe an object by the schemas of its fields."""
    return {"type": "object", "properties": required | (optional or {}), "required": list(required), **keywords}
