"""Copies as V2 requests, and answers that may be anything."""

import math
from typing import Any

import numpy as np
import orjson
import pytest

from predictors.serving.model.types import (
    Batch,
    FeatureBatch,
    FeatureInput,
    Limits,
    Outputs,
    Parameters,
    TensorSpec,
    TextBatch,
    TextInput,
)
from predictors.serving.protocols.v2 import codec
from predictors.serving.shadow.wire import UnreadableAnswer, decode_answer, encode_request

LIMITS = Limits(max_rows=1000, max_text_chars=1000)
SPECS = (TensorSpec("id", "INT64", (-1,)), TensorSpec("label", "BYTES", (-1,)), TensorSpec("p", "FP64", (-1, 2)))
OUTPUTS: Outputs = {"id": np.array([7, -1]), "label": ["cat", "dög"], "p": np.array([[0.25, 0.75], [1.0, 0.0]])}
FEATURES = np.array([[5.1, 3.5], [0.1 + 0.2, -1e-300], [3e38, 0.0]])


def read(body: bytes, kind: FeatureInput | TextInput) -> Batch:
    """Read a request as a server does."""
    return codec.decode(body, None, kind, SPECS, LIMITS)[0]


@pytest.mark.parametrize("features", [FEATURES, np.asfortranarray(FEATURES), FEATURES[::2]])
def test_a_server_reads_the_very_features(features: Any) -> None:
    batch = FeatureBatch(features, {"a": 1})
    got = read(encode_request(batch, "features"), FeatureInput(("x", "y")))
    assert isinstance(got, FeatureBatch)
    assert got.parameters == {"a": 1}
    np.testing.assert_array_equal(got.features, features)


def test_a_server_reads_the_very_texts() -> None:
    batch = TextBatch(
        ["hello", 'quoted "ü"\n\x00'], {"mode": "full", "seed": 3, "temperature": 0.5, "stop": ["a", "b"]}
    )
    assert read(encode_request(batch, "text"), TextInput()) == batch


def test_parameters_that_v2_cannot_carry_or_that_change_the_form_of_the_answer_are_left_out() -> None:
    given: Parameters = {"binary_data_output": True, "none": None, "map": {}, "list": [1], "kept": False}
    body = orjson.loads(encode_request(TextBatch(["a"], given), "text"))
    assert body["parameters"] == {"kept": False}
    assert "parameters" not in orjson.loads(encode_request(TextBatch(["a"], {"none": None}), "text"))


def answer_of(**changes: Any) -> dict[str, Any]:
    """A server's own answer, with changes to its last output."""
    wanted = codec.WantedOutputs(None, {}, list(SPECS))
    answer: dict[str, Any] = orjson.loads(codec.encode(OUTPUTS, wanted, "pets", "2")[0])
    answer["outputs"][-1] |= changes
    return answer


def test_a_servers_answer_is_read() -> None:
    answer = decode_answer(orjson.dumps(answer_of()), SPECS, 2)
    assert answer.version == "2"
    assert list(answer.outputs) == ["id", "label", "p"]
    assert answer.outputs["label"] == OUTPUTS["label"]
    for name in ("id", "p"):
        np.testing.assert_array_equal(answer.outputs[name], OUTPUTS[name])
        assert np.asarray(answer.outputs[name]).dtype == np.asarray(OUTPUTS[name]).dtype


def test_outputs_that_only_the_canary_has_are_ignored() -> None:
    assert list(decode_answer(orjson.dumps(answer_of()), SPECS[:1], 2).outputs) == ["id"]


@pytest.mark.parametrize("version", [None, 2, [], {}])
def test_a_version_that_is_no_string_is_none(version: object) -> None:
    answer = answer_of() | {"model_version": version}
    assert decode_answer(orjson.dumps(answer), SPECS, 2).version == ""


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff\x00", b"<html></html>", b"null", b"7", b'"x"', b"[]", b"[1]", b"{}", b'{"outputs": null}',
        b'{"outputs": 7}', b'{"outputs": {}}', b'{"outputs": [1]}', b'{"outputs": [null]}', b'{"outputs": [{}]}',
        b'{"outputs": [{"name": []}]}', b'{"outputs": [{"name": "p"}]}', b"[" * 100_000, b'{"outputs": ' * 1000,
        b'{"error": "no"}', b"NaN",
    ],
)  # fmt: skip
def test_rubbish_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        decode_answer(body, SPECS, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "q"}, {"datatype": "FP32"}, {"datatype": None}, {"shape": [4]}, {"shape": [1, 4]}, {"shape": [2, 3]},
        {"shape": [2, -2]}, {"shape": [2, 10**30]}, {"shape": 2}, {"shape": None}, {"shape": ["2", 2]}, {"shape": {}},
        {"data": None}, {"data": "abcd"}, {"data": {}}, {"data": [1, 2, 3]}, {"data": ["a"] * 4}, {"data": ["1"] * 4},
        {"data": [None] * 4}, {"data": [True] * 4}, {"data": [[0.1, 0.2], [0.3, 0.4]]},
    ],
)  # fmt: skip
def test_an_output_of_another_form_is_unreadable(changes: dict[str, Any]) -> None:
    body = orjson.dumps(answer_of()) if not changes else orjson.dumps(_with_big_numbers(answer_of(**changes)))
    with pytest.raises(UnreadableAnswer):
        decode_answer(body, SPECS, 2)


def _with_big_numbers(answer: dict[str, Any]) -> dict[str, Any]:
    """A number that orjson does not write becomes one that it does."""
    shape = answer["outputs"][-1]["shape"]
    if isinstance(shape, list):
        answer["outputs"][-1]["shape"] = [min(each, 2**62) if type(each) is int else each for each in shape]
    return answer


@pytest.mark.parametrize(
    ("place", "data"),
    [(0, [1.5, 2.0]), (0, [2**63, 0]), (0, ["7", "8"]), (1, [1, 2]), (1, ["a", None]), (1, [["a"], ["b"]])],
)
def test_elements_of_another_type_are_unreadable(place: int, data: list[Any]) -> None:
    answer = answer_of()
    answer["outputs"][place]["data"] = data
    with pytest.raises(UnreadableAnswer):
        decode_answer(orjson.dumps(answer), SPECS, 2)


def test_a_float_beyond_all_is_no_crash() -> None:
    body = orjson.dumps(answer_of()).replace(b"0.75", b"1e999")
    try:
        found = decode_answer(body, SPECS, 2).outputs["p"]
    except UnreadableAnswer:
        return
    assert math.isinf(found[0][1])
