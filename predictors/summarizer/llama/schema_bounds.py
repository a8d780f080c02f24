"""Which JSON schemas are accepted, decided before llguidance compiles them.

llguidance rejects the keywords that it cannot follow, and bounds the work per token. It does not bound the time, memory
and stack that compiling takes: an ``allOf`` of 20 patterns took 87 s, one of alternatives in 12 kB took 3.2 GB, and a
chain of 1,000 definitions overflowed the stack. In a few cases it accepts a keyword that it does not follow exactly.
Both are rejected here.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import orjson

from predictors.serving.errors import InvalidInput
from predictors.summarizer.llama.schema_keywords import (
    BOUNDS,
    COUNTS,
    check_keywords,
    check_literal,
    list_of,
    reject,
    values_of,
)

_LARGEST_SCHEMA_BYTES = 32 * 1024
_MOST_NODES = 2000
_DEEPEST = 32
# The sum over all definitions, since compiling one may begin while another is compiled: 900 levels fit a stack of 8 MB.
_DEEPEST_IN_ALL = 512
# llguidance searches for a text that matches all patterns of an allOf: with 12 it took 26 ms, with 16 1.5 s.
_MOST_COMBINED_PATTERNS = 8
# Schemas built by combining alternatives with each other.
_MOST_COMBINATIONS = 100_000

_DEFINITIONS = ("$defs", "definitions")
_CHOICES = ("anyOf", "oneOf")
# Keywords that hold one schema or a list of them.
_ITEMS = ("items", "prefixItems", "additionalItems", "additionalProperties")
# Keywords that constrain a value by themselves. "type" is left out, since combining it with others costs nothing.
_ASSERTIONS = frozenset((*COUNTS, *BOUNDS, *_ITEMS, "multipleOf", "pattern", "format", "properties", "required"))


def bounded_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Check a schema, and rewrite it for llguidance.

    - Objects are closed: they have only the properties that are named, unless ``additionalProperties`` or
      ``patternProperties`` allow others. JSON Schema allows others by default, but small models do not stop inventing
      them. In a schema that combines schemas objects stay open, since a closed part would exclude the others'
      properties.
    - ``$schema`` and ``$id`` are dropped: every schema is read as draft 2020-12, and references stay within it.

    Args:
        schema: as the client sent it.

    Returns:
        A copy.

    Raises:
        InvalidInput: it exceeds a bound, or uses what would not be followed exactly.
    """
    try:
        encoded = orjson.dumps(schema)
    except TypeError:
        raise InvalidInput(f"the JSON schema is nested more than {_DEEPEST} levels deep") from None
    if len(encoded) > _LARGEST_SCHEMA_BYTES:
        raise InvalidInput(f"the JSON schema has {len(encoded)} bytes; at most {_LARGEST_SCHEMA_BYTES} are allowed")
    root: dict[str, Any] = orjson.loads(encoded)
    survey = _Survey(root)
    survey.run()
    for node in _nodes(root):
        node.pop("$schema", None)
        node.pop("$id", None)
        if not survey.combines:
            _close(node)
    return root


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """A schema and all schemas in it, including definitions."""
    if isinstance(node, dict):
        yield node
        for name in ("properties", "patternProperties", *_DEFINITIONS):
            for child in values_of(node.get(name)):
                yield from _nodes(child)
        for name in (*_ITEMS, *_CHOICES, "allOf"):
            for child in list_of(node.get(name)):
                yield from _nodes(child)


