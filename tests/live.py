"""A real server in its own process, for tests over the network."""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

from predictors.serving.model import kserve_api
from tests.waiting import until

ROOT = Path(__file__).parent.parent
# Imported after our module and by its name: a plain `import kserve` would parse pytest's arguments.
pb_grpc = importlib.import_module(kserve_api.pb.__name__ + "_grpc")
T = TypeVar("T")

ARTIFACTS = ROOT / "artifacts"
JSON = {"content-type": "application/json"}
# Generous, since machines may be busy: a test must fail for what happened, not for when.
PATIENCE_SECONDS = 600.0


class LiveServer:
    """A running server.

    Args:
        process: its process.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        message = wait_for(self._listening, "the server to listen")
        found = re.search(r"HTTP (\S+), gRPC (\w+)", message)
        assert found, message
        # 0 where there is none: the one is the path of a Unix socket, or the other is off.
        self.http_port, self.grpc_port = (int(each) if each.isdigit() else 0 for each in found.groups())
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.grpc_address = f"127.0.0.1:{self.grpc_port}"

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.raw.append(line)
            if line.startswith("{"):
                self.lines.append(json.loads(line))
        self.process.stderr.close()

    def _listening(self) -> str:
        assert self.process.poll() is None, "".join(self.raw)
        return next((str(m) for m in (line.get("message", "") for line in self.lines) if "listening on" in str(m)), "")

    def wait_ready(self) -> "LiveServer":
        wait_for(self._ready, "readiness")
        return self

    def _ready(self) -> bool:
        assert self.process.poll() is None, "".join(self.raw)
        return httpx.get(self.url + "/v2/health/ready").is_success

    def access_line(self, request_id: str) -> dict[str, Any]:
        """The access log line of one request."""

        def find() -> dict[str, Any]:
            return next((line for line in self.lines if line.get("id") == request_id), {})

        return wait_for(find, f"the log line of {request_id}")

    def terminate(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the server and wait for its exit status."""
        self.process.send_signal(number)
        return self.join()

    def join(self) -> int:
        status = self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        return status


def wait_for(condition: Callable[[], T], what: str) -> T:
    """Poll until a condition is true; a failed connection counts as false."""

    def look() -> T | None:
        with suppress(httpx.TransportError):
            return condition()
        return None

    return until(look, what, PATIENCE_SECONDS, pause=0.02)


def require_artifact(model: str) -> None:
    """Fail with advice if a model has no artifact."""
    assert (ARTIFACTS / model / "manifest.json").exists(), f"artifacts/{model} is missing: run `make artifacts`"


def serve_command(*arguments: str) -> list[str]:
    """``predictors serve`` on free ports of the loopback interface, unless the arguments say otherwise."""
    ports = ("--host", "127.0.0.1", "--http_port", "0", "--grpc_port", "0")
    return [sys.executable, "-m", "predictors", "serve", *ports, *arguments]


def start_error(*arguments: str) -> str:
    """Run ``predictors serve``, which must refuse to start with status 1 and one line of its log; gives the message."""
    command = serve_command("--log_format", "json", *arguments)
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    # gRPC's library writes lines of its own, in another form.
    (entry,) = (json.loads(line) for line in result.stderr.splitlines() if line.startswith("{"))
    assert entry["level"] == "error"
    return str(entry["message"])


@contextmanager
def serve(*arguments: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> Iterator[LiveServer]:
    """Run ``predictors serve`` on free ports of the loopback interface until the block ends."""
    if not {"--artifacts_dir", "--gguf", "--model_dir"} & set(arguments):
        for model in {"iris", "intent", "summarizer"} & set(arguments):
            require_artifact(model)
    with running(serve_command("--log_format", "json", "--drain_seconds", "0", *arguments), cwd, env) as server:
        yield server


@contextmanager
def running(command: Sequence[str], cwd: Path = ROOT, env: dict[str, str] | None = None) -> Iterator[LiveServer]:
    """Run a server that logs JSON until the block ends."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    server = None
    try:
        server = LiveServer(process)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if server is not None:
            server.join()
