"""The server as Cloud Run starts it: the environment of deploy/cloud-run/service.yaml, PORT, and what Cloud Run adds."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from predictors.cli.flags import SERVE_SETTINGS
from predictors.iris.model import IrisPredictor
from predictors.serving.settings import ENV_PREFIX, ServerSettings
from tests.functions import free_port
from tests.live import ARTIFACTS, JSON, PATIENCE_SECONDS, ROOT, LiveServer, wait_for

V1 = "/v1/models/iris:predict"
BODY = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
REQUEST = b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    V1.encode(),
    len(BODY),
    BODY,
)
# From SIGTERM to SIGKILL (https://cloud.google.com/run/docs/container-contract).
KILL_SECONDS = 10
SPEC: dict[str, Any] = yaml.safe_load((ROOT / "deploy/cloud-run/service.yaml").read_text())["spec"]["template"]["spec"]
[CONTAINER] = SPEC["containers"]
ENVIRONMENT: dict[str, str] = {entry["name"]: entry["value"] for entry in CONTAINER["env"]}


@contextmanager
def instance(*arguments: str, **environment: str) -> Iterator[LiveServer]:
    """One instance of the service, as the image's entry point starts it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
    added = {"K_SERVICE": "iris", "K_REVISION": "iris-00001-abc", "K_CONFIGURATION": "iris"}
    process = subprocess.Popen(
        [sys.executable, "-m", "predictors", "serve", "iris", f"--model_dir={ARTIFACTS / 'iris'}", *arguments],
        env=own | ENVIRONMENT | added | {"PORT": str(free_port())} | environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield LiveServer(process).wait_ready()
    finally:
        process.kill()
        process.wait()


def test_the_service_fits_the_server_and_the_platform() -> None:
    fields = {ENV_PREFIX + field.upper() for settings in SERVE_SETTINGS for field in settings.model_fields}
    assert set(ENVIRONMENT) <= fields
    assert (
        float(ENVIRONMENT["PREDICTORS_DRAIN_SECONDS"]) + float(ENVIRONMENT["PREDICTORS_GRACE_SECONDS"]) < KILL_SECONDS
    )
    assert SPEC["containerConcurrency"] <= IrisPredictor.max_queue
    assert SPEC["timeoutSeconds"] >= ServerSettings.model_fields["request_timeout_seconds"].default
    assert [port["name"] for port in CONTAINER["ports"]] == ["http1"]
    probe = CONTAINER["startupProbe"]
    assert probe["timeoutSeconds"] <= probe["periodSeconds"]


def test_what_is_built_and_deployed_is_in_the_repository() -> None:
    text = (ROOT / "deploy/cloud-run/cloudbuild.yaml").read_text()
    steps = yaml.safe_load(text)["steps"]
    assert [step["id"] for step in steps] == ["build", "push", "deploy"]
    script, target = re.search(r"(scripts/\S+) .* (\w+)$", steps[0]["args"][-1]).groups()  # type: ignore[union-attr]
    assert (ROOT / script).is_file()
    assert f" AS {target}\n" in (ROOT / "Dockerfile").read_text()
    [pattern, file] = re.search(r"s\|(image: \w+)\|.*\" (\S+)", steps[2]["args"][-1]).groups()  # type: ignore[union-attr]
    assert pattern in (ROOT / file).read_text()


def test_it_listens_on_the_port_that_it_is_told_and_on_no_other(artifacts: Path) -> None:
    with instance(PORT=str(port := free_port())) as live:
        listening = [each for each in psutil.Process(live.process.pid).connections("inet") if each.status == "LISTEN"]
        assert [each.laddr.port for each in listening] == [port]
        for probe in ("startupProbe", "livenessProbe"):
            assert httpx.get(live.url + CONTAINER[probe]["httpGet"]["path"]).status_code == 200
        assert httpx.post(live.url + V1, content=BODY, headers=JSON).json()["labels"] == ["setosa"]


def test_the_end_of_a_busy_instance_loses_no_request(artifacts: Path) -> None:
    statuses: list[int] = []
    with instance() as live:

        def send() -> None:
            with httpx.Client(timeout=PATIENCE_SECONDS) as client:
                while True:
                    answer = client.post(live.url + V1, content=BODY, headers=JSON)
                    statuses.append(answer.status_code)
                    if answer.headers.get("connection") == "close":
                        return

        senders = [threading.Thread(target=send) for _ in range(4)]
        for sender in senders:
            sender.start()
        wait_for(lambda: len(statuses) > 100, "traffic")
        assert live.terminate() == 0
        for sender in senders:
            sender.join(PATIENCE_SECONDS)
            assert not sender.is_alive()
    assert set(statuses) == {200}


def test_clients_of_a_suspended_instance_lose_nothing(artifacts: Path) -> None:
    """Each waits for longer than it may, but not by its own fault; what it sends meanwhile is answered."""
    with instance("--keep_alive_seconds", "1", "--head_timeout_seconds", "1") as live:
        address = ("127.0.0.1", live.http_port)
        with socket.create_connection(address) as idle, socket.create_connection(address) as halfway:
            for connection in (idle, halfway):
                connection.settimeout(PATIENCE_SECONDS)
                assert answer(connection, REQUEST).startswith(b"HTTP/1.1 200 ")
            halfway.sendall(REQUEST[:20])
            os.kill(live.process.pid, signal.SIGSTOP)
            time.sleep(3)
            idle.sendall(REQUEST)
            halfway.sendall(REQUEST[20:])
            os.kill(live.process.pid, signal.SIGCONT)
            for connection in (idle, halfway):
                assert answer(connection, b"").startswith(b"HTTP/1.1 200 ")
        assert live.terminate() == 0


def answer(connection: socket.socket, request: bytes) -> bytes:
    """Send a request and read the answer to it, whose body ends with a brace."""
    connection.sendall(request)
    received = b""
    while not received.endswith(b"}"):
        part = connection.recv(4096)
        assert part, f"the connection ended after {received!r}"
        received += part
    return received


def test_grpc_can_have_the_port_instead(artifacts: Path) -> None:
    """A service with the port named h2c: what serves HTTP must not take it."""
    grpc_port = free_port()
    own = {"PREDICTORS_ENABLE_GRPC": "true", "PREDICTORS_GRPC_PORT": str(grpc_port), "PREDICTORS_HTTP_PORT": "0"}
    with instance(PORT=str(grpc_port), **own) as live:
        assert live.grpc_port == grpc_port != live.http_port
