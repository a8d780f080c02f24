"""Values of a JSON schema's keywords that are rejected, because llguidance would take too long or be inexact."""

from decimal import Decimal
from typing import Any, NoReturn

from predictors.serving.errors import InvalidInput

_MOST_PROPERTIES = 64
# Each pair of patterns is compared: 60 took 0.2 s.
_MOST_PATTERN_PROPERTIES = 16
_MOST_REPEATS = 256
# 250 optional characters exceed the work that is allowed per token.
_LONGEST_PATTERN = 512
# Each remainder is a state of an automaton: 10,007 took 0.1 s, 1,000,003 took 10 s and 261 MB.
_LARGEST_DIVISOR, _MOST_DECIMALS = 10_000, 9
# llguidance computes with 64-bit floats, which represent every integer up to this one.
_LARGEST_NUMBER = 2**53

COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def check_keywords(node: dict[str, Any]) -> None:
    """Check the values of a schema's own keywords.

    Raises:
        InvalidInput: one exceeds its bound, or would not be followed exactly.
    """
    for name in ("properties", "patternProperties"):
        most = _MOST_PROPERTIES if name == "properties" else _MOST_PATTERN_PROPERTIES
        if len(values_of(node.get(name))) > most:
            reject(f'has "{name}" with {len(node[name])} members; at most {most} are allowed')
    for name in COUNTS:
        _check_count(name, node.get(name, 0))
    for name in BOUNDS:
        _check_number(node.get(name), name)
    _check_divisor(node.get("multipleOf"))
    _check_patterns(node)
    # Names of properties that the schema does not name may be repeated in an answer, and count once when it is parsed.
    if node.get("minProperties", 0) > max(1, len(list_of(node.get("required", [])))):
        reject('has "minProperties" above 1 and above the number of required properties, which is not supported')


def _check_count(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        reject(f'has "{name}" that is not an integer')
    if value > _MOST_REPEATS:
        raise InvalidInput(f'"{name}" is {value} in the JSON schema; at most {_MOST_REPEATS} is allowed')


def _check_number(value: Any, name: str) -> None:
    if isinstance(value, int | float) and abs(value) > _LARGEST_NUMBER:
        reject(f'has a number in "{name}" beyond {_LARGEST_NUMBER}, which is not supported')


def _check_divisor(value: Any) -> None:
    if isinstance(value, int | float):
        _, digits, exponent = Decimal(str(value)).normalize().as_tuple()
        decimals = -int(exponent)
        divisor = int("".join(map(str, digits))) * 10 ** min(max(0, -decimals), 20)
        if divisor > _LARGEST_DIVISOR or decimals > _MOST_DECIMALS:
            reject(f'has "multipleOf" {value}; at most {_LARGEST_DIVISOR} is allowed, not counting the decimal point')


def _check_patterns(node: dict[str, Any]) -> None:
    patterns = node.get("patternProperties")
    for pattern in (node.get("pattern"), *(patterns if isinstance(patterns, dict) else ())):
        if isinstance(pattern, str) and len(pattern) > _LONGEST_PATTERN:
            reject(f'has a "pattern" of {len(pattern)} characters; at most {_LONGEST_PATTERN} are allowed')
    if node.get("format") == "unknown":  # llguidance takes it for any text
        reject('has the "format" unknown')


def check_literal(value: Any) -> int:
    """Check a value in ``const`` or ``enum``.

    Returns:
        How many values it consists of, including itself.

    Raises:
        InvalidInput: it would not be followed exactly.
    """
    if isinstance(value, str) and any(character < " " and character not in "\b\f\n\r\t" for character in value):
        reject("has control characters in const or enum, which are not supported")
    _check_number(value, "const or enum")
    inner = values_of(value) if isinstance(value, dict) else value if isinstance(value, list) else []
    return 1 + sum(map(check_literal, inner))


def reject(why: str) -> NoReturn:
    """Raise `InvalidInput`; the text continues "the JSON schema …"."""
    raise InvalidInput(f"the JSON schema {why}")


def values_of(value: Any) -> list[Any]:
    """The values of an object; none of anything else."""
    return list(value.values()) if isinstance(value, dict) else []


def list_of(value: Any) -> list[Any]:
    """A list as it is, and anything else as the only element of one."""
    return value if isinstance(value, list) else [value]
