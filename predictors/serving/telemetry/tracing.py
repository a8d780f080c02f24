"""Traces, exported to an OpenTelemetry collector.

Spans are made after the answer, and only for requests that are sampled; a thread of the SDK's sends them. What it
cannot send in time it drops: its queue is bounded, and nobody waits for it.
"""

import logging
import random
import time
from typing import Any

from predictors import __version__
from predictors.serving.errors import StartupError
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.trace import Trace, continued, new_span_id, new_trace

SERVICE = "kserve-predictors"
# Codes that are the server's failures, as OpenTelemetry's conventions have it: HTTP 5xx, and these of gRPC.
_FAILED = frozenset(("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"))
_FLUSH_MILLISECONDS = 5_000
# Strangers may send paths of 64 KiB and have them sampled, and thousands of spans wait in the queue.
_LONGEST_PATH = 1024


class Tracing:
    """Decides which requests are traced, and exports their spans. Only for the event loop's thread.

    Args:
        endpoint: of the collector, such as ``http://collector:4318``.
        ratio: share of the requests without a trace of their own that begin one.

    Raises:
        StartupError: the package is missing, or the endpoint is no address.
    """

    def __init__(self, endpoint: str, ratio: float) -> None:
        if not endpoint.startswith(("http://", "https://")):
            raise StartupError("--otlp_endpoint must begin with http:// or https://, such as http://collector:4318")
        try:
            from opentelemetry import trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import OTELResourceDetector, Resource
            from opentelemetry.sdk.trace import ReadableSpan
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            raise StartupError("--otlp_endpoint needs a package: pip install 'kserve-predictors[tracing]'") from None
        # Each span that is dropped would be a line of the log, just when there are too many.
        logging.getLogger("opentelemetry.sdk").setLevel(logging.ERROR)
        # At each attempt it quotes the whole address, which may hold a key; its errors say that nothing arrives.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
        self._ratio = ratio
        self._api, self._new_span = trace, ReadableSpan
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win; the SDK's own name, if they name none, does not.
        defaults = Resource({"service.name": SERVICE, "service.version": __version__})
        self._resource = Resource.create().merge(defaults).merge(OTELResourceDetector().detect())
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
        self._processor = BatchSpanProcessor(exporter)

    def begin(self, traceparent: str | None) -> Trace | None:
        """The trace of a request: the caller's if it has one, else sometimes a new one.

        Args:
            traceparent: W3C's header, as the caller sent it.
        """
        if traceparent is not None and (trace := continued(traceparent)) is not None:
            return trace
        return new_trace() if random.random() < self._ratio else None  # noqa: S311  # nothing secret

    def end(self, call: Call) -> None:
        """Export the spans of a call that has been answered."""
        trace = call.trace
        if trace is None or not trace.sampled or call.quiet:
            return
        ended = time.monotonic()
        offset = time.time() - ended  # between the clocks
        context = self._context(trace.trace_id, trace.span_id)
        root = self._span(f"{call.protocol or 'http'} {call.model}".rstrip(), context, (call.started, ended), offset)
        root["parent"] = self._context(trace.trace_id, trace.parent_id) if trace.parent_id else None
        root["kind"], root["attributes"] = self._api.SpanKind.SERVER, _attributes(call)
        if _failed(call.code):
            root["status"] = self._api.Status(self._api.StatusCode.ERROR)
        for step in trace.steps:
            span = self._span(step.name, self._context(trace.trace_id, new_span_id()), step[1:], offset)
            self._processor.on_end(self._new_span(parent=context, **span))
        self._processor.on_end(self._new_span(**root))

    def _span(self, name: str, context: Any, times: tuple[float, float], offset: float) -> dict[str, Any]:
        begun, ended = (int((moment + offset) * 1e9) for moment in times)
        return {"name": name, "context": context, "resource": self._resource, "start_time": begun, "end_time": ended}

    def _context(self, trace_id: str, span_id: str) -> Any:
        flags = self._api.TraceFlags(self._api.TraceFlags.SAMPLED)
        return self._api.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=flags)

    def close(self) -> None:
        """Send what has not been sent, for a few seconds at most; it blocks."""
        self._processor.force_flush(_FLUSH_MILLISECONDS)
        self._processor.shutdown()  # type: ignore[no-untyped-call]


def _failed(code: str) -> bool:
    return code in _FAILED or (len(code) == 3 and code[0] == "5")


def _attributes(call: Call) -> dict[str, str | int]:
    """What is known of a call, but nothing of its content."""
    status = "http.response.status_code" if call.code.isdigit() else "rpc.response.status_code"
    named = {
        "url.path": call.path[:_LONGEST_PATH],
        status: int(call.code) if call.code.isdigit() else call.code,
        "error.type": call.code if _failed(call.code) else "",
        "http.request.body.size": call.bytes_in,
        "http.response.body.size": call.bytes_out,
        "predictors.request_id": call.id,
        "predictors.protocol": call.protocol,
        "predictors.model": call.model,
        "predictors.version": call.version,
        "predictors.cache": call.cache,
    }
    return {name: value for name, value in named.items() if value != ""}
