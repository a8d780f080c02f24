"""The field's own clients, unchanged. Triton's and KServe's messages cannot live in one process, so each has its own."""

import subprocess
import sys

import pytest

from tests.live import ROOT, LiveServer

TRITON_HTTP = """
import sys
import numpy as np
import tritonclient.http as triton

client = triton.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("iris")
assert client.is_model_ready("iris", "1") and not client.is_model_ready("iris", "2")
assert client.get_server_metadata()["name"] == "kserve-predictors"
assert client.get_model_metadata("iris")["inputs"][0]["shape"] == [-1, 4]
config = client.get_model_config("iris", "1")
assert config == client.get_model_config("iris") and config["name"] == "iris" and config["max_batch_size"] == 10000
assert config["version_policy"] == {"specific": {"versions": [1]}}
assert config["input"] == [{"name": "features", "data_type": "TYPE_FP64", "dims": [4]}]
assert [(each["name"], each["data_type"], each["dims"]) for each in config["output"]] == [
    ("predict", "TYPE_INT64", []), ("label", "TYPE_STRING", []), ("predict_proba", "TYPE_FP64", [3])]
rows = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]], dtype=np.float32)
for sent_binary in (True, False):
    features = triton.InferInput("x", rows.shape, "FP32")
    features.set_data_from_numpy(rows, binary_data=sent_binary)
    for outputs in (None, [triton.InferRequestedOutput("predict", binary_data=True)],
                    [triton.InferRequestedOutput("predict", binary_data=False)]):
        result = client.infer("iris", [features], outputs=outputs, request_id="7")
        assert result.as_numpy("predict").tolist() == [0, 2]
        assert result.get_response()["id"] == "7"
    assert result.get_response()["model_version"] == "1"
    assert client.infer("iris", [features]).as_numpy("label").tolist() == [b"setosa", b"virginica"]
    sent_along = {"sequence_id": 7, "sequence_start": True, "sequence_end": True, "priority": 1, "timeout": 10**7}
    assert client.infer("iris", [features], **sent_along).as_numpy("predict_proba").shape == (2, 3)
    texts = triton.InferInput("text", [2, 1], "BYTES")
    texts.set_data_from_numpy(np.array([["where is my parcel"], ["asdf"]], dtype=object), binary_data=sent_binary)
    found = client.infer("intent", [texts]).as_numpy("predict").tolist()
    assert found in ([b"question", b"unknown"], ["question", "unknown"]), found
try:
    client.infer("iris", [triton.InferInput("x", [1, 3], "FP32").set_data_from_numpy(rows[:1, :3])])
except triton.InferenceServerException as error:
    assert "[N, 4] is expected" in error.message(), error
else:
    raise AssertionError("3 features were taken")
try:
    client.infer("iris", [features], parameters={"temperature": 0.5})
except triton.InferenceServerException as error:
    assert error.message() == 'unknown parameter "temperature"; this model takes none', error
else:
    raise AssertionError("an unknown parameter was taken")
"""

TRITON_HTTP_AIO = """
import asyncio, sys
import numpy as np
import tritonclient.http.aio as triton

async def main():
    client = triton.InferenceServerClient(sys.argv[1])
    rows = np.array([[5.1, 3.5, 1.4, 0.2]], dtype=np.float32)
    for sent_binary in (True, False):
        features = triton.InferInput("x", rows.shape, "FP32")
        features.set_data_from_numpy(rows, binary_data=sent_binary)
        assert (await client.infer("iris", [features])).as_numpy("predict").tolist() == [0]
    await client.close()

asyncio.run(main())
"""

