"""Which requests are traced, and what becomes of spans that cannot be sent."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from predictors.serving.errors import StartupError
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.tracing import Tracing

SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@contextmanager
def silent_collector() -> Iterator[tuple[str, Event]]:
    """Takes what is sent, and does not answer before the event."""
    answers = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answers.wait()
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
            """Nothing is logged."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=web.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{web.server_address[1]}", answers
    finally:
        answers.set()
        web.shutdown()
        web.server_close()
        thread.join()


@pytest.mark.parametrize(("ratio", "least", "most"), [(0.0, 0, 0), (1.0, 1000, 1000), (0.5, 400, 600)])
def test_a_share_of_the_requests_begins_a_trace(ratio: float, least: int, most: int) -> None:
    with silent_collector() as (url, answers):
        tracing = Tracing(url, ratio)
        assert least <= sum(tracing.begin(None) is not None for _ in range(1000)) <= most
        assert tracing.begin(SAMPLED) is not None
        answers.set()
        tracing.close()


def test_spans_that_cannot_be_sent_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    with silent_collector() as (url, answers):
        tracing = Tracing(url, 1)
        for _ in range(1000):  # returns, though nobody takes them
            call = Call("id", "/x", "v1")
            call.trace, call.code = tracing.begin(None), "200"
            tracing.end(call)
        assert len(tracing._processor._batch_processor._queue) <= 20
        answers.set()
        tracing.close()


def test_spans_of_strangers_take_little_memory() -> None:
    with silent_collector() as (url, answers):
        tracing = Tracing(url, 0)
        call = Call("id", "/" + "x" * 60_000)
        call.trace, call.code = tracing.begin(SAMPLED), "404"
        tracing.end(call)
        (span,) = tracing._processor._batch_processor._queue
        assert span.attributes["url.path"] == "/" + "x" * 1023
        answers.set()
        tracing.close()


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(StartupError, match=r"pip install 'kserve-predictors\[tracing\]'"):
        Tracing("http://collector:4318", 1)


def test_serving_does_not_import_the_sdk() -> None:
    code = "import predictors.serving.server, sys; sys.exit('opentelemetry.sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
