"""REST and gRPC over TLS, and certificates that are replaced while the server runs."""

import asyncio
import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from predictors.serving.model.kserve_api import pb
from tests.live import JSON, PATIENCE_SECONDS, LiveServer, pb_grpc, serve, start_error, wait_for
from tests.unit.serving.transport.certificates import Authority, Pair

V1, V2 = "/v1/models/iris:predict", "/v2/models/iris/infer"
BODY = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
FLOWER = [5.1, 3.5, 1.4, 0.2]
AUTHORITY = Authority()
TRUSTING = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())


def files(directory: Path, pair: Pair) -> tuple[str, ...]:
    certificate, key = pair.write(directory)
    return "--ssl_certfile", str(certificate), "--ssl_keyfile", str(key)


@contextlib.contextmanager
def serve_tls(directory: Path, *arguments: str) -> Iterator[LiveServer]:
    """Serve iris with a certificate stored in a directory."""
    with serve("iris", *files(directory, AUTHORITY.issue("first")), *arguments) as live:
        live.url = f"https://localhost:{live.http_port}"
        with client(live) as https:
            wait_for(lambda: https.get("/v2/health/ready").is_success, "readiness")
        yield live
        assert "Traceback" not in "".join(live.raw)


@pytest.fixture(scope="module")
def secure(artifacts: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with serve_tls(tmp_path_factory.mktemp("secure"), "--head_timeout_seconds", "1") as live:
        yield live


def client(live: LiveServer) -> httpx.Client:
    return httpx.Client(base_url=live.url, verify=TRUSTING, timeout=60)


def connect(live: LiveServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", live.http_port), timeout=PATIENCE_SECONDS)


def connect_tls(live: LiveServer, context: ssl.SSLContext = TRUSTING) -> ssl.SSLSocket:
    return context.wrap_socket(connect(live), server_hostname="localhost")


def common_name(secured: ssl.SSLSocket) -> str:
    found: Any = secured.getpeercert()
    return str(dict(name for (name,) in found["subject"])["commonName"])


def channel(live: LiveServer) -> grpc.aio.Channel:
    credentials = grpc.ssl_channel_credentials(AUTHORITY.certificate)
    # Otherwise channels in one process share connections.
    options = [("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.secure_channel(f"localhost:{live.grpc_port}", credentials, options)


def check_served(live: LiveServer) -> None:
    with client(live) as https:
        assert https.post(V1, content=BODY, headers=JSON).status_code == 200


def test_rest(secure: LiveServer) -> None:
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": FLOWER}
    with client(secure) as https:
        for _ in range(2):
            assert https.post(V1, content=BODY, headers=JSON).json()["labels"] == ["setosa"]
            outputs = https.post(V2, json={"inputs": [tensor]}).json()["outputs"]
            assert outputs[0] == {"name": "predict", "datatype": "INT64", "shape": [1], "data": [0]}
        refused = https.post(V1, content=b"{", headers={**JSON, "x-request-id": "over-tls"})
        assert refused.status_code == 400
    assert secure.access_line("over-tls")["status"] == "400"


def test_a_large_request_and_a_large_answer(secure: LiveServer) -> None:
    rows = json.dumps({"instances": [FLOWER] * 10_000})
    with client(secure) as https:
        for headers in ({}, {"connection": "close"}):
            answer = https.post(V1, content=rows, headers={**JSON, **headers})
            assert answer.json()["labels"] == ["setosa"] * 10_000


@pytest.mark.llama
def test_a_stream(artifacts: object, tmp_path: Path) -> None:
    tls = files(tmp_path, AUTHORITY.issue("first"))
    body = {"instances": ["You pay 9 euros a month. You can cancel at any time."], "parameters": {"stream": True}}
    with serve("summarizer", "--request_timeout_seconds", "300", *tls) as live:
        live.url = f"https://localhost:{live.http_port}"
        with httpx.Client(base_url=live.url, verify=TRUSTING, timeout=300) as https:
            wait_for(lambda: https.get("/v2/health/ready").is_success, "readiness")
            with https.stream("POST", "/v1/models/summarizer:predict", json=body) as answer:
                lines = list(answer.iter_lines())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "event: done" in lines


def test_grpc(secure: LiveServer) -> None:
    contents = pb.InferTensorContents(fp32_contents=FLOWER)
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, 4], contents=contents)

    async def scenario() -> None:
        async with channel(secure) as secured:
            stub = pb_grpc.GRPCInferenceServiceStub(secured)
            answer = await stub.ModelInfer(pb.ModelInferRequest(model_name="iris", inputs=[tensor]))
            assert list(answer.outputs[0].contents.int64_contents) == [0]
            health = await health_pb2_grpc.HealthStub(secured).Check(health_pb2.HealthCheckRequest(service="iris"))
            assert health.status == health_pb2.HealthCheckResponse.SERVING

    asyncio.run(scenario())


def test_plain_grpc_to_the_tls_port_gets_no_answer(secure: LiveServer) -> None:
    async def scenario() -> None:
        async with grpc.aio.insecure_channel(secure.grpc_address) as plain:
            with pytest.raises(grpc.RpcError) as caught:
                await pb_grpc.GRPCInferenceServiceStub(plain).ServerLive(pb.ServerLiveRequest(), timeout=10)
        assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)

    asyncio.run(scenario())
    check_served(secure)


@pytest.mark.parametrize("text", [b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"\x16\x03\x01\x00\x05hello", bytes(1000)])
def test_plain_text_to_the_tls_port_gets_no_answer(secure: LiveServer, text: bytes) -> None:
    with connect_tls(secure) as other:
        with connect(secure) as raw:
            raw.sendall(text)
            received = b""
            with contextlib.suppress(ConnectionError):
                while chunk := raw.recv(4096):
                    received += chunk
        assert b"HTTP" not in received  # at most a TLS alert
        other.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert other.recv(4096).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("text", [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], ids=["silent", "stalled"])
def test_a_stalled_handshake_is_cut_off(secure: LiveServer, text: bytes) -> None:
    with connect(secure) as raw:
        raw.sendall(text)
        check_served(secure)
        with contextlib.suppress(ConnectionError):
            assert raw.recv(1) == b""


def test_an_abrupt_disconnect_harms_nobody(secure: LiveServer) -> None:
    for _ in range(3):
        secured = connect_tls(secure)
        secured.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n")
        socket.socket(fileno=secured.detach()).close()  # without a TLS close_notify
    check_served(secure)


def test_tls_1_2_is_the_oldest_version(secure: LiveServer) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
        context.minimum_version = context.maximum_version = version
        with connect_tls(secure, context) as secured:
            assert secured.version() == version.name.replace("_", ".")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    for port in (secure.http_port, secure.grpc_port):
        raw = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        with raw, pytest.raises((ssl.SSLError, ConnectionError)) as caught:
            old.wrap_socket(raw)
        assert "NO_PROTOCOLS_AVAILABLE" not in str(caught.value), "this client cannot even ask"


def certificate_of_rest(live: LiveServer) -> str:
    with connect_tls(live) as secured:
        return common_name(secured)


def certificate_of_grpc(live: LiveServer) -> str:
    context = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
    context.set_alpn_protocols(["h2"])
    raw = socket.create_connection(("127.0.0.1", live.grpc_port), timeout=PATIENCE_SECONDS)
    with context.wrap_socket(raw, server_hostname="localhost") as secured:
        return common_name(secured)


def mount(directory: Path, version: str, pair: Pair) -> Path:
    """Write files the way Kubernetes updates a mounted Secret: behind a symlink that is replaced atomically."""
    (directory / version).mkdir()
    pair.write(directory / version)
    (directory / "new").symlink_to(version)
    (directory / "new").rename(directory / "..data")
    return directory / "..data"


@pytest.mark.slow  # the server polls the certificate files every few seconds
def test_a_replaced_certificate_is_used_without_a_restart(artifacts: object, tmp_path: Path) -> None:
    mounted = mount(tmp_path, "..1", AUTHORITY.issue("first"))
    tls = ("--ssl_certfile", str(mounted / "tls.crt"), "--ssl_keyfile", str(mounted / "tls.key"))
    with serve("iris", *tls) as live:
        kept = http.client.HTTPSConnection("localhost", live.http_port, timeout=60, context=TRUSTING)
        kept.connect()
        before = kept.sock
        assert certificate_of_rest(live) == certificate_of_grpc(live) == common_name(before) == "first"
        mount(tmp_path, "..2", AUTHORITY.issue("second"))
        wait_for(lambda: certificate_of_rest(live) == "second", "the new certificate")
        assert certificate_of_grpc(live) == "second"
        for _ in range(2):
            kept.request("GET", "/v2/health/live")
            answer = kept.getresponse()
            answer.read()
            assert answer.status == 200
        assert kept.sock is before
        kept.close()
        mount(tmp_path, "..3", Pair(AUTHORITY.issue("third").certificate, AUTHORITY.issue("other").key))
        said = "the new certificate cannot be used, the old one stays"
        wait_for(lambda: any(said in line.get("message", "") for line in live.lines), "the reason")
        assert certificate_of_rest(live) == certificate_of_grpc(live) == "second"
        mount(tmp_path, "..4", AUTHORITY.issue("fourth"))
        wait_for(lambda: certificate_of_rest(live) == certificate_of_grpc(live) == "fourth", "the new certificate")
        assert sum(said in line.get("message", "") for line in live.lines) == 1
        assert "Traceback" not in "".join(live.raw)
        assert live.terminate() == 0


@pytest.mark.parametrize("flag", ["--ssl_certfile", "--ssl_keyfile"])
def test_one_flag_alone_is_refused(artifacts: object, tmp_path: Path, flag: str) -> None:
    tls = files(tmp_path, AUTHORITY.issue("first"))
    place = tls.index(flag)
    message = start_error("iris", *tls[place : place + 2])
    assert message == "TLS needs both --ssl_certfile and --ssl_keyfile"


def test_unusable_files_are_refused_at_startup(artifacts: object, tmp_path: Path) -> None:
    cannot = "--ssl_certfile tls.crt and --ssl_keyfile tls.key cannot be used: "
    first, other = AUTHORITY.issue("first"), AUTHORITY.issue("other", b"secret")
    tls = files(tmp_path, Pair(first.certificate, AUTHORITY.issue("other").key))
    unencrypted = "they are not a PEM certificate and its unencrypted key"
    assert start_error("iris", *tls) == f"{cannot}{unencrypted} (KEY_VALUES_MISMATCH)"
    files(tmp_path, other)
    assert start_error("iris", *tls).startswith(cannot + unencrypted)
    (tmp_path / "tls.key").unlink()
    assert start_error("iris", *tls) == f"{cannot}No such file or directory"


def test_clients_need_a_certificate_and_probes_do_not(artifacts: object, tmp_path: Path) -> None:
    clients = Authority()
    (tmp_path / "ca.crt").write_bytes(clients.certificate)
    (tmp_path / "client").mkdir()
    client = clients.issue("client", client=True)
    flags = (
        *files(tmp_path, AUTHORITY.issue("first")),
        "--ssl_ca_certfile",
        str(tmp_path / "ca.crt"),
        "--probe_port",
        "0",
    )
    with serve("iris", *flags) as live:
        said = next(line["message"] for line in live.lines if "listening on" in str(line.get("message")))
        probes = f"http://127.0.0.1:{said.rpartition('probes ')[2]}"
        wait_for(lambda: httpx.get(f"{probes}/v2/health/ready").is_success, "readiness")
        assert "model_requests_total" in httpx.get(f"{probes}/metrics").text
        assert httpx.post(probes + V1, content=BODY, headers=JSON).status_code == 404
        url = f"https://localhost:{live.http_port}"
        with pytest.raises(httpx.TransportError):
            httpx.post(url + V1, content=BODY, headers=JSON, verify=TRUSTING)
        known = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
        known.load_cert_chain(*client.write(tmp_path / "client"))
        assert httpx.post(url + V1, content=BODY, headers=JSON, verify=known).json()["labels"] == ["setosa"]

        def live_by_grpc(*own: bytes) -> bool:
            credentials = grpc.ssl_channel_credentials(AUTHORITY.certificate, *own)
            with grpc.secure_channel(f"localhost:{live.grpc_port}", credentials) as secured:
                stub = pb_grpc.GRPCInferenceServiceStub(secured)
                return bool(stub.ServerLive(pb.ServerLiveRequest(), timeout=PATIENCE_SECONDS).live)

        told = [str(line.get("message")) for line in live.lines]
        assert "callers need a client certificate" in told
        assert not any("authentication" in each for each in told)
        assert live_by_grpc(client.key, client.certificate)
        with pytest.raises(grpc.RpcError) as caught:
            live_by_grpc()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert live.terminate() == 0


def test_client_certificates_need_tls(artifacts: object, tmp_path: Path) -> None:
    message = start_error("iris", "--ssl_ca_certfile", str(tmp_path / "ca.crt"))
    assert message == "--ssl_ca_certfile needs --ssl_certfile and --ssl_keyfile"
