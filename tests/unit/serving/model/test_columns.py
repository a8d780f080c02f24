"""Named columns: rows and tensors become typed columns, and an error names the row and the column."""

from typing import Any

import numpy as np
import pytest

from predictors.serving.cache.result_codec import result_key
from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.model.columns import column_from_tensor, columns_from_rows
from predictors.serving.model.types import ColumnBatch, ColumnInput, FeatureInput, Limits, TensorSpec
from predictors.serving.model.validation import batch_from_instances
from predictors.serving.protocols import tensors
from predictors.serving.protocols.v2 import codec as v2
from predictors.serving.shadow.wire import encode_request

KIND = ColumnInput(
    (
        TensorSpec("age", "FP64", (-1,)),
        TensorSpec("seats", "INT64", (-1,)),
        TensorSpec("new", "BOOL", (-1,)),
        TensorSpec("plan", "BYTES", (-1,)),
    ),
    frozenset({"age", "plan"}),
)
LIMITS = Limits(max_rows=10, max_text_chars=5)
ROW = {"age": 1.5, "seats": 2, "new": True, "plan": "pro"}


def same(one: ColumnBatch, other: ColumnBatch) -> bool:
    return list(one.columns) == list(other.columns) and all(
        np.array_equal(mine, theirs, equal_nan=not isinstance(mine, list))
        for mine, theirs in zip(one.columns.values(), other.columns.values(), strict=True)
    )


def test_rows_become_columns_in_the_models_order() -> None:
    mixed: list[Any] = [{**dict(reversed(ROW.items()))}, [None, 3, False, None]]
    columns = columns_from_rows(mixed, KIND, "instances", LIMITS)
    assert list(columns) == ["age", "seats", "new", "plan"]
    np.testing.assert_array_equal(columns["age"], [1.5, np.nan])
    assert columns["seats"].tolist() == [2, 3]  # type: ignore[union-attr]
    assert columns["new"].tolist() == [True, False]  # type: ignore[union-attr]
    assert columns["plan"] == ["pro", None]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"age": "x"}, "instances[0].age is a string; a number or null is expected"),
        ({"age": True}, "instances[0].age is a boolean; a number or null is expected"),
        ({"age": 10**400}, 'holds an integer in "age" that is too large'),
        ({"age": 1e39}, "instances[0].age is not a finite number within the range of FP32"),
        ({"seats": 2.5}, "instances[0].seats is a number; an integer is expected"),
        ({"seats": None}, "instances[0].seats is null; an integer is expected"),
        ({"seats": 2**63}, "instances[0].seats is outside the range of INT64"),
        ({"new": 1}, "instances[0].new is a number; true or false is expected"),
        ({"plan": 3}, "instances[0].plan is a number; a string or null is expected"),
    ],
)
def test_a_bad_value_is_named(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput) as error:
        batch_from_instances([{**ROW, **change}], KIND, LIMITS, {})
    assert says in str(error.value)


def test_a_long_string_is_too_large() -> None:
    with pytest.raises(TooLarge, match=r"instances\[0\]\.plan has 6 characters; at most 5 are allowed"):
        batch_from_instances([{**ROW, "plan": "x" * 6}], KIND, LIMITS, {})


@pytest.mark.parametrize(
    ("spec", "data"),
    [
        (KIND.columns[0], ["x"]),
        (KIND.columns[0], np.array([True])),
        (KIND.columns[1], np.array([1.0])),
        (KIND.columns[2], np.array([1])),
        (KIND.columns[3], np.array([1.0])),
    ],
)
def test_a_tensor_of_another_datatype_is_refused(spec: TensorSpec, data: Any) -> None:
    with pytest.raises(
        InvalidInput, match=f'input "{spec.name}" has another datatype; this column takes {spec.datatype}'
    ):
        column_from_tensor(spec, data, True, LIMITS)


def test_integers_are_taken_for_numbers_and_nan_only_where_it_may_be_missing() -> None:
    spec = KIND.columns[0]
    assert column_from_tensor(spec, np.array([[1], [2]]), False, LIMITS).dtype == np.float64  # type: ignore[union-attr]
    assert np.isnan(column_from_tensor(spec, np.array([np.nan]), True, LIMITS)).all()
    with pytest.raises(InvalidInput, match='input "age" element 1 is not a finite number'):
        column_from_tensor(spec, np.array([0.0, np.nan]), False, LIMITS)


def test_a_copy_for_a_canary_is_read_as_the_same_batch() -> None:
    batch = batch_from_instances([ROW, {**ROW, "age": None, "plan": None}], KIND, LIMITS, {})
    assert isinstance(batch, ColumnBatch)
    read, _ = v2.decode(encode_request(batch, "unused"), None, KIND, (), LIMITS)
    assert isinstance(read, ColumnBatch)
    assert same(read, batch)


def test_any_difference_of_columns_is_another_key() -> None:
    batches = [
        ColumnBatch({"a": np.array([1.0]), "b": ["x"]}),
        ColumnBatch({"a": np.array([1.0]), "b": ["y"]}),
        ColumnBatch({"a": np.array([2.0]), "b": ["x"]}),
        ColumnBatch({"a": np.array([1.0]), "c": ["x"]}),
        ColumnBatch({"a": np.array([1.0]), "b": [None]}),
    ]
    keys = {result_key("sklearn", "", batch) for batch in batches}
    assert len(keys) == len(batches)
    assert result_key("sklearn", "", ColumnBatch({"a": np.array([1.0]), "b": ["x"]})) in keys


def test_a_feature_may_be_missing_only_where_the_model_says_so() -> None:
    sparse = FeatureInput(("a", "b"), missing=True)
    batch = batch_from_instances([[1, None], {"b": 2, "a": None}], sparse, LIMITS, {})
    np.testing.assert_array_equal(batch.features, [[1, np.nan], [np.nan, 2]])  # type: ignore[union-attr]
    for kind, rows in ((FeatureInput(("a", "b")), [[1, None]]), (sparse, [[1, "x"]]), (sparse, [[1]]), (sparse, ["x"])):
        with pytest.raises(InvalidInput):
            batch_from_instances(rows, kind, LIMITS, {})


def test_null_is_an_element_only_where_a_value_may_be_missing() -> None:
    assert type(None) in tensors.element_types(KIND, "FP32").types
    assert type(None) not in tensors.element_types(KIND, "INT64").types
    assert tensors.element_types(KIND, "BOOL").types == {bool}
    assert tensors.element_types(FeatureInput(("a",)), "FP64").types == {int, float}
