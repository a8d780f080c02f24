"""JSON schemas as constraints, on the default model's vocabulary: random answers, and greedy ones of the model itself."""

import json
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.serving.errors import InvalidInput
from predictors.summarizer.engine.scheduler import Scheduler
from predictors.summarizer.engine.types import GrammarError, Prompt, Sampling
from predictors.summarizer.llama.decoder import LlamaDecoder
from predictors.summarizer.llama.json_schema import JsonSchemas
from predictors.summarizer.llama.model import LlamaModel, Message

pytestmark = pytest.mark.llama

INTEGER = {"type": "integer"}
COLOUR = {"colour": {"enum": ["red", "blue"], "type": "string"}}
TREE = {
    "type": "object",
    "properties": {"value": INTEGER, "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
    "required": ["value", "children"],
}


class Writer:
    """Writes random answers under a schema, which end soon."""

    def __init__(self, model: LlamaModel) -> None:
        self.schemas = JsonSchemas(model)
        self._pieces = model.all_pieces()
        self._ends = {token for token in range(model.vocabulary_size) if model.is_end(token)}

    def write(self, schema: dict[str, Any], seed: int, most_tokens: int = 120) -> bytes | None:
        """An answer; None if it has no end after that many tokens."""
        choose = random.Random(seed)
        constraint = self.schemas.compile(schema)
        answer = b""
        for _ in range(most_tokens):
            allowed = constraint.allowed().tolist()
            ends = [token for token in allowed if token in self._ends]
            rest = [token for token in allowed if token not in self._ends]
            if ends and (not rest or choose.random() < 0.3):
                assert constraint.accept(ends[0])
                return answer
            closing = [token for token in rest if self._pieces[token] in (b'"', b"}", b"]")]
            token = choose.choice(closing if closing and choose.random() < 0.4 else rest)
            assert constraint.accept(token)
            answer += self._pieces[token]
        return None

    def values(self, schema: dict[str, Any], count: int = 12) -> list[Any]:
        """Random answers, parsed strictly: a raw control character in a string is an error."""
        answers = [self.write(schema, seed) for seed in range(count)]
        return [json.loads(answer) for answer in answers if answer is not None]


@pytest.fixture(scope="module")
def model(gguf: Path) -> Iterator[LlamaModel]:
    model = LlamaModel(gguf, gguf.name)
    yield model
    model.close()


@pytest.fixture(scope="module")
def writer(model: LlamaModel) -> Writer:
    return Writer(model)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 1, "maxLength": 40},
        {"type": "integer", "minimum": 5, "maximum": 7},
        {"type": "integer", "exclusiveMinimum": -3, "exclusiveMaximum": 3},
        {"type": "number", "minimum": 0.25, "maximum": 1.5},
        {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 9},
        {"type": "string", "pattern": "^[A-Z]{2}-\\d{3,5}$"},
        {"type": "string", "pattern": '^["\\\\]{3}$'},
        {"type": "string", "format": "date"},
        {"type": "string", "format": "uuid"},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 4},
        {"type": "array", "prefixItems": [INTEGER, {"type": "null"}], "items": False, "minItems": 2},
        {"const": {"a": ['say "no"', "a\\b", "two\nlines"]}},
        {"enum": [1, 2.5, "x", None, True, [], {"a": 1}]},
        {"anyOf": [{"type": "null"}, {"const": "yes"}]},
        {"oneOf": [{"const": "yes"}, {"type": "boolean"}]},
        {"type": ["integer", "null"], "maximum": 3},
        {"type": "object", "properties": {"a": INTEGER}, "required": ["a", "b"]},
        {"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": INTEGER},
        {"type": "object", "patternProperties": {"^x_": INTEGER}, "additionalProperties": False},
        {"type": "object", "minProperties": 1, "additionalProperties": INTEGER},
        {"type": "object", "properties": {"enum": INTEGER, "pattern": {"type": "boolean"}}, "required": ["enum"]},
        {"type": "object", "properties": {'say "no"\\': INTEGER, "\u0000": INTEGER}, "required": ["\u0000"]},
        {
            "allOf": [{"properties": {"a": INTEGER}}, {"properties": {"b": INTEGER}, "required": ["b"]}],
            "type": "object",
        },
        {"properties": {"c": {"allOf": [{"$ref": "#/$defs/colour"}]}}, "type": "object", "$defs": COLOUR},
        {"properties": {"c": {"$ref": "#/$defs/colour", "default": "red"}}, "type": "object", "$defs": COLOUR},
        {"$ref": "#/$defs/tree", "$defs": {"tree": TREE}},
        {"type": "array", "items": {"$ref": "#"}},
        {"$schema": "http://json-schema.org/draft-04/schema#", "const": 5},
    ],
    ids=json.dumps,
)
def test_every_answer_follows_the_schema(writer: Writer, schema: dict[str, Any]) -> None:
    values = writer.values(schema)
    assert values
    validator = jsonschema_rs.Draft202012Validator(
        {key: value for key, value in schema.items() if key != "$schema"}, validate_formats=True
    )
    for value in values:
        validator.validate(value)


