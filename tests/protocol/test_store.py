"""A server of several versions of real models, over the network, behind tokens."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from predictors.serving.access.token_file import line_of
from predictors.serving.model.kserve_api import pb
from tests.live import ARTIFACTS, PATIENCE_SECONDS, LiveServer, pb_grpc, serve, start_error, wait_for

V1, V2 = "/v1/models/iris:predict", "/v2/models/iris"
ROW = {"instances": [[5.1, 3.5, 1.4, 0.2]]}
TENSORS = {"inputs": [{"name": "x", "datatype": "FP64", "shape": [1, 4], "data": [5.1, 3.5, 1.4, 0.2]}]}
SHOP, OPS, ODD = "shop-token", "ops-token", "odd-token"
LISTED = "/v2/repository/index"
REPOSITORY = (
    LISTED,
    *(
        f"/v2/repository/models/iris{version}/{verb}"
        for version in ("", "/versions/1")
        for verb in ("load", "unload")
    ),
)  # fmt: skip


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def tokens(path: Path) -> str:
    lines = (line_of(SHOP, "shop", "iris"), line_of(OPS, "ops", "iris,intent,+repository"))
    path.write_text("\n".join((*lines, line_of(ODD, "odd", "other,+repository"))))
    return str(path)


def put(store: Path, path: str, model: str = "iris") -> None:
    """Copy an artifact into a store, as a pipeline does: the files appear one after another."""
    shutil.copytree(ARTIFACTS / model, store / path)


@pytest.fixture(scope="module")
def store(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    for path in ("iris/1", "iris/2"):
        put(folder, path)
    put(folder, "intent/2026-11", "intent")
    return folder


@pytest.fixture(scope="module")
def live(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    access = ("--token_digests_file", tokens(tmp_path_factory.mktemp("door") / "tokens"), "--enable_repository")
    with serve("--model_store", str(store), *access) as live:
        yield live.wait_ready()


@pytest.fixture
def client(live: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live.url, timeout=PATIENCE_SECONDS, headers=bearer(OPS)) as client:
        yield client


def ask(address: str, method: str, request: Any, token: str = OPS) -> Any:
    """Call by gRPC; gives the answer, or the error."""
    with grpc.insecure_channel(address) as channel:
        call = getattr(pb_grpc.GRPCInferenceServiceStub(channel), method)
        try:
            return call(request, metadata=[*bearer(token).items()] if token else [], timeout=PATIENCE_SECONDS)
        except grpc.RpcError as error:
            return error


def infer(version: str = "") -> Any:
    contents = pb.InferTensorContents(fp64_contents=[5.1, 3.5, 1.4, 0.2])
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP64", shape=[1, 4], contents=contents)
    return pb.ModelInferRequest(model_name="iris", model_version=version, inputs=[tensor])


def named(message: Any, version: str) -> Any:
    """A repository request as Triton's message has it: with the name in another field, and a parameter."""
    value = b"\x1a" + bytes([len(version)]) + version.encode()
    entry = b"\x0a\x07version\x12" + bytes([len(value)]) + value
    return message.FromString(b"\x12\x04iris\x1a" + bytes([len(entry)]) + entry)


