"""Traces as OpenTelemetry's own collector takes them in."""

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.functions import free_port
from tests.live import serve, wait_for
from tests.programs import program

CONFIGURATION = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
exporters: {{file: {{path: "{path}"}}}}
service:
  pipelines: {{traces: {{receivers: [otlp], exporters: [file]}}}}
  telemetry: {{metrics: {{level: none}}}}
"""


@pytest.fixture
def otelcol(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A collector's address, and the file that it writes what it gets to."""
    port, spans, configuration = free_port(), tmp_path / "spans.json", tmp_path / "otelcol.yaml"
    configuration.write_text(CONFIGURATION.format(port=port, path=spans))
    with subprocess.Popen([program("otelcol"), "--config", configuration], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: listens(port), "the collector")
            yield f"http://127.0.0.1:{port}", spans
        finally:
            process.kill()


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def test_a_request_is_a_trace(artifacts: object, otelcol: tuple[str, Path]) -> None:
    address, file = otelcol
    with serve("iris", "--otlp_endpoint", address, "--trace_sample_ratio", "1") as live:
        body = {"instances": [[5.1, 3.5, 1.4, 0.2]]}
        answer = httpx.post(f"{live.wait_ready().url}/v1/models/iris:predict", json=body, timeout=60)
        live.terminate()  # what is not sent yet, is
    trace_id = answer.headers["traceresponse"].split("-")[1]

    def named() -> set[str]:
        batches = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        groups = [group for batch in batches for group in batch["resourceSpans"]]
        spans = [span for group in groups for scope in group["scopeSpans"] for span in scope["spans"]]
        return {span["name"] for span in spans if span["traceId"] == trace_id}

    wait_for(lambda: named() >= {"v1 iris", "decode", "predict", "encode"}, "the spans")
