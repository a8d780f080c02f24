"""What things are called in errors."""

from collections.abc import Mapping, Sequence
from types import NoneType

# How many names an error lists, and how many characters of each.
_MAX_NAMES_SHOWN = 20
_MAX_NAME_SHOWN = 64
JSON_TYPES: Mapping[type, str] = {
    NoneType: "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}
"""The JSON types of parsed values, with their articles."""


def brief(names: Sequence[str]) -> str:
    """Names for an error: the first few of many, since a model may have hundreds."""
    shown = ", ".join(name[:_MAX_NAME_SHOWN] for name in names[:_MAX_NAMES_SHOWN])
    return shown if len(names) <= _MAX_NAMES_SHOWN else f"{shown} and {len(names) - _MAX_NAMES_SHOWN} more"


def json_type(value: object) -> str:
    """Name the JSON type of a parsed value, with its article."""
    return JSON_TYPES.get(type(value), "something else")
