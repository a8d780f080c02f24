"""The door of real servers: tokens and limits, for each protocol, with the field's own clients."""

import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import openai
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from predictors.serving.access.token_file import line_of
from predictors.serving.model.kserve_api import pb
from tests.live import PATIENCE_SECONDS, ROOT, LiveServer, pb_grpc, serve, start_error, wait_for
from tests.unit.serving.access.issuer import AUDIENCE, ISSUER, Issuer, jwks, key_server

V1, V2 = "/v1/models/iris:predict", "/v2/models/iris/infer"
ROW = {"instances": [[5.1, 3.5, 1.4, 0.2]]}
CHAT = "/openai/v1/chat/completions"
SHOP, OPS, ODD, SCRAPER = "shop-token", "ops-token", "odd-token", "scraper-token"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def tokens(path: Path) -> Path:
    lines = (line_of(SHOP, "shop", "iris"), line_of(OPS, "ops", "*,+repository"), line_of(ODD, "odd", "absent"))
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def guarded(artifacts: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Iris and intent behind tokens, with tokens for the metrics, and with limits that nobody reaches."""
    folder = tmp_path_factory.mktemp("door")
    (folder / "metrics").write_text(line_of(SCRAPER, "prometheus", ""))
    files = (
        "--token_digests_file", str(tokens(folder / "tokens")), "--metrics_token_digests_file", str(folder / "metrics"),
    )  # fmt: skip
    limit = ("--client_requests_per_minute", "100000", "--enable_repository")
    with serve("iris", "intent", *files, *limit) as live:
        yield live.wait_ready()


@pytest.fixture
def client(guarded: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=guarded.url, timeout=60) as client:
        yield client


def infer(address: str, *metadata: tuple[str, str], model: str = "iris") -> Any:
    """Ask by gRPC; gives the answer, or the error."""
    contents = pb.InferTensorContents(fp64_contents=[5.1, 3.5, 1.4, 0.2])
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP64", shape=[1, 4], contents=contents)
    with grpc.insecure_channel(address) as channel:
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        try:
            request = pb.ModelInferRequest(model_name=model, inputs=[tensor])
            return stub.ModelInfer(request, metadata=metadata, timeout=PATIENCE_SECONDS)
        except grpc.RpcError as error:
            return error


def test_health_needs_no_token(guarded: LiveServer, client: httpx.Client) -> None:
    for path in ("/", "/v2/health/live", "/v2/health/ready", "/health", "/ready", "/docs"):
        assert client.get(path).status_code == 200, path
    with grpc.insecure_channel(guarded.grpc_address) as channel:
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        assert stub.ServerLive(pb.ServerLiveRequest()).live
        assert stub.ServerReady(pb.ServerReadyRequest()).ready
        health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING


GUARDED = [
    ("POST", V1), ("POST", V2), ("POST", "/predict"), ("POST", "/inference"), ("GET", "/v1/models"),
    ("GET", "/v1/models/iris"), ("GET", "/v2"), ("GET", "/v2/models"), ("GET", "/v2/models/iris"),
    ("GET", "/v2/models/iris/ready"), ("GET", "/v2/models/iris/config"), ("GET", "/models"), ("GET", "/openapi.json"),
    ("GET", "/metrics"), ("POST", "/v2/repository/index"), ("POST", "/v2/repository/models/iris/unload"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, ""),
        ({"authorization": "Basic c2hvcDpzaG9w"}, ""),
        ({"authorization": "Bearer"}, ""),
        ({"authorization": SHOP}, ""),
        (bearer(hashlib.sha256(SHOP.encode()).hexdigest()), "invalid_token"),
        (bearer(SHOP + "x"), "invalid_token"),
        (bearer(f"{SHOP}, Bearer {OPS}"), "invalid_token"),
        (bearer("t" * 40_000), "invalid_token"),
    ],
)
def test_everything_else_does(client: httpx.Client, method: str, path: str, given: dict[str, str], code: str) -> None:
    answer = client.request(method, path, headers=given)
    assert answer.status_code == 401
    challenge = 'Bearer realm="predictors"' + (f', error="{code}"' if code else "")
    assert answer.headers["www-authenticate"] == challenge
    assert list(answer.json()) == ["error"]
    assert "ratelimit" not in answer.headers


def test_no_route_is_open_by_mistake(client: httpx.Client) -> None:
    """Whatever the document describes is guarded, but for what is listed here."""
    described = client.get("/openapi.json", headers=bearer(OPS)).json()["paths"]
    unguarded = {
        path
        for path, operations in described.items()
        for method in operations
        if client.request(method.upper(), path.replace("{version}", "1")).status_code != 401
    }
    assert unguarded == {"/", "/v2/health/live", "/v2/health/ready", "/health", "/ready"}


@pytest.mark.parametrize("path", [V1, "/metrics"])
def test_several_tokens_are_refused(client: httpx.Client, path: str) -> None:
    given = [("authorization", f"Bearer {SHOP}"), ("authorization", f"Bearer {SCRAPER}")]
    answer = client.request("GET" if path == "/metrics" else "POST", path, headers=given)
    assert (answer.status_code, answer.json()["error"]) == (400, "there are several authorization headers; send one")


def test_a_body_is_not_read_before_the_token(client: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=PATIENCE_SECONDS) as raw:
        raw.sendall(f"POST {V1} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n{{".encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER  "])
def test_a_token_opens_its_models(client: httpx.Client, scheme: str) -> None:
    given = {"authorization": f"{scheme} {SHOP}"}
    answer = client.post(V1, json=ROW, headers=given)
    assert answer.json()["labels"] == ["setosa"]
    assert answer.headers["ratelimit-policy"] == '"client";q=100000;w=60'
    assert answer.headers["ratelimit"].startswith('"client";r=')
    assert client.post("/predict", json={"features": [5.1, 3.5, 1.4, 0.2]}, headers=given).status_code == 200


def test_and_no_others(guarded: LiveServer, client: httpx.Client) -> None:
    text = {"instances": ["hello"]}
    for method, path in (
        ("POST", "/v1/models/intent:predict"), ("GET", "/v1/models/intent"), ("GET", "/v2/models/intent"),
        ("POST", "/v2/models/intent/infer"), ("GET", "/v2/models/intent/ready"), ("GET", "/v2/models/nowhere"),
    ):  # fmt: skip
        answer = client.request(method, path, json=text, headers=bearer(SHOP))
        assert answer.status_code == 403, path
        assert answer.headers["www-authenticate"] == 'Bearer realm="predictors", error="insufficient_scope"'
        assert "does not allow the model" in answer.json()["error"]
    assert client.post("/predict", json={"text": "hello"}, headers=bearer(SHOP)).status_code == 404
    assert client.post("/v1/models/intent:predict", json=text, headers=bearer(OPS)).status_code == 200


def test_lists_show_what_a_token_allows(client: httpx.Client) -> None:
    for path in ("/v1/models", "/v2/models", "/models"):
        assert list(client.get(path, headers=bearer(SHOP)).json()["models"]) == ["iris"]
        assert sorted(client.get(path, headers=bearer(OPS)).json()["models"]) == ["intent", "iris"]
    for path in ("/openapi.json", "/v2/models/absent"):
        assert "intent" not in client.get(path, headers=bearer(ODD)).text
        assert "iris" not in client.get(path, headers=bearer(ODD)).text


def test_the_repository_takes_a_right_of_its_own(client: httpx.Client) -> None:
    for path in ("/v2/repository/index", "/v2/repository/models/iris/unload", "/v2/repository/models/iris/load"):
        answer = client.post(path, headers=bearer(SHOP))
        assert (answer.status_code, "+repository" in answer.json()["error"]) == (403, True)
    index = client.post("/v2/repository/index", headers=bearer(OPS)).json()
    assert [entry["state"] for entry in index] == ["READY", "READY"]
    assert client.post("/v2/repository/models/intent/load", headers=bearer(OPS)).status_code == 200


def test_metrics_have_tokens_of_their_own(client: httpx.Client) -> None:
    assert client.get("/metrics", headers=bearer(SHOP)).status_code == 401
    assert "access_errors_total" in client.get("/metrics", headers=bearer(SCRAPER)).text
    assert client.post(V1, json=ROW, headers=bearer(SCRAPER)).status_code == 401


def test_grpc(guarded: LiveServer) -> None:
    address = guarded.grpc_address
    answer = infer(address, ("authorization", f"Bearer {SHOP}"))
    assert list(answer.outputs[0].contents.int64_contents) == [0]
    for metadata, model, code in (
        ((), "iris", grpc.StatusCode.UNAUTHENTICATED),
        ((("authorization", "Bearer x"),), "iris", grpc.StatusCode.UNAUTHENTICATED),
        ((("authorization", "Bearer " + "x" * 5000),), "iris", grpc.StatusCode.UNAUTHENTICATED),
        ((("authorization", f"Bearer {SHOP}"),), "intent", grpc.StatusCode.PERMISSION_DENIED),
        ((("authorization", f"Bearer {SHOP}"),) * 2, "iris", grpc.StatusCode.INVALID_ARGUMENT),
        ((("authorization", f"Bearer {ODD}"),), "absent", grpc.StatusCode.NOT_FOUND),
    ):
        assert infer(address, *metadata, model=model).code() is code
    with grpc.insecure_channel(address) as channel:
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        calls: list[tuple[Callable[..., Any], Any]] = [
            (stub.ServerMetadata, pb.ServerMetadataRequest()),
            (stub.ModelReady, pb.ModelReadyRequest(name="iris")),
            (stub.ModelMetadata, pb.ModelMetadataRequest(name="iris")),
            (stub.RepositoryModelUnload, pb.RepositoryModelUnloadRequest(model_name="iris")),
        ]
        for call, request in calls:
            with pytest.raises(grpc.RpcError) as caught:
                call(request, timeout=60)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(grpc.RpcError) as caught:
            calls[-1][0](calls[-1][1], metadata=[("authorization", f"Bearer {SHOP}")], timeout=60)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


TRITON = """
import sys
import numpy as np
import tritonclient.http as http
import tritonclient.grpc as grpc

rows = np.array([[5.1, 3.5, 1.4, 0.2]])
given = {"authorization": "Bearer " + sys.argv[3]}
for module, address in ((http, sys.argv[1]), (grpc, sys.argv[2])):
    client = module.InferenceServerClient(address)
    assert client.is_server_ready()
    features = module.InferInput("x", rows.shape, "FP64")
    features.set_data_from_numpy(rows)
    assert client.infer("iris", [features], headers=dict(given)).as_numpy("predict").tolist() == [0]
    assert client.is_model_ready("iris", headers=given)
    try:
        client.infer("iris", [features])
    except module.InferenceServerException as error:
        assert "a token is needed" in error.message() and error.status() in ("401", "StatusCode.UNAUTHENTICATED"), error
    else:
        raise AssertionError("no token was needed")
"""


def test_tritons_clients(guarded: LiveServer) -> None:
    where = (guarded.url.removeprefix("http://"), guarded.grpc_address)
    command = [sys.executable, "-c", TRITON, *where, SHOP]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert result.returncode == 0, result.stderr


def test_the_command_sends_a_token(guarded: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SHOP + "\n")

    def call(*flags: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "predictors", "call", "iris", "5.1", "3.5", "1.4", "0.2", "--url", guarded.url]
        env = {"PATH": "", "PYTHONPATH": str(ROOT), **variables}
        return subprocess.run([*command, *flags], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)

    assert "setosa" in call("--token_file", str(tmp_path / "token")).stdout
    assert "setosa" in call(PREDICTORS_TOKEN=SHOP).stdout
    assert "status 401: a token is needed" in call().stderr
    assert "--token_file" in call("--token_file", str(tmp_path / "none")).stderr


def test_nothing_secret_is_logged(guarded: LiveServer, client: httpx.Client) -> None:
    client.post(V1, json=ROW, headers={**bearer(SHOP), "x-request-id": "shop-1"})
    client.post(V1, json=ROW, headers={**bearer("mistyped-token"), "x-request-id": "shop-2"})
    assert guarded.access_line("shop-1")["caller"] == "token:shop"
    assert "caller" not in guarded.access_line("shop-2")
    logged = "".join(guarded.raw)
    for secret in (SHOP, OPS, SCRAPER, "mistyped-token", hashlib.sha256(SHOP.encode()).hexdigest()):
        assert secret not in logged
    assert any(line.get("message") == "callers need a token" for line in guarded.lines)


def test_openais_shape(artifacts: object, tmp_path: Path) -> None:
    """The model need not be there for that: its absence is seen only by those who may call it."""
    files = ("--token_digests_file", str(tokens(tmp_path / "tokens")), "--artifacts_dir", str(tmp_path))
    with serve("summarizer", *files) as live, httpx.Client(base_url=live.url, timeout=60) as client:
        none = client.post(CHAT, json={})
        assert none.status_code == 401
        assert none.headers["www-authenticate"] == 'Bearer realm="predictors"'
        message = 'a token is needed; send the header "authorization: Bearer TOKEN"'
        expected = {"message": message, "type": "authentication_error", "param": None, "code": "invalid_api_key"}
        assert none.json() == {"error": expected}
        body = {"model": "summarizer", "messages": [{"role": "user", "content": "x"}]}
        other = client.post(CHAT, json=body, headers=bearer(SHOP))
        assert (other.status_code, other.json()["error"]["type"]) == (403, "permission_error")
        assert client.get("/openai/v1/models", headers=bearer(SHOP)).json()["data"] == []
        assert [each["id"] for each in client.get("/openai/v1/models", headers=bearer(OPS)).json()["data"]] == [
            "summarizer"
        ]
        assert client.post(CHAT, json=body, headers=bearer(OPS)).status_code == 503

        def connect(key: str) -> openai.OpenAI:
            return openai.OpenAI(base_url=live.url + "/openai/v1", api_key=key, max_retries=0)

        with connect("x") as strange, pytest.raises(openai.AuthenticationError, match="the token is not valid"):
            strange.models.list()
        with connect(SHOP) as shop, pytest.raises(openai.PermissionDeniedError, match="does not allow the model"):
            shop.models.retrieve("summarizer")


def requests_counted(server: LiveServer) -> dict[tuple[str, ...], float]:
    """How many requests the server has counted, by protocol, code and the limit that refused them."""
    families = text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text)
    samples = next(family.samples for family in families if family.name == "model_requests")
    labels = ("protocol", "code", "limit")
    return {tuple(each.labels[label] for label in labels): each.value for each in samples if each.value}


def test_limits_refuse_and_say_when(artifacts: object) -> None:
    limits = ("--client_requests_per_minute", "3", "--trusted_proxies", "127.0.0.0/8")
    with serve("iris", *limits) as live:
        live.wait_ready()
        with httpx.Client(base_url=live.url, timeout=60, headers={"x-forwarded-for": "203.0.113.7"}) as client:
            answers = [client.post(V1, json=ROW) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
            refused = answers[-1]
            assert refused.json()["error"].startswith("at most 3 requests a minute from each client are allowed; ")
            assert 1 <= int(refused.headers["retry-after"]) <= 20
            assert refused.headers["ratelimit-policy"] == '"client";q=3;w=60'
            assert refused.headers["ratelimit"].startswith('"client";r=0;t=')
            assert client.get("/v1/models").status_code == 200  # what is no inference is not counted
            assert client.post(V1, json=ROW, headers={"x-forwarded-for": "203.0.113.8"}).status_code == 200
        error = infer(live.grpc_address, ("x-forwarded-for", "203.0.113.7"))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        trailers = dict(error.trailing_metadata())
        assert int(trailers["retry-after"]) >= 1
        assert trailers["ratelimit"].startswith('"client";r=0')
        assert any("there is no authentication" in str(line.get("message")) for line in live.lines)
        # An operator must be able to tell these from overload.
        counted = {("v1", "200", ""): 4, ("v1", "429", "client"): 1, ("grpc", "RESOURCE_EXHAUSTED", "client"): 1}
        wait_for(lambda: requests_counted(live) == counted, "the refusals to be counted")


@pytest.mark.slow  # the server looks at the file every two seconds
def test_tokens_are_rotated_under_load(artifacts: object, tmp_path: Path) -> None:
    """No request with a token that is valid before and after is lost; the old one ends."""
    old, new, kept = (line_of(token, "shop", "iris") for token in ("old", "new", "kept"))
    path = tmp_path / "tokens"
    path.write_text(f"{old}\n{kept}")
    ended = threading.Event()
    codes: list[int] = []

    def load(url: str) -> None:
        with httpx.Client(base_url=url, timeout=60, headers=bearer("kept")) as client:
            while not ended.is_set():
                codes.append(client.post(V1, json=ROW).status_code)

    with serve("iris", "--token_digests_file", str(path)) as live:
        live.wait_ready()
        senders = [threading.Thread(target=load, args=(live.url,)) for _ in range(3)]
        for sender in senders:
            sender.start()
        try:
            with httpx.Client(base_url=live.url, timeout=60) as client:

                def status(token: str) -> int:
                    return client.post(V1, json=ROW, headers=bearer(token)).status_code

                assert (status("old"), status("new")) == (200, 401)
                (tmp_path / "next").write_text(f"{new}\n{kept}")
                (tmp_path / "next").rename(path)
                wait_for(lambda: status("new") == 200, "the new token")
                assert status("old") == 401
                wait_for(lambda: len(codes) > 100, "requests with the token that stays")
        finally:
            ended.set()
            for sender in senders:
                sender.join()
        assert set(codes) == {200}


def test_jwts_of_a_real_issuer(artifacts: object, tmp_path: Path) -> None:
    issuer, other = Issuer(), Issuer()
    with key_server(tmp_path) as keys:
        keys.answer = 503, b""
        jwt = (
            "--jwt_issuer",
            ISSUER,
            "--jwt_audience",
            AUDIENCE,
            "--jwt_keys",
            keys.url,
            "--jwt_models_claim",
            "models",
        )
        with serve("iris", "intent", *jwt, env={"SSL_CERT_FILE": str(keys.authority)}) as live:
            live.wait_ready()
            wait_for(
                lambda: any("gives no keys (status 503)" in str(line.get("message")) for line in live.lines), "the log"
            )
            with httpx.Client(base_url=live.url, timeout=60) as client:
                token = issuer.token(models=["iris"], sub="alice")
                away = client.post(V1, json=ROW, headers=bearer(token))
                assert (away.status_code, away.json()["error"].partition(",")[0]) == (
                    503,
                    "tokens cannot be checked now",
                )
                assert client.get("/v2/health/ready").status_code == 200
                keys.answer = 200, jwks(issuer.jwk())
                wait_for(lambda: client.post(V1, json=ROW, headers=bearer(token)).status_code == 200, "the keys")
                answer = client.post(V1, json=ROW, headers={**bearer(token), "x-request-id": "alice-1"})
                assert answer.json()["labels"] == ["setosa"]
                assert client.get("/v2/models/intent", headers=bearer(token)).status_code == 403
                expired = client.post(V1, json=ROW, headers=bearer(issuer.token(exp=time.time() - 60)))
                assert expired.headers["www-authenticate"] == 'Bearer realm="predictors", error="invalid_token"'
                assert expired.json() == {"error": "the token has expired; get a new one"}
                assert client.post(V1, json=ROW, headers=bearer(other.token())).status_code == 401
            assert list(infer(live.grpc_address, ("authorization", f"Bearer {token}")).outputs[0].shape) == [1]
            assert live.access_line("alice-1")["caller"] == "jwt:alice"
            assert token not in "".join(live.raw)
            assert keys.url.rpartition("/")[0] not in "".join(live.raw)  # the whole address may be a secret


def test_a_server_says_what_it_cannot_use(artifacts: object, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("shop-token shop *")
    message = start_error("iris", "--token_digests_file", str(tmp_path / "tokens"))
    says = "line 1 does not begin with sha256: and 64 hexadecimal digits in lower case"
    assert message == f"--token_digests_file tokens cannot be used: {says}"
    assert "missing is --jwt_audience and --jwt_keys" in start_error("iris", "--jwt_issuer", ISSUER)


def test_copies_of_requests_carry_a_token(artifacts: object, tmp_path: Path) -> None:
    guard = ("--token_digests_file", str(tokens(tmp_path / "tokens")))
    (tmp_path / "token").write_text(SHOP)
    with serve("iris", *guard) as canary:
        canary.wait_ready()
        plan = {"models": {"iris": {"url": canary.url, "percent": 100}}}
        (tmp_path / "shadow.json").write_text(json.dumps(plan))
        shadow = ("--shadow_file", str(tmp_path / "shadow.json"), "--shadow_token_file", str(tmp_path / "token"))
        with serve("iris", *shadow) as stable:
            stable.wait_ready()

            def agreed() -> bool:
                httpx.post(stable.url + V1, json=ROW)
                lines = httpx.get(stable.url + "/metrics").text.splitlines()
                return any(line.startswith("shadow_comparisons_total") and 'outcome="agree"' in line for line in lines)

            wait_for(agreed, "an answer that agrees")
