"""CloudEvents 1.0 about requests and answers, with the types and attributes that KServe's logger gives them.

As that does, the event about a request and the one about its answer have the same id, the request's.
"""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

import orjson

from predictors.serving.request_log.content import Content
from predictors.serving.request_log.entry import Entry
from predictors.serving.request_log.settings import RequestLogSettings
from predictors.serving.telemetry.logs import timestamp

REQUEST = "org.kubeflow.serving.inference.request"
RESPONSE = "org.kubeflow.serving.inference.response"
"""The types of events, as in KServe's pkg/logger/worker.go."""
_JSON = "application/json"


class Event(NamedTuple):
    """An event.

    Args:
        attributes: by name; printable ASCII.
        data: JSON.
    """

    attributes: dict[str, str]
    data: bytes

    def headers(self) -> dict[str, str]:
        """The headers of HTTP's binary content mode, in which the data is the body."""
        return {"content-type": _JSON, **{f"ce-{name}": value for name, value in self.attributes.items()}}

    def line(self) -> bytes:
        """The event as a line of JSON, in CloudEvents' structured form."""
        whole = {**self.attributes, "datacontenttype": _JSON, "data": orjson.Fragment(self.data)}
        return orjson.dumps(whole, option=orjson.OPT_APPEND_NEWLINE)


class Events:
    """Makes events.

    Args:
        content: writes their data.
        host: the machine's name; in a cluster, the pod's.
        settings: name the InferenceService and the namespace, if they are known.
    """

    def __init__(self, content: Content, host: str, settings: RequestLogSettings) -> None:
        self._content = content
        self._service = settings.request_log_service
        namespace = settings.request_log_namespace
        self._common = {
            "specversion": "1.0",
            "source": quote(host),
            "component": "predictor",
            "endpoint": "default",
            **({"namespace": namespace} if namespace else {}),
        }

    def about(self, entry: Entry) -> Iterator[Event]:
        """The events about a request and its answer.

        Raises:
            UnknownNameError: nothing may be logged.
        """
        self._content.require_known_names()
        yield Event(self._attributes(REQUEST, entry, entry.asked), self._content.request(entry))
        yield Event(self._attributes(RESPONSE, entry, entry.answered), self._content.response(entry))

    def _attributes(self, kind: str, entry: Entry, seconds: float) -> dict[str, str]:
        return {
            **self._common,
            "type": kind,
            "id": entry.id,
            "time": timestamp(seconds),
            "inferenceservicename": self._service or entry.model,
        }
