"""The result cache's keys and bytes: what differs has another key, and what was written comes back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.serving.cache.result_codec import UnreadableResult, decode_outputs, encode_outputs, result_key
from predictors.serving.errors import InvalidInput
from predictors.serving.model.types import NUMPY_TYPES, Batch, FeatureBatch, Outputs, PromptBatch, TextBatch


def same(left: Outputs, right: Outputs) -> None:
    assert list(left) == list(right)
    for one, other in zip(left.values(), right.values(), strict=True):
        if isinstance(other, np.ndarray):
            assert isinstance(one, np.ndarray)
            assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
        else:
            assert one == other


# Keys


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (TextBatch(["ab", "c"]), TextBatch(["a", "bc"])),
        (TextBatch(["ab"]), TextBatch(["ab", ""])),
        (TextBatch(["a"], {"seed": 1}), TextBatch(["a"])),
        (TextBatch(["a"], {"seed": 1}), TextBatch(["a"], {"seed": "1"})),
        (TextBatch(["a"], {"seed": 1}), TextBatch(["a"], {"seed": True})),
        (TextBatch(["a"], {"seed": 1}), TextBatch(["a"], {"seed": 1.0})),
        (TextBatch(["a"], {"seed": None}), TextBatch(["a"], {"seed": float("nan")})),
        (FeatureBatch(np.zeros((2, 3))), FeatureBatch(np.zeros((3, 2)))),
        (FeatureBatch(np.zeros((1, 1))), TextBatch(["(1, 1)", "\0" * 8])),
        (PromptBatch(text="a"), TextBatch(["a"])),
        (PromptBatch(text="a"), PromptBatch([("user", "a")])),
        (PromptBatch([("user", "a"), ("user", "b")]), PromptBatch([("user", "a"), ("assistant", "b")])),
        (PromptBatch([("user", "ab"), ("user", "c")]), PromptBatch([("user", "a"), ("user", "bc")])),
        (FeatureBatch(np.array([[1.0, 2.0]])), FeatureBatch(np.array([[2.0, 1.0]]))),
        (FeatureBatch(np.array([[0.1]])), FeatureBatch(np.array([[np.nextafter(0.1, 1)]]))),
    ],
)
def test_what_differs_has_another_key(left: Batch, right: Batch) -> None:
    assert result_key("m", "d", left) != result_key("m", "d", right)


def test_models_and_digests_have_keys_of_their_own() -> None:
    batch = TextBatch(["a"])
    keys = {result_key(*names, batch) for names in [("m", "d"), ("m", "e"), ("n", "d"), ("md", ""), ("", "md")]}
    assert len(keys) == 5
    assert all(len(key) == 64 for key in keys)


def test_the_same_has_the_same_key() -> None:
    features = np.arange(6.0).reshape(2, 3)
    batches = [
        FeatureBatch(features, {"a": 1, "b": [2]}),
        FeatureBatch(np.asfortranarray(features), {"b": [2], "a": 1}),
    ]
    assert len({result_key("m", "d", batch) for batch in batches}) == 1


def test_parameters_that_are_nested_too_deep_are_refused() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(InvalidInput, match="nested too deep"):
        result_key("m", "d", TextBatch(["a"], {"x": nested}))


# Bytes

shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)
arrays = st.builds(
    lambda dtype, shape, raw: np.resize(np.frombuffer(raw, dtype), shape).astype(dtype),
    st.sampled_from([dtype for name, dtype in NUMPY_TYPES.items() if name != "BOOL"]),
    shapes,
    st.binary(min_size=64, max_size=64),
)
flags = shapes.map(lambda shape: np.resize([True, False], shape))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
nested = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)
outputs = st.dictionaries(st.text(), arrays | flags | st.lists(st.text()) | st.lists(nested), max_size=4)


@given(outputs)
def test_outputs_come_back_as_they_were(given_outputs: Outputs) -> None:
    found = decode_outputs("key", encode_outputs("key", given_outputs))
    same(found, given_outputs)
    assert all(column.flags.writeable for column in found.values() if isinstance(column, np.ndarray))


@given(outputs, st.data())
def test_bytes_that_were_harmed_are_found_out(given_outputs: Outputs, data: st.DataObject) -> None:
    value = encode_outputs("key", given_outputs)
    at = data.draw(st.integers(0, len(value) - 1))
    flipped = bytearray(value)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    for key, harmed in (("key", bytes(flipped)), ("key", value[:at]), ("key", value + b"\0"), ("yek", value)):
        with pytest.raises(UnreadableResult):
            decode_outputs(key, harmed)


@pytest.mark.parametrize("column", [np.array([object()]), np.array(["a"]), np.array([1j]), [object()]])
def test_what_no_answer_can_hold_is_an_error(column: Any) -> None:
    with pytest.raises(TypeError):
        encode_outputs("key", {"predict": column})
