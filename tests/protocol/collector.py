"""An OpenTelemetry collector for tests: it receives OTLP over HTTP and keeps the spans."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.waiting import until
from tests.web import web_server


class Collector:
    """What was received.

    Args:
        url: where it listens.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.paths: set[str] = set()
        self.resources: list[dict[str, str]] = []
        self.spans: list[Any] = []

    def receive(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append({each.key: each.value.string_value for each in group.resource.attributes})
            self.spans += [span for scope in group.scope_spans for span in scope.spans]

    def trace(self, trace_id: str) -> dict[str, Any]:
        """The spans of a trace by their names, once its root is there."""

        def look() -> dict[str, Any]:
            found = {span.name: span for span in self.spans if span.trace_id.hex() == trace_id}
            return found if any(span.kind == span.SPAN_KIND_SERVER for span in found.values()) else {}

        return until(look, f"the spans of {trace_id}", pause=0.02)


def attributes(span: Any) -> dict[str, Any]:
    """A span's attributes by their names."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


@contextmanager
def collector() -> Iterator[Collector]:
    """Run a collector until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            received.receive(self.path, body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with web_server(Handler) as port:
        received = Collector(f"http://127.0.0.1:{port}")
        yield received
