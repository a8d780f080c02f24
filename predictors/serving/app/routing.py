"""Which handler answers which path and method.

A path is split at its slashes; a pattern's segment is a literal or ``{name}``. V1 puts the verb behind a colon in the
last segment (``/v1/models/iris:predict``), so there a colon splits too. A tree of segments finds the handler in time
that does not grow with the number of routes.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from predictors.serving.errors import MethodNotAllowed, NotFound
from predictors.serving.protocols.http import Request, Response
from predictors.serving.telemetry.call import ErrorBody, plain_error

# Paths that were found are remembered, within bounds, since strangers may make up many and long ones.
_MOST_KNOWN = 1024
_LONGEST_KNOWN = 256
_NOWHERE = "there is nothing at this path; /openapi.json lists what there is"
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class Access(Enum):
    """Who may use a route."""

    CALLERS = "callers"
    """Whoever may call."""
    SCRAPERS = "scrapers"
    """Whoever may read the metrics."""
    EVERYONE = "everyone"
    """Probes, which have no token, and what tells nothing of the models."""


@dataclass(frozen=True, slots=True)
class Route:
    """A handler and how its requests are accounted for.

    Args:
        handler: answers the request.
        protocol: the label of its metrics; empty for what is not inference.
        quiet: whether successes stay out of the access log (probes, scrapes).
        error_body: makes the body of an error out of a message, a status and the field at fault, which may be empty.
        access: who may use it, where the server asks.
    """

    handler: Handler
    protocol: str = ""
    quiet: bool = False
    error_body: ErrorBody = plain_error
    access: Access = Access.CALLERS


@dataclass(slots=True)
class _Node:
    literals: "dict[str, _Node]" = field(default_factory=dict)
    parameter: "tuple[str, _Node] | None" = None
    methods: dict[str, Route] = field(default_factory=dict)


class Router:
    """A table of routes."""

    def __init__(self) -> None:
        self._root = _Node()
        self._error_bodies: dict[str, ErrorBody] = {}
        self._known: dict[tuple[str, str], tuple[Route, dict[str, str]]] = {}

    def add(self, method: str, pattern: str, route: Route) -> None:
        """Add a route; one for GET answers HEAD too."""
        node = self._root
        for segment in _segments(pattern):
            if segment.startswith("{"):
                node.parameter = node.parameter or (segment[1:-1], _Node())
                node = node.parameter[1]
            else:
                node = node.literals.setdefault(segment, _Node())
        node.methods[method] = route
        if method == "GET":
            node.methods["HEAD"] = route

    def add_prefix(self, prefix: str, error_body: ErrorBody) -> None:
        """Set the form of errors for requests below a path that match no route."""
        self._error_bodies[prefix] = error_body

    def error_body(self, path: str) -> ErrorBody:
        """The form of the error for a request that matches no route."""
        for prefix, body in self._error_bodies.items():
            if path == prefix or path.startswith(prefix + "/"):
                return body
        return plain_error

    def match(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """Find the route; what was found before is remembered.

        Returns:
            The route, and the values of the pattern's parameters.

        Raises:
            NotFound: no such path.
            MethodNotAllowed: the path is for other methods.
        """
        known = self._known.get((method, path))
        if known is not None:
            return known
        found = self._find(method, path)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        if len(path) <= _LONGEST_KNOWN:
            self._known[method, path] = found
        return found

    def _find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        if not path.startswith("/"):  # "*", say
            raise NotFound(_NOWHERE)
        node, params = self._root, {}
        for segment in _segments(path):
            literal = node.literals.get(segment)
            if literal is not None:
                node = literal
            elif node.parameter is not None and segment:
                name, node = node.parameter
                params[name] = segment
            else:
                raise NotFound(_NOWHERE)
        if not node.methods:
            raise NotFound(_NOWHERE)
        route = node.methods.get(method)
        if route is None:
            allowed = tuple(sorted(node.methods))
            raise MethodNotAllowed(f"the method is not allowed here; allowed are {', '.join(allowed)}", allowed)
        return route, params


def _segments(path: str) -> list[str]:
    *folders, last = path[1:].split("/")
    name, colon, verb = last.partition(":")
    return [*folders, name, colon + verb] if colon else [*folders, last]
