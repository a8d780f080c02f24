"""JSON in slices: the same values and refusals as in one go, wherever a slice ends."""

import json
import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.protocols import large_json
from predictors.serving.protocols.json_body import parse_object
from predictors.serving.protocols.large_json import parse_large

TEXTS = st.sampled_from(["", "a,b", '[{"\\', "é" * 30, "x" * 50, "\\", '"', "\\\\"]) | st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=60,
)
DAMAGE = b'[]{},:"\\ 1a'


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_json, "SLICE_BYTES", 8)
    monkeypatch.setattr(large_json, "_BLOCK_BYTES", 16)


def outcome(parse: Any, body: bytes) -> Any:
    try:
        return parse(body)
    except (orjson.JSONDecodeError, InvalidInput):
        return "refused"


@given(value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 9]))
def test_valid_json_is_parsed_as_in_one_go(value: Any, ascii_only: bool, indent: int | None) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert parse_large(body) == orjson.loads(body)


@given(value=VALUES, seed=st.integers(0, 2**32), changes=st.integers(1, 3))
def test_damaged_json_is_refused_where_it_is_in_one_go(value: Any, seed: int, changes: int) -> None:
    chance, body = random.Random(seed), bytearray(json.dumps(value).encode())
    for _ in range(changes):
        place, byte = chance.randrange(len(body) + 1), chance.choice(DAMAGE)
        body[place : place + chance.randint(0, 1)] = bytes([byte]) * chance.randint(0, 1)
    if body:
        assert outcome(parse_large, bytes(body)) == outcome(orjson.loads, bytes(body))


PAD = b"1" * 30


@pytest.mark.parametrize(
    "body",
    [
        b"[," + PAD + b"]",
        b"[" + PAD + b",]",
        b"[" + PAD + b",," + PAD + b"]",
        b"[" + PAD + b", ]",
        b"{," + b'"a":' + PAD + b"}",
        b'{"a":' + PAD + b",}",
        b"[" + PAD + b"}",
        b"[[" + PAD + b"],[" + PAD + b"]",
        b"[[" + PAD + b"]],[[" + PAD + b"]]",
        b'{"a" ' + PAD + b"}",
        b'{"a":[' + PAD + b"]" + PAD + b"}",
        b"[" + PAD + b"]" + PAD,
        b'["' + PAD,
        b" " * 40,
    ],
)
def test_what_only_slices_might_take(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="not valid JSON"):
        parse_large(body)


def test_an_empty_list_of_much_white_space() -> None:
    assert parse_large(b"[" + b" " * 99 + b"]") == []
    assert parse_large(b'{"a":{' + b"\n" * 99 + b"}}") == {"a": {}}


def test_the_last_of_equal_keys_counts() -> None:
    body = b'{"a":"%b","b":1,"a":2}' % PAD
    assert parse_large(body) == orjson.loads(body) == {"a": 2, "b": 1}


def test_an_error_says_where() -> None:
    with pytest.raises(InvalidInput, match=r"line 3 column 3$"):
        parse_large(b'{"instances":[\n' + PAD + b",\n1 x,2]}")


def test_a_body_as_large_as_slices_are_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    rows = [[5.1, 3.5, 1.4, number] for number in range(30_000)]
    body = orjson.dumps({"instances": rows, "text": "a," * 200_000})
    assert len(body) > 2 * large_json.SLICE_BYTES
    assert parse_object(body, "instances") == {"instances": rows, "text": "a," * 200_000}


@pytest.mark.parametrize("part", [b"[]", b"{}", b'{"a":1}', b"[[]]"])
def test_too_many_parts_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch, part: bytes) -> None:
    monkeypatch.setattr(large_json, "MOST_PARTS", 1_000)
    few = b"[" + b",".join([part] * 400) + b"]"
    assert len(parse_large(few)) == 400
    with pytest.raises(TooLarge, match="more than 1000 lists, objects and fields"):
        parse_large(b"[" + b",".join([part] * 1_000) + b"]")


def test_brackets_in_texts_are_no_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_json, "MOST_PARTS", 10)
    text = '[{:"\\' * 100
    assert parse_large(orjson.dumps([text])) == [text]
