"""Fields of objects: selectors, quantities and flags, as Kubernetes and the server read them."""

from typing import Any

import pytest

from predictors.doctor.fields import at, flags, integer, mapping, objects, quantity, selects, text, texts

LABELS = {"app": "iris", "tier": "models"}


@pytest.mark.parametrize(
    ("selector", "takes"),
    [
        ({}, True),
        ({"matchLabels": {"app": "iris"}}, True),
        ({"matchLabels": {"app": "iris", "tier": "web"}}, False),
        ({"matchLabels": {"other": "iris"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "iris"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": []}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["iris"]}]}, False),
        ({"matchExpressions": [{"key": "other", "operator": "NotIn", "values": ["iris"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "other", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Near"}]}, False),
        ({"matchLabels": {"app": "iris"}, "matchExpressions": [{"key": "x", "operator": "Exists"}]}, False),
    ],
)
def test_selectors(selector: Any, takes: bool) -> None:
    assert selects(selector, LABELS) is takes


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("100m", 0.1), ("1", 1.0), (2, 2.0), (0.5, 0.5), ("1k", 1000.0), ("1Ki", 1024.0), ("384Mi", 384 * 2**20), ("1.5Gi", 1.5 * 2**30),
        ("1e9", 1e9), ("5E-1", 0.5), ("1E", 1e18), ("1e", None), ("1e1e1", None), ("1M", 1e6), ("2G", 2e9), ("1T", 1e12), ("1Ei", 2.0**60), ("", None), (None, None), ("many", None), ("-1", None), ("1 Gi", None),
        (True, None), ([], None),
    ],
)  # fmt: skip
def test_quantities(written: Any, value: float | None) -> None:
    assert quantity(written) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--a=1", "--b", "2", "--c"], {"a": "1", "b": "2", "c": ""}),
        (["--drain-seconds=5", "--drain_seconds=6"], {"drain_seconds": "6"}),
        (["serve", "iris", "--x", "--y=z=1"], {"x": "", "y": "z=1"}),
        ([], {}),
    ],
)
def test_flags(arguments: list[str], expected: dict[str, str]) -> None:
    assert dict(flags(arguments)) == expected


@pytest.mark.parametrize("thing", [None, 1, "x", [], {"a": None}, {"a": 1}, {"a": [None]}, {"a": {"b": None}}])
def test_what_is_not_there_is_empty(thing: Any) -> None:
    assert (at(thing, "a", "b"), mapping(thing, "a", "b"), objects(thing, "a", "b"), texts(thing, "a", "b")) == (
        None,
        {},
        [],
        [],
    )
    assert (text(thing, "a", "b"), integer(thing, "a", "b")) == ("", None)


def test_a_number_has_64_bits() -> None:
    assert integer({"a": 2**63 - 1}, "a") == 2**63 - 1
    assert integer({"a": 10**400}, "a") is None


def test_a_truth_is_no_number() -> None:
    assert integer({"a": True}, "a") is None