def test_every_protocol_reaches_every_version(live: LiveServer, client: httpx.Client) -> None:
    intent = client.get("/models").json()["models"]["intent"]
    assert (intent["loaded"], intent["ready"]) == (False, True)
    for version in ("1", "2"):
        path = f"{V2}/versions/{version}"
        assert client.get(f"{path}/ready").json() == {"name": "iris", "ready": True}
        assert client.post(f"{path}/infer", json=TENSORS).json()["model_version"] == version
        assert client.get(f"{path}/config").json()["parameters"]["version"] == {"string_value": version}
        assert ask(live.grpc_address, "ModelInfer", infer(version)).model_version == version
        body = {"features": [5.1, 3.5, 1.4, 0.2], "model_version": version}
        assert client.post("/predict", json=body).json()["model_version"] == version
    assert client.post(V1, json=ROW).headers["x-model-version"] == "2"
    assert client.post(f"{V2}/infer", json=TENSORS).json()["model_version"] == "2"
    assert ask(live.grpc_address, "ModelInfer", infer()).model_version == "2"
    assert client.get(V2).json()["versions"] == ["1", "2"]
    assert ask(live.grpc_address, "ModelMetadata", pb.ModelMetadataRequest(name="iris")).versions == ["1", "2"]
    assert (
        client.post("/v1/models/intent:predict", json={"instances": ["hello"]}).headers["x-model-version"] == "2026-11"
    )
    missing = client.post(f"{V2}/versions/3/infer", json=TENSORS)
    assert (missing.status_code, missing.json()) == (404, {"error": 'model "iris" has no version "3"; there are 1, 2'})
    assert ask(live.grpc_address, "ModelInfer", infer("3")).code() is grpc.StatusCode.NOT_FOUND


def test_a_model_that_comes_and_goes(live: LiveServer, store: Path, client: httpx.Client) -> None:
    """Its name is known to health, metrics and lists as long as it is there."""

    def health() -> int:
        with grpc.insecure_channel(live.grpc_address) as channel:
            request = health_pb2.HealthCheckRequest(service="passing")
            try:
                return int(health_pb2_grpc.HealthStub(channel).Check(request, timeout=PATIENCE_SECONDS).status)
            except grpc.RpcError as error:
                return -int(error.code() is grpc.StatusCode.NOT_FOUND)

    assert health() == -1
    put(store, "passing/1")
    wait_for(lambda: health() == health_pb2.HealthCheckResponse.SERVING, "the model")
    assert client.get("/v2/models/passing/ready").status_code == 403  # the token does not allow it
    assert list(client.get("/models").json()["models"]) == ["intent", "iris"]
    shutil.rmtree(store / "passing")
    wait_for(lambda: health() == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN, "its end")


def test_models_tells_of_each_version(client: httpx.Client) -> None:
    client.post(f"{V2}/versions/1/infer", json=TENSORS)
    versions = client.get("/models").json()["models"]["iris"]["versions"]
    assert list(versions) == ["1", "2"]
    size = next(each["size_bytes"] for each in manifest("iris")["files"] if each["name"] == "model.npz")
    assert versions["1"] | {"last_use": ""} == {
        "state": "ready", "reason": "", "default": False, "bytes": versions["1"]["bytes"], "last_use": "",
    }  # fmt: skip
    assert versions["1"]["bytes"] >= size
    assert versions["1"]["last_use"].endswith("+00:00")
    assert versions["2"]["default"] is True


def manifest(model: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ARTIFACTS / model / "manifest.json").read_text())
    return read


def test_a_version_that_comes_takes_over_and_one_that_goes_hands_back(store: Path, client: httpx.Client) -> None:
    """Under traffic that notices every error, and every version that is not there."""
    answered: list[tuple[int, str]] = []
    stop = threading.Event()

    def send() -> None:
        with httpx.Client(base_url=client.base_url, headers=client.headers, timeout=PATIENCE_SECONDS) as own:
            while not stop.is_set():
                answer = own.post(V1, json=ROW)
                answered.append((answer.status_code, answer.headers.get("x-model-version", "")))

    def default_is(version: str) -> Callable[[], bool]:
        return lambda: bool(client.get("/models").json()["models"]["iris"]["version"] == version)

    senders = [threading.Thread(target=send) for _ in range(2)]
    for sender in senders:
        sender.start()
    try:
        put(store, "iris/10")
        wait_for(default_is("10"), "version 10")
        assert [entry["version"] for entry in client.post(LISTED).json() if entry["name"] == "iris"] == ["1", "2", "10"]
        shutil.rmtree(store / "iris/10")
        wait_for(default_is("2"), "version 2")
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    assert {status for status, _ in answered} == {200}
    assert {version for _, version in answered} == {"2", "10"}


