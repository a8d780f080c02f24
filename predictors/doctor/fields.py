"""Fields of objects that others wrote: whatever is absent, null or of another type counts as empty."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeAlias

Object: TypeAlias = Mapping[str, Any]

# Kubernetes' quantities: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity
_QUANTITY = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)(?:(m|[kMGTPE]|[KMGTPE]i)?|[eE]([+-]?\d{1,2}))")
_UNITS = {"m": 1e-3, "": 1.0, "k": 1e3} | {
    f"{letter}{i}": (1024.0 if i else 1000.0) ** power for power, letter in enumerate("MGTPE", 2) for i in ("", "i")
}
_UNITS["Ki"] = 1024.0


def at(thing: Any, *path: str) -> Any:
    """What is at a path of keys; None if there is nothing."""
    for key in path:
        if not isinstance(thing, Mapping):
            return None
        thing = thing.get(key)
    return thing


def mapping(thing: Any, *path: str) -> Object:
    """The object at a path."""
    found = at(thing, *path)
    return found if isinstance(found, Mapping) else {}


def objects(thing: Any, *path: str) -> list[Object]:
    """The objects of a list at a path."""
    found = at(thing, *path)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def texts(thing: Any, *path: str) -> list[str]:
    """The texts of a list at a path."""
    found = at(thing, *path)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def text(thing: Any, *path: str) -> str:
    """The text at a path."""
    found = at(thing, *path)
    return found if isinstance(found, str) else ""


def integer(thing: Any, *path: str) -> int | None:
    """The whole number at a path, of 64 bits as Kubernetes has them."""
    found = at(thing, *path)
    is_number = isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**63
    return found if is_number else None


def is_on(value: str) -> bool:
    """Whether a flag with this value is set, as the server reads it; `--a` alone is."""
    return value.lower() in ("", "true", "1", "yes", "on", "y", "t")


def name(thing: Any) -> str:
    """An object's name."""
    return text(thing, "metadata", "name")


def condition(thing: Any, kind: str) -> Object:
    """One of an object's conditions; empty if it has none of that type."""
    return next((each for each in objects(thing, "status", "conditions") if text(each, "type") == kind), {})


def quantity(written: Any) -> float | None:
    """A quantity such as 384Mi or 100m as a number; None if it is none."""
    match = _QUANTITY.fullmatch(str(written))
    return float(match[1]) * _UNITS[match[2] or ""] * 10.0 ** int(match[3] or 0) if match else None


def selects(selector: Any, labels: Object) -> bool:
    """Whether a label selector, of matchLabels and matchExpressions, takes labels. An empty one takes all."""
    equal = all(labels.get(key) == value for key, value in mapping(selector, "matchLabels").items())
    return equal and all(_holds(each, labels) for each in objects(selector, "matchExpressions"))


def _holds(expression: Object, labels: Object) -> bool:
    key, values = text(expression, "key"), texts(expression, "values")
    match text(expression, "operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False


def flags(arguments: list[str]) -> Iterator[tuple[str, str]]:
    """Flags with their values, from arguments such as `--a=1`, `--a 1` and `--a`; - and _ are the same in a flag."""
    for argument, following in pairwise([*arguments, ""]):
        if argument.startswith("--"):
            flag, sign, value = argument[2:].partition("=")
            alone = "" if following.startswith("--") else following
            yield flag.replace("-", "_"), value if sign else alone
