"""Which JSON schemas are accepted, and how they are rewritten."""

import json
from typing import Any

import pytest

from predictors.serving.errors import InvalidInput
from predictors.summarizer.llama.schema_bounds import bounded_schema

STRING = {"type": "string"}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = STRING
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


def chain(length: int, combined: bool = False) -> dict[str, Any]:
    """Definitions each of which refers to the next."""
    links = {f"d{i}": {"properties": {"x": {"$ref": f"#/$defs/d{i + 1}"}}} for i in range(length)}
    root = {"$ref": "#/$defs/d0"} | ({"minProperties": 0} if combined else {})
    return root | {"$defs": {**links, f"d{length}": STRING}}


def doubling(length: int) -> dict[str, Any]:
    """Definitions that combine the next with itself."""
    refs = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**refs, f"d{length}": {"type": "object"}}}


def properties(count: int) -> dict[str, Any]:
    return {"type": "object", "properties": {f"p{i}": {} for i in range(count)}}


def objects(name: str, count: int) -> dict[str, Any]:
    return {"anyOf": [{"type": "object", "properties": {f"{name}{i}": {}}} for i in range(count)]}


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"enum": ["x" * 40_000]}, "has 40013 bytes; at most 32768"),
        (nested(40), "nested more than 32 levels"),
        (nested(400), "nested more than 32 levels"),
        (chain(300), "nested more than 512 levels deep in all"),
        (chain(40, combined=True), "nested more than 32 levels"),
        (doubling(12), "more than 2000 parts"),
        (properties(65), '"properties" with 65 members; at most 64'),
        ({"patternProperties": {f"^{i}$": {} for i in range(17)}}, '"patternProperties" with 17 members; at most 16'),
        ({"type": "string", "maxLength": 10**9}, '"maxLength" is 1000000000'),
        ({"type": "array", "items": {}, "minItems": 257}, '"minItems" is 257'),
        ({"type": "string", "maxLength": "é" * 80}, '"maxLength" that is not an integer'),
        ({"type": "string", "pattern": "a?" * 300}, '"pattern" of 600 characters; at most 512'),
        ({"patternProperties": {"a?" * 300: {}}}, '"pattern" of 600 characters; at most 512'),
        ({"allOf": [{"pattern": f".*{i}"} for i in range(9)]}, 'more than 8 uses of "pattern" and "format"'),
        ({"allOf": [{"multipleOf": 7}, {"multipleOf": 11}]}, 'more than one "multipleOf"'),
        ({"allOf": [objects("a", 60), objects("b", 60), objects("c", 60)]}, "combines too many alternatives"),
        ({"enum": [f"v{i}" for i in range(3000)], "anyOf": [STRING] * 50}, "combines too many alternatives"),
        ({"type": "integer", "multipleOf": 10_007}, '"multipleOf" 10007'),
        ({"type": "number", "multipleOf": 1e300}, '"multipleOf" 1e\\+300'),
        ({"type": "number", "multipleOf": 1e-20}, '"multipleOf" 1e-20'),
        ({"type": "integer", "minimum": 2**53 + 1}, 'number in "minimum" beyond 9007199254740992'),
        ({"type": "number", "exclusiveMaximum": -1e17}, 'number in "exclusiveMaximum" beyond'),
        ({"const": 2**53 + 1}, 'number in "const or enum" beyond'),
        ({"enum": [{"a": [2**60]}]}, 'number in "const or enum" beyond'),
        ({"const": "\u0000"}, "control characters"),
        ({"type": "object", "minProperties": 2}, '"minProperties" above 1'),
        ({"type": "string", "format": "unknown"}, '"format" unknown'),
        ({"$ref": "#/definitions/none"}, "cannot be resolved"),
        ({"$ref": "https://example.com/schema.json"}, "cannot be resolved"),
        ({"$ref": "#name"}, "cannot be resolved"),
        ({"$ref": 5}, "cannot be resolved"),
        (
            {
                "$ref": "#/$defs/tree",
                "minProperties": 1,
                "$defs": {"tree": {"additionalProperties": {"$ref": "#/$defs/tree"}}},
            },
            "refers to itself where it combines schemas",
        ),
    ],
)
def test_a_schema_beyond_the_bounds_is_rejected_with_the_reason(schema: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as rejected:
        bounded_schema(schema)
    assert "JSON schema" in str(rejected.value)


@pytest.mark.parametrize(
    "schema",
    [
        nested(32),
        chain(100),
        chain(14, combined=True),
        properties(64),
        {"$ref": "#"},
        {"type": "array", "items": {"$ref": "#"}},
        {"$ref": "#/anyOf/1", "anyOf": [STRING, {"type": "integer"}]},
        {"$ref": "#/$defs/a~1b%20c~0", "$defs": {"a/b c~": STRING}},
        {"type": "number", "multipleOf": 0.001, "minimum": -(2**53)},
        {"enum": ['say "no"', "a\\b", {"a": 1}, "two\nlines"]},
        {"enum": [f"value {i}" for i in range(2000)], "type": "string"},
        {"type": "object", "minProperties": 1},
        {"type": "object", "required": ["a", "b"], "minProperties": 2},
        {"allOf": [objects("a", 30), objects("b", 30)]},
    ],
)
def test_a_schema_within_the_bounds_passes(schema: dict[str, Any]) -> None:
    before = json.dumps(schema)
    bounded_schema(schema)
    assert json.dumps(schema) == before


def test_a_definition_counts_once_however_often_it_is_used() -> None:
    links = {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 4} for i in range(9)}
    bounded_schema({"$ref": "#/$defs/d0", "$defs": {**links, "d9": STRING}})


