"""JSON schemas as grammars."""

from typing import Any

import pytest

from predictors.serving.errors import InvalidInput
from predictors.summarizer.grammar import grammar_of


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
        ({"$ref": "#/definitions/none"}, "cannot be made a grammar"),
        ({"$ref": "https://example.com/schema.json"}, "cannot be made a grammar"),
        ({"enum": ["x" * 40_000]}, "at most 32768"),
        (deep(40), "nested more than 32 levels"),
        ({"$ref": "#"}, "cannot be made a grammar"),
    ],
)
def test_what_cannot_be_a_grammar_is_refused(schema: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says.replace("$", r"\$")):
        grammar_of(schema)
