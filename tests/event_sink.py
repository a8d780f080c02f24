"""A sink of CloudEvents for tests: it receives them over HTTP, and has the CloudEvents SDK read them."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from cloudevents.http import CloudEvent, from_http

from tests.waiting import until
from tests.web import web_server

REQUEST, RESPONSE = "org.kubeflow.serving.inference.request", "org.kubeflow.serving.inference.response"


class EventSink:
    """What was received.

    Args:
        url: where it listens.
        status: gives the status of each answer.
    """

    def __init__(self, url: str, status: Callable[[], int]) -> None:
        self.url = url
        self.status = status
        self.headers: list[dict[str, str]] = []
        self.events: list[CloudEvent] = []
        self.refused = 0

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        status = self.status()
        if status < 300:
            self.headers.append(headers)
            self.events.append(from_http(headers, body))
        else:
            self.refused += 1
        return status

    def data(self, request_id: str, kind: str) -> dict[str, Any]:
        """The data of the event of a request, once it is there."""

        def look() -> Any:
            found = [event for event in self.events if (event["id"], event["type"]) == (request_id, kind)]
            return found and found[0].data

        return dict(until(look, f"{kind} {request_id}", pause=0.02))


@contextmanager
def event_sink(status: Callable[[], int] = lambda: 202, context: ssl.SSLContext | None = None) -> Iterator[EventSink]:
    """Run a sink, with TLS if it has a context for that, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = received.receive({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(answer)
            self.send_header("content-length", "0")
            self.end_headers()

    with web_server(Handler, context) as port:
        received = EventSink(f"{'http' if context is None else 'https'}://127.0.0.1:{port}", status)
        yield received