def test_a_list_of_optional_parts_is_closed(writer: Writer) -> None:
    schema = {"type": "object", "properties": {"a": INTEGER, "b": INTEGER}}
    assert {key for value in writer.values(schema) for key in value} <= {"a", "b"}


leaves = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={
            "minimum": st.integers(-50, 50) | st.sampled_from([-1.5, 0.25]),
            "maximum": st.integers(-20, 90) | st.sampled_from([0.5, 60.125]),
            "exclusiveMinimum": st.integers(-9, 9),
            "exclusiveMaximum": st.integers(5, 50),
            "multipleOf": st.sampled_from([1, 3, 0.5, 2.5]),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "minLength": st.integers(0, 9),
            "maxLength": st.integers(0, 19),
            "pattern": st.sampled_from(["^[a-z]+$", "[0-9]{2}", "a|b", "^.{2,5}$", "^\\S*$"]),
            "format": st.sampled_from(["date", "email", "ipv4", "hostname", "duration"]),
        },
    ),
    st.fixed_dictionaries({"type": st.sampled_from(["boolean", "null"])}),
    st.fixed_dictionaries(
        {"enum": st.lists(st.sampled_from([1, -3, "x", 'q"\\', "é\n", None, [], {"k": 1}]), min_size=1)}
    ),
    st.sampled_from([{"$ref": "#/$defs/d"}, {"minimum": 3}, {"maxLength": 5, "type": ["string", "null"]}, {}]),
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("array")},
            optional={
                "items": inner | st.booleans(),
                "prefixItems": st.lists(inner, min_size=1, max_size=2),
                "minItems": st.integers(0, 2),
                "maxItems": st.integers(0, 4),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("object")},
            optional={
                "properties": st.dictionaries(st.sampled_from(["a", "b", "enum", '"', "é"]), inner),
                "required": st.lists(st.sampled_from(["a", "b", "z"]), unique=True),
                "additionalProperties": inner | st.booleans(),
                "patternProperties": st.fixed_dictionaries({"^[ab]$": inner}),
                "minProperties": st.integers(0, 2),
                "maxProperties": st.integers(0, 4),
            },
        ),
        st.builds(lambda name, each, beside: {**beside, name: each},
            st.sampled_from(["anyOf", "oneOf", "allOf"]), st.lists(inner, min_size=1, max_size=3), st.just({}) | leaves),
    ),
    max_leaves=6,
)  # fmt: skip


@given(schema=schemas, definition=leaves, seed=st.integers(0, 1000))
def test_any_schema_is_followed_or_rejected(
    writer: Writer, schema: dict[str, Any], definition: dict[str, Any], seed: int
) -> None:
    schema = {**schema, "$defs": {"d": definition}}
    try:
        answer = writer.write(schema, seed)
    except (InvalidInput, GrammarError):
        return
    if answer is not None and b"e" not in answer.lower().replace(b"true", b"").replace(b"false", b""):
        # (A number like 1e999 is valid, but parses to infinity.)
        jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(json.loads(answer))


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "strange"}, "cannot be followed: Invalid type: strange"),
        ({"properties": 3}, "cannot be followed: properties must be an object"),
        ({"not": INTEGER}, '"not" is not supported'),
        ({"if": {}, "then": {}}, '"if", "then" are not supported'),
        ({"type": "array", "uniqueItems": True}, '"uniqueItems" is not supported'),
        ({"type": "array", "contains": {}}, '"contains" is not supported'),
        ({"type": "object", "propertyNames": {"maxLength": 3}}, '"propertyNames" is not supported'),
        ({"type": "object", "dependentRequired": {"a": ["b"]}}, '"dependentRequired" is not supported'),
        ({"type": "object", "dependencies": {"a": ["b"]}}, '"dependencies" is not supported'),
        ({"type": "object", "unevaluatedProperties": False}, '"unevaluatedProperties" is not supported'),
        ({"$dynamicRef": "#a"}, r'"\$dynamicRef" is not supported'),
        ({"type": "string", "format": "iban"}, "Unknown format: iban"),
        ({"type": "string", "pattern": "^(?=a)b"}, "look-around"),
        ({"type": "string", "pattern": "^(a"}, "unclosed group"),
        ({"type": "integer", "minimum": 5, "maximum": 3}, "minimum .* is greater than maximum"),
        ({"type": "number", "minimum": "5"}, "Expected f64 for 'minimum'"),
        ({"type": "number", "minimum": "é" * 80}, "no answer can follow"),
        ({"type": "string", "enum": [1]}, "Unsatisfiable"),
        (
            {"oneOf": [{"type": "string"}, {"maxLength": 3, "type": "string"}]},
            '"oneOf" with alternatives that may overlap',
        ),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, "required property 'a'"),
        ({"$ref": "#"}, "no answer can follow"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "no answer can follow"),
    ],
)
def test_a_schema_that_cannot_be_followed_is_rejected_with_the_reason(
    writer: Writer, schema: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says) as rejected:
        writer.schemas.compile(schema)
    assert "JSON schema" in str(rejected.value)
    assert "\n" not in str(rejected.value)