def _close(node: dict[str, Any]) -> None:
    counted = {"additionalProperties", "patternProperties", "minProperties", "maxProperties"}
    properties, required = node.get("properties"), node.get("required")
    if isinstance(properties, dict) and not node.keys() & counted:
        node["additionalProperties"] = False
        for name in required if isinstance(required, list) else ():
            if isinstance(name, str):
                properties.setdefault(name, True)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a schema stands.

    Args:
        depth: levels above it within its definition.
        combined: whether it is combined with others, and so copied for each of their alternatives.
        references: those followed since then.
    """

    depth: int = 0
    combined: bool = False
    references: tuple[str, ...] = ()


@dataclass(slots=True)
class _Extent:
    """What has been visited.

    Args:
        nodes: schemas.
        literals: values in ``const`` and ``enum``.
        choices: alternatives beyond the first, of all choices.
    """

    nodes: int = 0
    literals: int = 0
    choices: int = 0

    def since(self, before: "_Extent") -> "_Extent":
        return _Extent(self.nodes - before.nodes, self.literals - before.literals, self.choices - before.choices)


@dataclass(slots=True)
class _Survey:
    """Visits what llguidance compiles: each definition once, and again wherever it is combined with other schemas."""

    root: Any
    combines: bool = False
    _extent: _Extent = field(default_factory=_Extent)
    _combined_patterns: int = 0
    _combined_divisors: int = 0
    _definitions: dict[str, Any] = field(default_factory=dict)
    _deepest: int = 0

    def run(self) -> None:
        levels = 0
        pending = [self.root]
        while pending:
            self._deepest = 0
            known = len(self._definitions)
            self._visit(pending.pop(), _Place())
            pending += list(self._definitions.values())[known:]
            levels += self._deepest + 1
            if levels > _DEEPEST_IN_ALL:
                reject(f"has definitions that are nested more than {_DEEPEST_IN_ALL} levels deep in all")

    def _visit(self, node: Any, place: _Place) -> None:
        self._extent.nodes += 1
        self._deepest = max(self._deepest, place.depth)
        if self._extent.nodes > _MOST_NODES:
            reject(f"has more than {_MOST_NODES} parts, counting combined references in full")
        if place.depth > _DEEPEST:
            reject(f"is nested more than {_DEEPEST} levels deep")
        if isinstance(node, dict):
            check_keywords(node)
            self._count_combined(node, place)
            parts = _parts(node)
            self.combines |= len(parts.keys() - {"const", "enum"}) > 1
            inner = replace(place, depth=place.depth + 1, combined=place.combined or len(parts) > 1)
            self._check_combination([self._visit_part(name, part, inner) for name, part in parts.items()])

    def _count_combined(self, node: dict[str, Any], place: _Place) -> None:
        if place.combined or len(_parts(node)) > 1:
            self._combined_patterns += ("pattern" in node) + ("format" in node)
            self._combined_divisors += "multipleOf" in node
        if self._combined_patterns > _MOST_COMBINED_PATTERNS:
            reject(f'combines more than {_MOST_COMBINED_PATTERNS} uses of "pattern" and "format"')
        if self._combined_divisors > 1:
            reject('combines more than one "multipleOf"')

    def _visit_part(self, name: str, part: list[Any], place: _Place) -> _Extent:
        before = replace(self._extent)
        if name == "$ref":
            self._follow(part[0], place)
        elif name in ("const", "enum"):
            self._extent.literals += sum(map(check_literal, part))
        else:
            for each in part:
                self._visit(each, place)
        if name in (*_CHOICES, "enum"):
            self._extent.choices += max(0, len(part) - 1)
        return self._extent.since(before)

    def _check_combination(self, parts: list[_Extent]) -> None:
        """Bound what is built: each part, for each combination of the other parts' alternatives."""
        combinations = math.prod(1 + part.choices for part in parts)
        built = sum((1 + part.nodes + part.literals) * (combinations // (1 + part.choices)) for part in parts)
        if len(parts) > 1 and built > _MOST_COMBINATIONS:
            reject("combines too many alternatives (allOf, anyOf, oneOf or enum) with each other")
        self._extent.choices += combinations - 1 - sum(part.choices for part in parts)

    def _follow(self, reference: Any, place: _Place) -> None:
        target = self._definitions.get(reference) if isinstance(reference, str) else None
        if target is None:
            target = self._definitions[reference] = self._resolve(reference)
        if place.combined:
            if reference in place.references:
                reject("refers to itself where it combines schemas, which is not supported")
            self._visit(target, replace(place, references=(*place.references, reference)))

    def _resolve(self, reference: Any) -> Any:
        target = self.root
        path = unquote(reference).split("/") if isinstance(reference, str) else []
        for part in path[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(target, dict):
                target = target.get(name)
            elif isinstance(target, list) and name.isdecimal() and int(name) < len(target):
                target = target[int(name)]
            else:
                target = None
        if path[:1] != ["#"] or target is None:
            reject("has a $ref that cannot be resolved; only those within it (#/…) can")
        return target


def _parts(node: dict[str, Any]) -> dict[str, list[Any]]:
    """What a value must satisfy together: for each part, its schemas, its values, or its reference.

    Named properties and ``patternProperties`` are two parts, since llguidance combines those that match.
    """
    parts: dict[str, list[Any]] = {}
    for number, member in enumerate(list_of(node.get("allOf", []))):
        parts[f"allOf {number}"] = [member]
    for name in (*_CHOICES, "enum"):
        if name in node:
            parts[name] = list_of(node[name])
    for name in ("$ref", "const"):
        if name in node:
            parts[name] = [node[name]]
    if node.keys() & _ASSERTIONS:
        own = [child for name in _ITEMS if name in node for child in list_of(node[name])]
        parts["properties"] = values_of(node.get("properties")) + own
    if "patternProperties" in node:
        parts["patternProperties"] = values_of(node["patternProperties"])
    return parts
