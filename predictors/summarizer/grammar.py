"""JSON schema → GBNF, the grammar that llama.cpp constrains an answer with."""

from typing import Any

import orjson
from llama_cpp.llama_grammar import json_schema_to_gbnf

from predictors.serving.errors import InvalidInput

# Repetitions are written out in the grammar, and llama.cpp walks all of it for each token.
_MOST_REPEATS = 256
_LARGEST_SCHEMA_BYTES = 32 * 1024
_DEEPEST = 32
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def grammar_of(schema: dict[str, Any]) -> str:
    """Translate a schema.

    Raises:
        InvalidInput: it is too large, or uses what cannot be translated.
    """
    encoded = orjson.dumps(schema)
    if len(encoded) > _LARGEST_SCHEMA_BYTES:
        raise InvalidInput(f"the JSON schema has {len(encoded)} bytes; at most {_LARGEST_SCHEMA_BYTES} are allowed")
    _check(schema, 0)
    try:
        grammar = str(json_schema_to_gbnf(encoded.decode()))
    except Exception as error:  # the converter raises whatever a schema that it does not expect causes
        raise InvalidInput("the JSON schema uses what cannot be made a grammar of") from error
    return grammar


def _check(node: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise InvalidInput(f"the JSON schema is nested more than {_DEEPEST} levels deep")
    if isinstance(node, list):
        for each in node:
            _check(each, depth + 1)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in _COUNTS and isinstance(value, int) and value > _MOST_REPEATS:
                raise InvalidInput(f'"{name}" is {value} in the JSON schema; at most {_MOST_REPEATS} is allowed')
            if name == "pattern" and isinstance(value, str):
                raise InvalidInput('"pattern" is not supported in the JSON schema')
            _check(value, depth + 1)
