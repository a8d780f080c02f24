"""The earlier services' paths are described as they answer: a class may be a number, a string, or a boolean."""

from types import SimpleNamespace
from typing import Any

import pytest

from predictors.serving.model.types import FeatureInput
from predictors.serving.protocols.openapi import _legacy_paths


@pytest.mark.parametrize("path", ["/predict", "/inference"])
def test_a_class_of_any_type_is_as_described(path: str) -> None:
    predictor = SimpleNamespace(classifies=True, input=FeatureInput(("a",)), kind="sklearn")
    paths: Any = _legacy_paths([SimpleNamespace(name="m", version="1", predictor=predictor)])  # type: ignore[list-item]
    answer = paths[path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(answer["properties"]["prediction"]["type"]) == {"boolean", "integer", "number", "string"}
