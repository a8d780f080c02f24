"""JSON schemas as grammars."""

from typing import Any

import pytest

from predictors.serving.errors import InvalidInput
from predictors.summarizer.llama.grammar import grammar_of


def test_a_schema_becomes_a_grammar_with_a_root() -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    assert "root ::=" in grammar_of(schema)


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "string", "maxLength": 10**9}, '"maxLength" is 1000000000'),
        ({"type": "array", "items": {}, "minItems": 257}, '"minItems" is 257'),
        ({"type": "string", "pattern": "^(a+)+$"}, '"pattern" is not supported'),
        ({"type": "strange"}, "cannot be made a grammar"),
        ({"$ref": "#/definitions/none"}, "cannot be resolved"),
        ({"$ref": "https://example.com/schema.json"}, "cannot be resolved"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}}, "refers to itself"),
        ({"const": "\u0000"}, "control characters"),
        ({"enum": ['say "no"']}, "quotes"),
        ({"const": "a\\b"}, "backslashes"),
        ({"enum": [{"a": 1}]}, "objects in const"),
        ({"type": "object", "properties": {"\u0000x": {}}, "required": ["\u0000x"]}, "control characters"),
        ({"type": "object", "properties": {f"p{i}": {} for i in range(100)}}, "at most 64"),
        (
            {
                "$ref": "#/$defs/a0",
                "$defs": {f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 4} for i in range(9)} | {"a9": {}},
            },
            "more than 2000 parts",
        ),
        ({"enum": ["x" * 40_000]}, "at most 32768"),
        (deep(40), "nested more than 32 levels"),
        ({"$ref": "#"}, "cannot be resolved"),
    ],
)
def test_what_cannot_be_a_grammar_is_refused(schema: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says.replace("$", r"\$")):
        grammar_of(schema)


def test_references_within_the_schema_are_followed() -> None:
    item = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    schema = {"type": "array", "items": {"$ref": "#/$defs/item"}, "$defs": {"item": item}}
    assert "root ::=" in grammar_of(schema)
