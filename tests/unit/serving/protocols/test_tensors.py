"""Features as V2 tensors, for models with any number of them."""

import numpy as np
import pytest

from predictors.serving.errors import InvalidInput
from predictors.serving.model.types import FeatureBatch, FeatureInput, Limits
from predictors.serving.protocols.tensors import Tensor, to_batch

LIMITS = Limits(max_rows=10)


def column(name: str, *values: float, shape: tuple[int, ...] = ()) -> Tensor:
    data = np.array(values).reshape(shape or (len(values),))
    return Tensor(name, "FP64", data.shape, data)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
@pytest.mark.parametrize("names", [("age",), ("age", "income")])
def test_a_tensor_for_each_feature(names: tuple[str, ...], shape: tuple[int, ...]) -> None:
    tensors = [column(name, i, i + 1, i + 2, shape=shape) for i, name in reversed(list(enumerate(names)))]
    batch = to_batch(tensors, FeatureInput(names), LIMITS, {})
    assert isinstance(batch, FeatureBatch)
    np.testing.assert_array_equal(batch.features, np.add.outer([0, 1, 2], range(len(names))))


def test_one_tensor_for_all_features_may_have_any_name_of_several() -> None:
    batch = to_batch([column("age", 1, 2, shape=(1, 2))], FeatureInput(("age", "income")), LIMITS, {})
    assert isinstance(batch, FeatureBatch)
    assert batch.features.tolist() == [[1, 2]]


def test_errors_name_the_feature_and_a_few_of_many() -> None:
    many = FeatureInput(tuple(f"x{i}" for i in range(784)))
    with pytest.raises(InvalidInput, match=r"all\[0\]\[783\] \(x783\) is not a finite number"):
        to_batch([column("all", *[0] * 783, np.inf, shape=(1, 784))], many, LIMITS, {})
    with pytest.raises(InvalidInput, match=r"one for each of x0, .*, x19 and 764 more is expected"):
        to_batch([column("x0", 1), column("x1", 1)], many, LIMITS, {})
