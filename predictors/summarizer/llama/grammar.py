"""JSON schema → GBNF, the grammar that llama.cpp constrains an answer with.

llama.cpp walks a grammar's rules for each token, in the one thread that serves everybody. So what is accepted is
bounded here, and what its converter gets wrong is refused.
"""

from functools import lru_cache
from typing import Any

import orjson
from llama_cpp.llama_grammar import json_schema_to_gbnf

from predictors.serving.errors import InvalidInput

_LARGEST_SCHEMA_BYTES = 32 * 1024
_DEEPEST = 32
# With each reference counted as what it refers to.
_MOST_NODES = 2000
_MOST_PROPERTIES = 64
# Repetitions are written out in the grammar.
_MOST_REPEATS = 256
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
# The converter does not escape these inside the literals that it writes.
_UNSAFE = set('"\\') | {chr(code) for code in range(32)} | {"\x7f"}


def grammar_of(schema: dict[str, Any]) -> str:
    """Translate a schema.

    Raises:
        InvalidInput: it is too large, or uses what cannot be translated.
    """
    try:
        encoded = orjson.dumps(schema)
    except TypeError:
        raise InvalidInput(f"the JSON schema is nested more than {_DEEPEST} levels deep") from None
    if len(encoded) > _LARGEST_SCHEMA_BYTES:
        raise InvalidInput(f"the JSON schema has {len(encoded)} bytes; at most {_LARGEST_SCHEMA_BYTES} are allowed")
    return _translate(encoded)


@lru_cache(maxsize=64)
def _translate(encoded: bytes) -> str:
    schema = orjson.loads(encoded)
    _Check(schema).visit(schema, 0, ())
    try:
        return str(json_schema_to_gbnf(encoded.decode()))
    except Exception as error:  # the converter raises whatever a schema that it does not expect causes
        raise InvalidInput("the JSON schema uses what cannot be made a grammar of") from error


class _Check:
    """Walks a schema as the converter would, references included."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._nodes = 0

    def visit(self, node: Any, depth: int, references: tuple[str, ...]) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise InvalidInput(f"the JSON schema has more than {_MOST_NODES} parts, references counted in full")
        if depth > _DEEPEST:
            raise InvalidInput(f"the JSON schema is nested more than {_DEEPEST} levels deep")
        if isinstance(node, list):
            for each in node:
                self.visit(each, depth + 1, references)
        elif isinstance(node, dict):
            self._visit_object(node, depth, references)

    def _visit_object(self, node: dict[str, Any], depth: int, references: tuple[str, ...]) -> None:
        if len(node) > _MOST_PROPERTIES:
            raise InvalidInput(
                f"an object in the JSON schema has {len(node)} members; at most {_MOST_PROPERTIES} are allowed"
            )
        for name, value in node.items():
            if _UNSAFE & set(name):
                raise InvalidInput(
                    "names in the JSON schema must be without quotes, backslashes and control characters"
                )
            if name in _COUNTS and isinstance(value, int) and value > _MOST_REPEATS:
                raise InvalidInput(f'"{name}" is {value} in the JSON schema; at most {_MOST_REPEATS} is allowed')
            if name == "pattern" and isinstance(value, str):
                raise InvalidInput('"pattern" is not supported in the JSON schema')
            if name in ("const", "enum"):
                _check_literals(value)
            elif name == "$ref" and isinstance(value, str):
                self._follow(value, depth, references)
            elif name not in ("$defs", "definitions"):  # which count where they are referred to
                self.visit(value, depth + 1, references)

    def _follow(self, reference: str, depth: int, references: tuple[str, ...]) -> None:
        if reference in references:
            raise InvalidInput("the JSON schema refers to itself, which is not supported")
        target = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            target = target.get(part) if isinstance(target, dict) else None
        if not reference.startswith("#/") or target is None:
            raise InvalidInput("a $ref of the JSON schema cannot be resolved; only those within it (#/…) are")
        self.visit(target, depth + 1, (*references, reference))


def _check_literals(value: Any) -> None:
    if isinstance(value, str):
        if _UNSAFE & set(value):
            raise InvalidInput("texts in const and enum must be without quotes, backslashes and control characters")
    elif isinstance(value, list):
        for each in value:
            _check_literals(each)
    elif isinstance(value, dict):
        raise InvalidInput("objects in const and enum are not supported in the JSON schema")
