"""REST on a Unix socket, for a proxy or sidecar on the same machine."""

import contextlib
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from predictors.serving.model.kserve_api import pb
from tests.live import JSON, LiveServer, pb_grpc, serve, start_error, wait_for

V1 = "/v1/models/iris:predict"
BODY = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rest.sock"


def client(path: Path) -> httpx.Client:
    return httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://iris", timeout=60)


@contextlib.contextmanager
def serve_at(path: Path, *arguments: str) -> Iterator[LiveServer]:
    with serve("iris", "--uds", str(path), *arguments) as live, client(path) as http:
        wait_for(lambda: http.get("/v2/health/ready").is_success, "readiness")
        yield live


def leave_socket(path: Path) -> None:
    """Leave a socket file without a listener, like a server that was killed."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
        left.listen()


def test_rest_is_served_on_the_socket_and_grpc_on_its_port(artifacts: Path, path: Path) -> None:
    with serve_at(path) as live, client(path) as http:
        assert any(f"listening on HTTP {path}, gRPC {live.grpc_port}" in line["message"] for line in messages(live))
        assert live.http_port == 0
        answer = http.post(V1, content=BODY, headers={**JSON, "x-request-id": "over-uds"})
        assert (answer.status_code, answer.json()["labels"]) == (200, ["setosa"])
        assert live.access_line("over-uds")["status"] == "200"
        with grpc.insecure_channel(live.grpc_address) as channel:
            assert pb_grpc.GRPCInferenceServiceStub(channel).ServerReady(pb.ServerReadyRequest()).ready
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert live.terminate() == 0
        assert not path.exists()
        assert "Traceback" not in "".join(live.raw)


def messages(live: LiveServer) -> list[dict[str, str]]:
    """Log lines other than those of the access log."""
    return [line for line in live.lines if "message" in line]


def test_connections_to_the_socket_are_bounded_and_drained_like_others(artifacts: Path, path: Path) -> None:
    with serve_at(path, "--max_connections", "2", "--drain_seconds", "30") as live:
        with client(path) as first, client(path) as second, client(path) as third:
            for http in (first, second, third):
                assert http.get("/v2/health/live").status_code == 200
            assert 'http_connections_ended_total{reason="evicted"}' in third.get("/metrics").text
            live.process.terminate()
            wait_for(lambda: third.get("/v2/health/ready").status_code == 503, "the drain")
            answer = third.post(V1, content=BODY, headers=JSON)
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        assert live.terminate() == 0


def test_a_stale_socket_is_replaced(artifacts: Path, path: Path) -> None:
    leave_socket(path)
    with serve_at(path):
        pass  # leaving the block kills the server, which leaves a stale socket
    assert path.exists()
    with serve_at(path), client(path) as http:
        assert http.post(V1, content=BODY, headers=JSON).status_code == 200


def test_a_socket_in_use_is_refused(artifacts: Path, path: Path) -> None:
    with serve_at(path), client(path) as http:
        assert start_error("iris", "--uds", str(path)) == (
            f"cannot listen on {path} (Address already in use); choose another with --uds"
        )
        assert http.post(V1, content=BODY, headers=JSON).status_code == 200


def test_a_regular_file_is_refused_and_untouched(artifacts: Path, path: Path) -> None:
    path.write_text("precious")
    assert start_error("iris", "--uds", str(path)) == (
        f"cannot listen on {path} (Address already in use); choose another with --uds"
    )
    assert path.read_text() == "precious"


@pytest.mark.parametrize(("name", "reason"), [("nowhere/rest.sock", "No such file"), ("x" * 200, "path too long")])
def test_a_path_that_cannot_be_a_socket(artifacts: Path, tmp_path: Path, name: str, reason: str) -> None:
    message = start_error("iris", "--uds", str(tmp_path / name))
    assert reason in message
    assert message.endswith("choose another with --uds")


def test_a_failed_start_leaves_no_socket(artifacts: Path, path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port} for gRPC" in start_error("iris", "--uds", str(path), "--grpc_port", port)
    assert not path.exists()