def test_versions_are_loaded_and_unloaded_by_hand(live: LiveServer, client: httpx.Client) -> None:
    one = "/v2/repository/models/iris/versions/2"
    assert client.post(f"{one}/unload").json() == {"name": "iris", "unload": True}
    assert client.post(V1, json=ROW).headers["x-model-version"] == "1"
    refused = client.post(f"{V2}/versions/2/infer", json=TENSORS)
    assert (refused.status_code, refused.json()["error"]) == (
        503, 'model "iris" version 2 is not ready: it was unloaded',
    )  # fmt: skip
    assert client.get(f"{V2}/versions/2/ready").status_code == 503
    index = {(entry["name"], entry["version"]): entry["state"] for entry in client.post(LISTED).json()}
    assert index["iris", "1"] == "READY"
    assert index["iris", "2"] == "UNAVAILABLE"
    assert client.post(f"{one}/load").json() == {"name": "iris", "load": True}
    assert client.post(V1, json=ROW).headers["x-model-version"] == "2"
    assert ask(live.grpc_address, "RepositoryModelUnload", named(pb.RepositoryModelUnloadRequest, "2")).isUnloaded
    assert client.post(V1, json=ROW).headers["x-model-version"] == "1"
    assert ask(live.grpc_address, "RepositoryModelLoad", named(pb.RepositoryModelLoadRequest, "2")).isLoaded
    assert client.post(V1, json=ROW).headers["x-model-version"] == "2"
    assert client.post("/v2/repository/models/iris/versions/7/load").status_code == 404
    torn = pb.RepositoryModelLoadRequest.FromString(b"\x12\x04iris\x1a\x02\x0a\xff")
    assert ask(live.grpc_address, "RepositoryModelLoad", torn).code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_repository_takes_its_right_and_the_models(live: LiveServer, client: httpx.Client) -> None:
    methods = (
        ("RepositoryModelLoad", pb.RepositoryModelLoadRequest),
        ("RepositoryModelUnload", pb.RepositoryModelUnloadRequest),
    )
    for path in REPOSITORY:
        assert httpx.post(live.url + path).status_code == 401, path
        refused = client.post(path, headers=bearer(SHOP))
        assert (refused.status_code, "+repository" in refused.json()["error"]) == (403, True), path
    assert client.post(LISTED, headers=bearer(ODD)).json() == []
    for path in REPOSITORY[1:]:
        refused = client.post(path, headers=bearer(ODD))
        assert (refused.status_code, "allow the model" in refused.json()["error"]) == (403, True), path
    for method, message in methods:
        for version in ("", "1"):
            request = named(message, version) if version else message(model_name="iris")
            codes = [ask(live.grpc_address, method, request, token).code() for token in ("", SHOP, ODD)]
            assert codes == [
                grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.PERMISSION_DENIED,
            ]  # fmt: skip
    for verb in ("load", "unload"):
        assert client.post(f"/v1/models/iris/{verb}").status_code == 404
        assert client.post(f"/v1/models/iris:{verb}").status_code == 404
    assert client.post(V1, json=ROW).headers["x-model-version"] == "2"


def test_without_the_setting_the_repository_is_off_for_all(artifacts: Path, tmp_path: Path) -> None:
    with serve("iris", "--token_digests_file", tokens(tmp_path / "tokens")) as live:
        live.wait_ready()
        for path in REPOSITORY:
            codes = [httpx.post(live.url + path, headers=bearer(token)).status_code for token in (SHOP, OPS)]
            assert codes == [403, 404], path
            assert httpx.post(live.url + path).status_code == 401, path
        for method, message in (
            ("RepositoryModelLoad", pb.RepositoryModelLoadRequest),
            ("RepositoryModelUnload", pb.RepositoryModelUnloadRequest),
        ):
            codes = [ask(live.grpc_address, method, message(model_name="iris"), t).code() for t in ("", SHOP, OPS)]
            assert codes == [
                grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND,
            ]  # fmt: skip


def test_a_folder_that_is_not_there_is_an_error_at_the_start(tmp_path: Path) -> None:
    assert "there is no such folder" in start_error("--model_store", str(tmp_path / "nothing"))