TRITON_GRPC = """
import sys
import numpy as np
import tritonclient.grpc as triton

client = triton.InferenceServerClient(sys.argv[2])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("iris")
assert client.get_model_metadata("iris").outputs[0].name == "predict"
config = client.get_model_config("iris", "1").config
assert config == client.get_model_config("iris").config and (config.name, config.max_batch_size) == ("iris", 10000)
assert list(config.version_policy.specific.versions) == [1] and config.parameters["version"].string_value == "1"
assert config.platform == client.get_model_metadata("iris").platform
tensors = [(each.name, each.data_type, list(each.dims)) for each in (*config.input, *config.output)]
assert tensors == [("features", 12, [4]), ("predict", 9, []), ("label", 13, []), ("predict_proba", 12, [3])], tensors
try:
    client.get_model_config("iris", "2")
except triton.InferenceServerException as error:
    assert "NOT_FOUND" in error.status(), error
else:
    raise AssertionError("there is no version 2")
rows = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]], dtype=np.float32)
features = triton.InferInput("x", rows.shape, "FP32")
features.set_data_from_numpy(rows)
result = client.infer("iris", [features], request_id="7")
assert result.as_numpy("predict").tolist() == [0, 2]
assert result.as_numpy("label").tolist() == [b"setosa", b"virginica"]
assert result.get_response().id == "7"
texts = triton.InferInput("text", [1], "BYTES")
texts.set_data_from_numpy(np.array(["where is my parcel"], dtype=object))
wanted = [triton.InferRequestedOutput("predict")]
assert client.infer("intent", [texts], outputs=wanted).as_numpy("predict").tolist() == [b"question"]
sent_along = {"sequence_id": 7, "sequence_start": True, "sequence_end": True, "priority": 1, "timeout": 10**7}
assert client.infer("iris", [features], **sent_along).as_numpy("predict")[0] == 0
for name, value in {"a": 0.5, "b": True, "c": "d", "e": 7}.items():
    try:
        client.infer("iris", [features], parameters={name: value})
    except triton.InferenceServerException as error:
        assert f'unknown parameter "{name}"; this model takes none' in error.message(), error
    else:
        raise AssertionError("an unknown parameter was taken")
try:
    client.infer("nope", [features])
except triton.InferenceServerException as error:
    assert "NOT_FOUND" in error.status(), error
"""

KSERVE_REST = """
import asyncio, sys
import numpy as np
import kserve

async def main():
    base = "http://" + sys.argv[1]
    for protocol in ("v1", "v2"):
        client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol=protocol))
        assert await client.is_server_live(base)
        assert await client.is_model_ready(base, "iris")
        if protocol == "v2":
            assert await client.is_server_ready(base)
        await client.close()
    client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v1"))
    answer = await client.infer(base, {"instances": [[5.1, 3.5, 1.4, 0.2]]}, model_name="iris")
    assert answer["labels"] == ["setosa"], answer
    client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2"))
    rows = np.array([[5.1, 3.5, 1.4, 0.2]], dtype=np.float32)
    for binary in (True, False):
        features = kserve.InferInput("x", [1, 4], "FP32")
        features.set_data_from_numpy(rows, binary_data=binary)
        for wanted in (True, False, None):
            asked = kserve.InferRequest("iris", [features], request_id="7", parameters={"binary_data_output": bool(wanted)})
            response = await client.infer(base, asked, model_name="iris")
            assert response.get_output_by_name("predict").as_numpy().tolist() == [0], response
            assert response.id == "7", response.id
    texts = kserve.InferInput("text", [1], "BYTES")
    texts.set_data_from_numpy(np.array(["where is my parcel"], dtype=object), binary_data=True)
    response = await client.infer(base, kserve.InferRequest("intent", [texts]), model_name="intent")
    assert response.get_output_by_name("predict").data == ["question"], response

asyncio.run(main())
"""

KSERVE_GRPC = """
import asyncio, sys
import numpy as np
import kserve

async def main():
    async with kserve.InferenceGRPCClient(sys.argv[2]) as client:
        assert await client.is_server_live() and await client.is_server_ready() and await client.is_model_ready("iris")
        for binary in (True, False):
            features = kserve.InferInput("x", [1, 4], "FP32")
            features.set_data_from_numpy(np.array([[5.1, 3.5, 1.4, 0.2]], dtype=np.float32), binary_data=binary)
            response = await client.infer(kserve.InferRequest("iris", [features], request_id="7"))
            assert response.get_output_by_name("predict").as_numpy().tolist() == [0], response
            assert response.id == "7"

asyncio.run(main())
"""

CURL = """
import json, subprocess, sys

def curl(*arguments):
    return json.loads(subprocess.run(["curl", "-sS", "--fail", *arguments], check=True, capture_output=True).stdout)

base = "http://" + sys.argv[1]
body = '{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
assert curl(base + "/v1/models/iris:predict", "-H", "content-type: application/json", "-d", body)["labels"] == ["setosa"]
assert curl("--http2", base + "/v1/models/iris:predict", "-H", "content-type: application/json", "-d", body)
"""

SCRIPTS = {
    "triton_http": TRITON_HTTP,
    "triton_http_aio": TRITON_HTTP_AIO,
    "triton_grpc": TRITON_GRPC,
    "kserve_rest": KSERVE_REST,
    "kserve_grpc": KSERVE_GRPC,
    "curl": CURL,
}


@pytest.mark.parametrize("client", sorted(SCRIPTS))
def test_client(server: LiveServer, client: str) -> None:
    command = [sys.executable, "-c", SCRIPTS[client], f"127.0.0.1:{server.http_port}", server.grpc_address]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