def test_options_of_the_library_are_not_the_clients(writer: Writer) -> None:
    lenient = {"x-guidance": {"lenient": True, "item_separator": ";"}}
    with pytest.raises(InvalidInput, match='"not"'):
        writer.schemas.compile({"not": INTEGER, **lenient})
    assert writer.values({"type": "array", "items": INTEGER, "minItems": 2, **lenient})


def pattern(text: str) -> dict[str, Any]:
    return {"type": "string", "pattern": text}


def test_an_answer_that_takes_too_much_work_is_given_up(writer: Writer) -> None:
    constraint = writer.schemas.compile(pattern("^" + "a?" * 250 + "$"))
    assert constraint.accept(int(constraint.allowed()[0]))
    with pytest.raises(GrammarError, match="takes too much work to follow"):
        constraint.allowed()


@pytest.mark.parametrize(
    "schema",
    [
        pattern("^" + "a?" * 250 + "$"),
        pattern("^((a{256}){256}){256}$"),
        pattern("^" + "(" * 50 + "a" + "){1,9}" * 50 + "$"),
        pattern("(.*a.{200}){3}"),
        pattern("^(\\p{L}|\\p{N})*\\p{L}(\\p{L}|\\p{N}){20}$"),
        {"anyOf": [pattern(f"{i}.{{0,50}}z") for i in range(60)]},
        {"allOf": [pattern(f".*{i}.*") for i in range(8)]},
        {"type": "object", "patternProperties": {f"^(a|b)*a(a|b){{10}}{i:02}$": {} for i in range(16)}},
        {"type": "object", "properties": {f"p{i}": {"properties": {f"q{j}": {} for j in range(20)}} for i in range(64)}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/a"}, "minItems": i} for i in range(60)]}}},
        {"allOf": [{"properties": {"x": {"enum": [f"v{i}" for i in range(900)]}}}, {"anyOf": [{"properties": {f"p{i}": {}}} for i in range(60)]}]},
        {"oneOf": [{"properties": {"k": {"const": f"k{i}"}}, "required": ["k"], "type": "object"} for i in range(300)]},
        {"enum": [f"value {i}" for i in range(2000)]},
        {"const": "x" * 32_000},
        {"type": "integer", "multipleOf": 9973},
        {"type": "array", "minItems": 256, "items": {"type": "array", "minItems": 256, "items": {"type": "array", "minItems": 256}}},
        {"type": "object", "properties": {f"p{i}": {"type": "string", "minLength": i, "maxLength": 256 - i} for i in range(64)}},
    ],
    ids=lambda schema: json.dumps(schema)[:60],
)  # fmt: skip
def test_hostile_schemas_are_bounded(writer: Writer, schema: dict[str, Any]) -> None:
    """Either is rejected, gives up, or goes on; in CPU time that does not hold up others. The limits are ten times the usual."""
    begin = time.thread_time()
    try:
        constraint = writer.schemas.compile(schema)
    except InvalidInput:
        assert time.thread_time() - begin < 2.5
        return
    assert time.thread_time() - begin < 2.5
    longest = 0.0
    choose = random.Random(1)
    with suppress(GrammarError):
        for _ in range(60):
            begin = time.thread_time()
            allowed = constraint.allowed()
            assert constraint.accept(int(choose.choice(allowed.tolist())))
            longest = max(longest, time.thread_time() - begin)
    assert longest < 0.15


QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("Write a poem of four lines", {"type": "object", "properties": {"poem": {"type": "string", "maxLength": 100}}, "required": ["poem"]}),
    ("Give JSON", {"type": "array", "items": {"type": "string", "maxLength": 15}, "minItems": 3, "maxItems": 3}),
    ("Give JSON", {"type": "object", "properties": {"stars": {"type": "integer", "minimum": 1, "maximum": 5}}, "required": ["stars"]}),
    ("Give JSON", {"type": "object", "properties": {"c": {"allOf": [{"$ref": "#/$defs/colour"}], "default": "red"}}, "required": ["c"], "$defs": COLOUR}),
    ("When does it begin?", {"type": "string", "format": "date"}),
]  # fmt: skip


def test_the_models_own_answers_follow_their_schemas(gguf: Path) -> None:
    model = LlamaModel(gguf, gguf.name)
    schemas = JsonSchemas(model)
    scheduler = Scheduler(LlamaDecoder(model, 512, 5, 128, 2), 5)
    try:
        answers = [
            scheduler.submit(
                Prompt(model.chat([Message("user", question)])),
                Sampling(120, constraint=schemas.compile(schema)),
                lambda: False,
            )
            for question, schema in QUESTIONS
        ]
        for answer, (_, schema) in zip(answers, QUESTIONS, strict=True):
            result = answer.result(120)
            assert result.finish_reason == "stop"
            jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(json.loads(result.text))
    finally:
        scheduler.close()
