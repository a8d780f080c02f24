from typing import Any

import numpy as np
import pytest

from predictors.client.errors import ConfigurationError
from predictors.client.tensors import Tensor


@pytest.mark.parametrize(
    ("values", "tensor"),
    [
        ([1, 2], Tensor("INT64", (2,), (1, 2))),
        ([[1, 2.5]], Tensor("FP64", (1, 2), (1, 2.5))),
        ((("a", "b"), ["c", "d"]), Tensor("BYTES", (2, 2), ("a", "b", "c", "d"))),
        ([[[True]], [[False]]], Tensor("BOOL", (2, 1, 1), (True, False))),
        (np.array([[1.5], [2.5]]), Tensor("FP64", (2, 1), (1.5, 2.5))),
        (np.arange(3), Tensor("INT64", (3,), (0, 1, 2))),
    ],
)
def test_values(values: Any, tensor: Tensor) -> None:
    assert Tensor.of(values) == tensor


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (7, "a tensor is made of a list"),
        ("text", "a tensor is made of a list"),
        ({"a": 1}, "a tensor is made of a list"),
        ([], "no values was given"),
        ([[]], "no values was given"),
        ([1, "a"], "int, str was given"),
        ([True, 1], "bool, int was given"),
        ([None], "NoneType was given"),
        ([b"a"], "bytes was given"),
        ([[1, 2], [3]], "as long as each other"),
        ([[1], 2], "as long as each other"),
        ([1, [2]], "int, list was given"),
    ],
)
def test_what_is_no_tensor(values: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Tensor.of(values)


def test_a_shape_must_fit() -> None:
    with pytest.raises(ConfigurationError, match=r"the shape \[2, 2\] cannot hold 3 values"):
        Tensor("FP64", (2, 2), (1, 2, 3))


def test_rows() -> None:
    assert [*Tensor("INT64", (2, 2), (1, 2, 3, 4)).rows()] == [(1, 2), (3, 4)]
    assert [*Tensor("INT64", (2,), (1, 2)).rows()] == [(1,), (2,)]
    assert [*Tensor("INT64", (2, 0), ()).rows()] == []
