"""Starting, draining and ending, as an orchestrator sees it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import grpc
import httpx
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from predictors.serving.artifacts.writing import export
from predictors.serving.model.kserve_api import pb
from tests.live import JSON, ROOT, LiveServer, pb_grpc, serve, serve_command, wait_for

V1 = "/v1/models/iris:predict"
BODY = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
# Documents of which the model has something to leave out in each sentence: for seconds, and for minutes.
SHORT, LONG = (
    "\n\n".join(f"You pay {i} euros for a towel in hall {i} (such as a plain blue towel)." for i in range(1, count))
    for count in (30, 5000)
)


class RoundRobin:
    """Sends to the replicas in turn, never twice for one request, and leaves out those that are not ready."""

    def __init__(self, replicas: list[LiveServer]) -> None:
        self.replicas = replicas
        self.ready = list(replicas)
        self.statuses: list[int | str] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._probe)] + [threading.Thread(target=self._send) for _ in range(4)]

    def __enter__(self) -> "RoundRobin":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _probe(self) -> None:
        while not self._ended.is_set():
            self.ready = [replica for replica in list(self.replicas) if is_ready(replica)]
            time.sleep(0.05)

    def _send(self) -> None:
        turn = 0
        with httpx.Client(timeout=60) as client:
            while not self._ended.is_set():
                ready = self.ready
                if not ready:
                    self.statuses.append("no replica was ready")
                    return
                turn += 1
                try:
                    url = ready[turn % len(ready)].url + V1
                    self.statuses.append(client.post(url, content=BODY, headers=JSON).status_code)
                except httpx.TransportError as error:
                    self.statuses.append(repr(error))
                time.sleep(0.002)


def is_ready(replica: LiveServer) -> bool:
    try:
        return httpx.get(replica.url + "/v2/health/ready").is_success
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_a_rolling_restart_under_load_loses_no_request(artifacts: Path) -> None:
    drain = ("--drain_seconds", "2")
    with serve("iris", *drain) as first, serve("iris", *drain) as second:
        with RoundRobin([first.wait_ready(), second.wait_ready()]) as load:
            wait_for(lambda: len(load.statuses) > 200, "traffic")
            assert first.terminate() == 0
            with serve("iris", *drain) as third:
                load.replicas = [third, second]
                third.wait_ready()
                wait_for(lambda: third in load.ready, "the new replica to be found")
                assert second.terminate() == 0
                seen = len(load.statuses)
                wait_for(lambda: len(load.statuses) > seen + 200, "traffic")
                load.__exit__()
        assert set(load.statuses) == {200}
        assert len(load.statuses) > 400


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_draining_says_not_ready_but_still_answers(artifacts: Path, number: signal.Signals) -> None:
    with serve("iris", "--drain_seconds", "30") as live, grpc.insecure_channel(live.grpc_address) as channel:
        live.wait_ready()
        health = health_pb2_grpc.HealthStub(channel)
        asked = health_pb2.HealthCheckRequest(service="iris")
        assert health.Check(asked).status == health_pb2.HealthCheckResponse.SERVING
        live.process.send_signal(number)
        wait_for(lambda: httpx.get(live.url + "/v2/health/ready").status_code == 503, "the drain")
        for path in ("/ready", "/v2/models/iris/ready", "/v1/models/iris"):
            answer = httpx.get(live.url + path)
            assert answer.status_code == 503
            assert "shutting down" in answer.json()["error"]
        assert httpx.get(live.url + "/v2/health/live").status_code == 200
        answer = httpx.post(live.url + V1, content=BODY, headers=JSON)
        assert answer.status_code == 200
        assert answer.headers["connection"] == "close"
        assert health.Check(asked).status == health_pb2.HealthCheckResponse.NOT_SERVING
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        assert not stub.ServerReady(pb.ServerReadyRequest()).ready
        contents = pb.InferTensorContents(fp32_contents=[5.1, 3.5, 1.4, 0.2])
        tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, 4], contents=contents)
        assert stub.ModelInfer(pb.ModelInferRequest(model_name="iris", inputs=[tensor])).model_name == "iris"
        assert live.terminate() == 0  # the second signal ends the drain


def work_on(live: LiveServer, document: str, answers: list[httpx.Response]) -> threading.Thread:
    """Have the summarizer read all of a document; comes back when it does."""
    body = {"instances": [document], "parameters": {"mode": "full"}}
    url = live.url + "/v1/models/summarizer:predict"
    caller = threading.Thread(target=lambda: answers.append(httpx.post(url, json=body, timeout=300)))
    caller.start()
    wait_for(lambda: 'in_flight{model_name="summarizer"} 1.0' in httpx.get(live.url + "/metrics").text, "work")
    return caller


@pytest.mark.llama
@pytest.mark.slow
def test_requests_in_flight_are_finished_and_watchers_do_not_hold_up_the_end(artifacts: Path) -> None:
    with serve("summarizer", "--request_timeout_seconds", "600", "--grace_seconds", "600") as live:
        live.wait_ready()
        with grpc.insecure_channel(live.grpc_address) as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
            answers: list[httpx.Response] = []
            caller = work_on(live, SHORT, answers)
            assert live.terminate() == 0
            caller.join(60)
        assert answers[0].status_code == 200
        assert answers[0].json()["usage"][0]["completion_tokens"] > 0


@pytest.mark.llama
@pytest.mark.slow
def test_what_outlasts_the_grace_is_told_so(artifacts: Path) -> None:
    with serve("summarizer", "--request_timeout_seconds", "600", "--grace_seconds", "1") as live:
        live.wait_ready()
        answers: list[httpx.Response] = []
        caller = work_on(live, LONG, answers)
        assert live.terminate() == 0
        caller.join(60)
        assert answers[0].status_code == 503
        assert "ended before the answer" in answers[0].json()["error"]
        assert live.access_line(answers[0].headers["x-request-id"])["status"] == "503"
        assert "Traceback" not in "".join(live.raw)


@pytest.mark.llama
@pytest.mark.slow
def test_both_protocols_stop_accepting_together(artifacts: Path) -> None:
    with serve("iris", "summarizer", "--request_timeout_seconds", "600", "--grace_seconds", "600") as live:
        live.wait_ready()
        answers: list[httpx.Response] = []
        caller = work_on(live, LONG, answers)
        live.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not connects(live.http_port), "HTTP to close")
        wait_for(lambda: not connects(live.grpc_port), "gRPC to close")
        assert not answers  # and yet it is still at work
        assert live.terminate() == 0  # a second signal does not wait for it
        caller.join(60)


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except OSError:
        return False
    return True


def test_a_model_that_was_unloaded_while_a_body_was_on_its_way_does_not_answer(artifacts: Path) -> None:
    with serve("iris", "--enable_repository") as live:
        live.wait_ready()
        head = f"POST {V1} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", live.http_port), timeout=60) as raw:
            raw.sendall(head.encode() + BODY[:10])
            assert httpx.post(live.url + "/v2/repository/models/iris/unload").is_success
            raw.sendall(BODY[10:])
            assert raw.recv(4096).startswith(b"HTTP/1.1 503 ")
        assert httpx.get(live.url + "/models").json()["models"]["iris"]["version"] == ""


def test_a_reload_that_fails_its_golden_examples_serves_nothing(artifacts: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(artifacts / "iris", tmp_path / "iris"))
    with serve("iris", "--model_dir", str(copy), "--enable_repository") as live:
        live.wait_ready()
        manifest = json.loads((copy / "manifest.json").read_text())
        manifest["golden"][0]["output"]["predict"] = 2
        (copy / "manifest.json").write_text(json.dumps(manifest))
        answer = httpx.post(live.url + "/v2/repository/models/iris/load")
        assert answer.status_code == 503
        assert "golden example 0" in answer.json()["error"]
        assert httpx.post(live.url + V1, content=BODY, headers=JSON).status_code == 503


def test_ctrl_c_ends_at_once(artifacts: Path) -> None:
    with serve("iris", "--drain_seconds", "3600") as live:
        live.wait_ready()
        assert live.terminate(signal.SIGINT) == 0
    assert not any("still accepting" in line for line in live.raw)


@pytest.mark.parametrize("log_format", ["json", "text", "auto"])
def test_it_serves_without_standard_streams(artifacts: Path, log_format: str, tmp_path: Path) -> None:
    socket_path = tmp_path / "s"
    command = [*serve_command("iris"), "--log_format", log_format, "--uds", str(socket_path)]
    process = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command], cwd=ROOT)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket_path)), base_url="http://x") as http:
            wait_for(lambda: socket_path.exists() and http.get("/v2/health/ready").is_success, "readiness")
    finally:
        process.terminate()
        assert process.wait(120) == 0


def test_a_service_link_is_explained() -> None:
    """Kubernetes sets such a variable in pods beside a Service called predictors-http."""
    env = {**os.environ, "PREDICTORS_HTTP_PORT": "tcp://10.0.0.1:80"}
    command = [sys.executable, "-m", "predictors", "serve", "iris"]
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    said = " ".join(result.stderr.replace("│", " ").split())
    assert result.returncode == 2
    assert "the Service predictors-http; set enableServiceLinks: false" in said


def test_the_port_is_open_and_live_while_a_model_loads_or_fails(artifacts: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(artifacts / "intent", tmp_path / "intent"))
    shutil.copytree(artifacts / "iris", tmp_path / "iris")
    (broken / "model.npz").write_bytes(b"half")
    with serve("iris", "intent", "--artifacts_dir", str(tmp_path)) as live:
        wait_for(lambda: "model.npz has 4 bytes" in httpx.get(live.url + "/ready").text, "the reason")
        assert httpx.get(live.url + "/v2/health/live").status_code == 200
        assert httpx.get(live.url + "/v2/health/ready").status_code == 503
        assert httpx.get(live.url + "/v2/models/iris/ready").status_code == 200
        assert httpx.post(live.url + V1, content=BODY, headers=JSON).status_code == 200
        answer = httpx.post(live.url + "/v1/models/intent:predict", json={"instances": ["a"]})
        assert answer.status_code == 503
        assert "model.npz has 4 bytes" in answer.json()["error"]
        assert str(tmp_path) not in answer.text
        with grpc.insecure_channel(live.grpc_address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            statuses = {
                name: health.Check(health_pb2.HealthCheckRequest(service=name)).status
                for name in ("", "iris", "intent")
            }
        serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
        assert statuses == {"": not_serving, "iris": serving, "intent": not_serving}


def test_a_volume_that_is_filled_while_the_server_waits(artifacts: Path, tmp_path: Path) -> None:
    """As on a cluster, where a Job fills the volume that the server has mounted already."""
    volume = tmp_path / "volume"
    with serve("iris", "--model_dir", str(volume)) as live:
        reason = "manifest.json: there is no artifact here"
        wait_for(lambda: reason in httpx.get(live.url + "/v2/health/ready").text, "the reason")
        export(artifacts / "iris", volume, lambda size: None)
        live.wait_ready()
        assert httpx.post(live.url + V1, content=BODY, headers=JSON).is_success
        assert live.terminate() == 0
    assert sum(reason in line for line in live.raw) == 1


def test_a_server_that_waits_for_an_artifact_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with serve("iris", "--model_dir", str(tmp_path)) as live:
        wait_for(lambda: "there is no artifact here" in httpx.get(live.url + "/v2/health/ready").text, "the reason")
        assert live.terminate() == 0
        assert "Traceback" not in "".join(live.raw)


def test_a_faulty_artifact_that_appears_late_says_why_once(artifacts: Path, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    with serve("iris", "--model_dir", str(volume)) as live:
        wait_for(lambda: "there is no artifact here" in httpx.get(live.url + "/v2/health/ready").text, "the reason")
        export(artifacts / "intent", volume, lambda size: None)
        reason = "this is an artifact for intent, not for iris"
        wait_for(lambda: reason in httpx.get(live.url + "/v2/health/ready").text, "the reason")
        assert live.terminate() == 0
    assert sum(reason in line for line in live.raw) == 1


def test_the_form_that_a_container_runs(artifacts: Path, tmp_path: Path) -> None:
    mounted = Path(shutil.copytree(artifacts / "iris", tmp_path / "models"))
    with serve("iris", "--model_dir", str(mounted), "--model_name", "my-iris", cwd=tmp_path) as live:
        live.wait_ready()
        assert httpx.get(live.url + "/v1/models").json() == {"models": ["my-iris"]}
        assert httpx.post(live.url + "/v1/models/my-iris:predict", content=BODY, headers=JSON).is_success


def test_settings_come_from_the_environment_too(artifacts: Path) -> None:
    with serve("iris", env={"PREDICTORS_MAX_BODY_BYTES": "2000", "PREDICTORS_ENABLE_GRPC": "false"}) as live:
        live.wait_ready()
        assert live.grpc_port == 0
        assert httpx.post(live.url + V1, content=b" " * 2001, headers=JSON).status_code == 413


def test_the_repository_when_it_is_enabled(artifacts: Path) -> None:
    with serve("iris", "intent", "--enable_repository") as live:
        live.wait_ready()
        repository = live.url + "/v2/repository"
        assert [model["state"] for model in httpx.post(repository + "/index").json()] == ["READY", "READY"]
        assert httpx.post(repository + "/models/iris/unload").json() == {"name": "iris", "unload": True}
        assert httpx.post(live.url + V1, content=BODY, headers=JSON).status_code == 503
        assert httpx.get(live.url + "/v2/health/ready").status_code == 503
        assert httpx.post(repository + "/models/iris/unload").status_code == 503
        assert httpx.post(repository + "/models/nope/load").status_code == 404
        assert httpx.post(repository + "/models/iris/load").json() == {"name": "iris", "load": True}
        assert httpx.post(live.url + V1, content=BODY, headers=JSON).status_code == 200


def test_a_taken_port_is_a_clear_error(artifacts: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for flag in ("--http_port", "--grpc_port"):
            result = subprocess.run(
                serve_command("iris", flag, port), cwd=ROOT, capture_output=True, text=True, timeout=120
            )
            assert result.returncode == 1
            assert flag in result.stderr
            assert port in result.stderr
            assert "Traceback" not in result.stderr


def test_ipv6(artifacts: Path) -> None:
    with serve("iris", "--host", "::1") as live:
        live.url = f"http://[::1]:{live.http_port}"
        live.wait_ready()
        with grpc.insecure_channel(f"[::1]:{live.grpc_port}") as channel:
            assert pb_grpc.GRPCInferenceServiceStub(channel).ServerReady(pb.ServerReadyRequest()).ready


def test_empty_variables_are_no_settings(artifacts: Path) -> None:
    empty = dict.fromkeys(
        ("PREDICTORS_MODEL_DIR", "PREDICTORS_MAX_ROWS", "PREDICTORS_MODEL_NAME", "PREDICTORS_CORS_ORIGINS"), ""
    )
    with serve("iris", "intent", env=empty) as live:
        live.wait_ready()


def test_a_signal_while_it_starts_ends_it_cleanly(artifacts: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen(serve_command("iris"), cwd=ROOT, stderr=subprocess.PIPE, text=True)
        wait_for(partial(catches, process.pid), "the handler")
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors


def catches(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16)
    # Python itself handles SIGINT from the start, so SIGTERM tells for both.
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def test_memory_of_iris_and_intent(server: LiveServer) -> None:
    rows = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]] * 10_000})
    for _ in range(20):
        httpx.post(server.url + V1, content=rows, headers=JSON, timeout=60)
    assert psutil.Process(server.process.pid).memory_info().rss < 250e6
