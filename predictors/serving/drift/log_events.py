"""Logged requests and responses: CloudEvents in JSON, one a line, as KServe's logger and ours send them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

_TYPES = {
    "org.kubeflow.serving.inference.request": "request",
    "org.kubeflow.serving.inference.response": "response",
}

NO_JSON = "lines that are not JSON, such as a last line that is not complete"
NO_EVENT = "lines that are neither a request nor a response"
NO_BODY = "events whose data is redacted, missing, or not JSON"


class Event(NamedTuple):
    """A request or a response.

    Args:
        kind: ``request`` or ``response``.
        names: of the model: its own, and that of its InferenceService, as far as the event says.
        version: of the model, empty if the event does not say.
        time: as the event has it; empty if it has none.
        data: the body.
    """

    kind: str
    names: tuple[str, ...]
    version: str
    time: str
    data: dict[str, Any]


def events(lines: Iterable[bytes], skipped: Counter[str]) -> Iterator[Event]:
    """Read events.

    Args:
        lines: one event each.
        skipped: lines that hold none are counted here, by the reason.
    """
    for line in lines:
        try:
            event = orjson.loads(line)
        except ValueError:
            skipped[NO_JSON] += 1
            continue
        kind = _TYPES.get(str(event.get("type"))) if isinstance(event, dict) else None
        if kind is None:
            skipped[NO_EVENT] += 1
            continue
        data = _body(event.get("data"))
        if data is None:
            skipped[NO_BODY] += 1
            continue
        names = (data.get("model_name"), event.get("inferenceservicename"))
        known = tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))
        yield Event(kind, known, str(data.get("model_version") or ""), str(event.get("time") or ""), data)


def _body(data: object) -> dict[str, Any] | None:
    """A body; it may stand as JSON in a string."""
    if isinstance(data, str):
        try:
            data = orjson.loads(data)
        except ValueError:
            return None
    return data if isinstance(data, dict) else None
