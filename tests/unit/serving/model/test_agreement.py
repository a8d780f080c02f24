"""When two versions' answers count as equal."""

from typing import Any

import numpy as np
import pytest

from predictors.serving.model.agreement import Bounds, same_outputs, same_predictions
from predictors.serving.model.types import Outputs, TensorSpec

SPECS = (TensorSpec("n", "FP64", (-1,)), TensorSpec("s", "BYTES", (-1,)))


@pytest.mark.parametrize(
    ("numbers", "strings", "same"),
    [
        ([1.0, 2.0], ["a", "b"], True),
        ([1.0, 2.0 + 1e-9], ["a", "b"], True),
        ([1.0, 2.1], ["a", "b"], False),
        ([1.0, float("nan")], ["a", "b"], False),
        ([1.0], ["a", "b"], False),
        ([[1.0, 2.0]], ["a", "b"], False),
        ([1.0, 2.0], ["a", "c"], False),
        ([1.0, 2.0], ["b", "a"], False),
        ([1.0, 2.0], ["a"], False),
    ],
)
def test_outputs_are_the_same_up_to_rounding(numbers: Any, strings: list[str], same: bool) -> None:
    ours: Outputs = {"n": np.array([1.0, 2.0]), "s": ["a", "b"], "only ours": [1]}
    assert same_outputs(ours, {"n": np.array(numbers), "s": strings}, SPECS) is same


def test_an_array_is_not_the_same_as_a_list() -> None:
    assert not same_outputs({"s": np.array([1])}, {"s": [1]}, SPECS[1:])


def predictions(labels: list[str], *probabilities: list[float]) -> dict[str, Any]:
    return {"label": labels, "predict_proba": np.array(probabilities)}


@pytest.mark.parametrize(
    ("theirs", "same"),
    [
        (predictions(["a", "b"], [0.9, 0.1], [0.2, 0.8]), True),
        (predictions(["a", "b"], [0.86, 0.14], [0.24, 0.76]), True),
        (predictions(["a", "b"], [0.9, 0.1], [0.26, 0.74]), False),
        (predictions(["a", "a"], [0.9, 0.1], [0.2, 0.8]), False),
        (predictions(["a", "b"], [0.9, 0.1, 0.0], [0.2, 0.8, 0.0]), False),
        (predictions(["a", "b"], [float("nan"), 0.1], [0.2, 0.8]), False),
    ],
)
def test_classifiers_agree_on_every_label_and_nearly_on_probabilities(theirs: dict[str, Any], same: bool) -> None:
    ours = predictions(["a", "b"], [0.9, 0.1], [0.2, 0.8])
    assert same_predictions(ours, theirs, "label", Bounds()) is same
    assert same_predictions(theirs, ours, "label", Bounds()) is same


def test_the_bound_on_probabilities_is_a_setting() -> None:
    ours, theirs = predictions(["a"], [0.9, 0.1]), predictions(["a"], [0.7, 0.3])
    assert same_predictions(ours, theirs, "label", Bounds(max_difference=0.21))
    assert not same_predictions(ours, theirs, "label", Bounds(max_difference=0.19))