def test_names_of_properties_are_no_keywords() -> None:
    names = ("enum", "const", "pattern", "minimum", "maxLength", "multipleOf", "$ref", "allOf", "required", "format")
    bounded_schema({"type": "object", "properties": dict.fromkeys(names, STRING)})


def test_objects_are_closed() -> None:
    inner = {"type": "object", "properties": {"a": STRING}}
    schema = {
        "type": "object",
        "properties": {"list": {"type": "array", "items": inner}, "map": {"type": "object"}},
        "required": ["list", "other"],
    }
    bounded = bounded_schema(schema)
    assert bounded["additionalProperties"] is False
    assert bounded["properties"]["list"]["items"]["additionalProperties"] is False
    assert bounded["properties"]["other"] is True  # required, so it may be anything
    assert "additionalProperties" not in bounded["properties"]["map"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": STRING}, "additionalProperties": True},
        {"type": "object", "properties": {"a": STRING}, "patternProperties": {"^x": STRING}},
        {"type": "object", "properties": {"a": STRING}, "maxProperties": 3},
        {"type": "object"},
        {"allOf": [{"properties": {"a": STRING}}, {"properties": {"b": STRING}}]},
        {"$ref": "#/$defs/base", "properties": {"b": STRING}, "$defs": {"base": {"properties": {"a": STRING}}}},
    ],
)
def test_an_object_stays_open_where_others_may_add_properties(schema: dict[str, Any]) -> None:
    assert bounded_schema(schema) == schema


def test_an_all_of_with_one_member_combines_nothing() -> None:
    bounded = bounded_schema({"type": "object", "properties": {"c": {"allOf": [{"$ref": "#/d"}]}}, "d": STRING})
    assert bounded["additionalProperties"] is False


def test_dialects_and_identifiers_are_dropped() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "$id": "https://example.com/a",
        "properties": {"$id": {"$id": "b", "const": {"$id": "c"}}},
        "$defs": {"unused": {"$id": "json-schema:///"}},
    }
    assert bounded_schema(schema) == {
        "properties": {"$id": {"const": {"$id": "c"}}},
        "additionalProperties": False,
        "$defs": {"unused": {}},
    }
