import json
import struct
from typing import Any

import httpx
import numpy as np
import pytest

FLOWER = [5.1, 3.5, 1.4, 0.2]
FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def tensor(data: Any, datatype: str = "FP32", shape: Any = (1, 4), name: str = "x") -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": list(shape), "data": data}


def infer(http: httpx.Client, *inputs: dict[str, Any], model: str = "iris", **fields: Any) -> dict[str, Any]:
    answer = http.post(f"/v2/models/{model}/infer", json={"inputs": list(inputs), **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def outputs(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in body["outputs"]}


def test_iris(http: httpx.Client) -> None:
    body = infer(http, tensor([*FLOWER, 6.3, 3.3, 6.0, 2.5], shape=(2, 4)))
    assert (body["model_name"], body["model_version"]) == ("iris", "1")
    assert "id" not in body
    found = outputs(body)
    assert (found["predict"]["datatype"], found["predict"]["shape"], found["predict"]["data"]) == ("INT64", [2], [0, 2])
    assert found["label"]["data"] == ["setosa", "virginica"]
    assert (found["predict_proba"]["datatype"], found["predict_proba"]["shape"]) == ("FP64", [2, 3])
    assert len(found["predict_proba"]["data"]) == 6


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "INT8", "INT16", "INT32", "INT64"])
def test_iris_datatypes_and_nesting(http: httpx.Client, datatype: str) -> None:
    flat = infer(http, tensor([5, 3, 1, 0], datatype))
    nested = infer(http, tensor([[5, 3, 1, 0]], datatype))
    assert outputs(flat)["predict"]["data"] == outputs(nested)["predict"]["data"] == [0]


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_iris_takes_one_tensor_a_feature(http: httpx.Client, shape: tuple[int, ...]) -> None:
    rows = np.array([FLOWER, [6.3, 3.3, 6.0, 2.5]])
    inputs = [tensor(rows[:, i].tolist(), "FP64", shape, name) for i, name in reversed(list(enumerate(FEATURES)))]
    assert outputs(infer(http, *inputs))["predict"]["data"] == [0, 2]


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_intent(http: httpx.Client, shape: tuple[int, ...]) -> None:
    body = infer(http, tensor(["good morning all", "where is my parcel"], "BYTES", shape), model="intent")
    found = outputs(body)
    assert found["predict"]["data"] == ["greeting", "question"]
    assert (found["predict_proba"]["datatype"], found["predict_proba"]["shape"]) == ("FP64", [2, 4])


def test_requested_outputs_come_alone_and_in_order(http: httpx.Client) -> None:
    body = infer(http, tensor(FLOWER), outputs=[{"name": "predict_proba"}, {"name": "predict"}])
    assert [entry["name"] for entry in body["outputs"]] == ["predict_proba", "predict"]


def test_id_and_parameters_are_given_back(http: httpx.Client) -> None:
    body = infer(http, tensor(FLOWER), id="my-id", parameters={"priority": 1, "binary_data_output": False})
    assert body["id"] == "my-id"
    assert body["parameters"] == {"priority": 1}


def test_versions(http: httpx.Client) -> None:
    request = {"inputs": [tensor(FLOWER)]}
    assert http.post("/v2/models/iris/versions/1/infer", json=request).status_code == 200
    assert http.post("/v2/models/iris/versions/2/infer", json=request).status_code == 404
    assert http.get("/v2/models/iris/versions/1").status_code == 200
    assert http.get("/v2/models/iris/versions/1/ready").status_code == 200
    assert http.get("/v2/models/iris/versions/7/ready").status_code == 404


def test_metadata_and_health(http: httpx.Client) -> None:
    assert http.get("/v2").json()["extensions"] == ["binary_tensor_data", "model_configuration"]
    metadata = http.get("/v2/models/iris").json()
    assert metadata["versions"] == ["1"]
    assert metadata["inputs"] == [{"name": "features", "datatype": "FP64", "shape": [-1, 4]}]
    assert [entry["name"] for entry in metadata["outputs"]] == ["predict", "label", "predict_proba"]
    metadata = http.get("/v2/models/intent").json()
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert http.get("/v2/health/live").json() == {"live": True}
    assert http.get("/v2/health/ready").json() == {"ready": True}
    assert http.get("/v2/models/iris/ready").status_code == 200


def binary(
    http: httpx.Client, header: dict[str, Any], blob: bytes, model: str = "iris", **headers: str
) -> httpx.Response:
    raw = json.dumps(header).encode()
    headers = {"inference-header-content-length": str(len(raw)), "content-type": "application/octet-stream", **headers}
    return http.post(f"/v2/models/{model}/infer", content=raw + blob, headers=headers)


def split(answer: httpx.Response) -> tuple[dict[str, Any], bytes]:
    length = int(answer.headers["inference-header-content-length"])
    return json.loads(answer.content[:length]), answer.content[length:]


def binary_input(size: int, **changes: Any) -> dict[str, Any]:
    entry = {"name": "x", "datatype": "FP32", "shape": [1, 4], "parameters": {"binary_data_size": size}}
    return {"inputs": [{**entry, **changes}]}


def test_binary_both_ways(http: httpx.Client) -> None:
    blob = np.array(FLOWER, dtype="<f4").tobytes()
    answer = binary(http, {**binary_input(16), "parameters": {"binary_data_output": True}}, blob)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/octet-stream"
    header, rest = split(answer)
    sizes = [entry["parameters"]["binary_data_size"] for entry in header["outputs"]]
    assert sizes == [8, 4 + len("setosa"), 24]
    assert np.frombuffer(rest[:8], dtype="<i8").tolist() == [0]
    assert rest[8:18] == struct.pack("<I", 6) + b"setosa"
    assert np.frombuffer(rest[18:], dtype="<f8").sum() == pytest.approx(1)


def test_binary_in_json_out_and_mixed_outputs(http: httpx.Client) -> None:
    blob = np.array(FLOWER, dtype="<f4").tobytes()
    answer = binary(http, binary_input(16), blob)
    assert answer.json()["outputs"][0]["data"] == [0]
    wanted = [{"name": "label"}, {"name": "predict", "parameters": {"binary_data": True}}]
    header, rest = split(binary(http, {**binary_input(16), "outputs": wanted}, blob))
    assert header["outputs"][0]["data"] == ["setosa"]
    assert np.frombuffer(rest, dtype="<i8").tolist() == [0]


def test_json_in_binary_out(http: httpx.Client) -> None:
    request = {"inputs": [tensor(FLOWER)], "parameters": {"binary_data_output": True}}
    header, rest = split(http.post("/v2/models/iris/infer", json=request))
    assert len(rest) == sum(entry["parameters"]["binary_data_size"] for entry in header["outputs"])


def test_binary_strings(http: httpx.Client) -> None:
    texts = [b"where is my parcel", "schöne Grüße".encode()]
    blob = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    answer = binary(http, binary_input(len(blob), datatype="BYTES", shape=[2]), blob, model="intent")
    assert answer.json()["outputs"][0]["data"][0] == "question"


@pytest.mark.parametrize(
    ("header", "blob", "headers", "says"),
    [
        (binary_input(12), b"\0" * 12, {}, "has 12 bytes of data"),
        (binary_input(16), b"\0" * 12, {}, "only 12 are left"),
        (binary_input(16), b"\0" * 20, {}, "4 bytes of binary data that no input"),
        (binary_input(-1), b"", {}, "0 or more"),
        (binary_input(True), b"\0", {}, "0 or more"),
        (binary_input(16, data=[1, 2, 3, 4]), b"\0" * 16, {}, "only one is allowed"),
        (binary_input(16), b"\xff" * 16, {}, "not a finite number"),
        (binary_input(16), b"\0" * 16, {"inference-header-content-length": "99999"}, "but the body has"),
        (binary_input(16), b"\0" * 16, {"inference-header-content-length": "-4"}, "must be a number of bytes"),
        (binary_input(16), b"\0" * 16, {"inference-header-content-length": "abc"}, "must be a number of bytes"),
        (binary_input(16), b"\0" * 16, {"inference-header-content-length": "0"}, "but the body has"),
        (binary_input(16), b"\0" * 16, {"inference-header-content-length": "20"}, "not valid JSON"),
    ],
)
def test_bad_binary_is_refused(
    http: httpx.Client, header: dict[str, Any], blob: bytes, headers: dict[str, str], says: str
) -> None:
    answer = binary(http, header, blob, **headers)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_a_shape_of_more_rows_than_are_allowed_is_refused(http: httpx.Client) -> None:
    answer = binary(http, binary_input(16, shape=[2**62, 4]), b"\0" * 16)
    assert answer.status_code == 413
    assert answer.json()["error"].endswith("rows; at most 10000 are allowed in one request")


@pytest.mark.parametrize(
    ("blob", "says"),
    [
        (b"\x05\0\0", "ends within the 4-byte length"),
        (b"\x05\0\0\0abc", "claims 5 bytes"),
        (b"\xff\xff\xff\xffabc", "claims 4294967295 bytes"),
        (b"\x02\0\0\0\xff\xfe", "not valid UTF-8"),
        (b"\x01\0\0\0a\x01\0\0\0b", "has more elements than its shape [1] asks for"),
        (b"", "has 0 elements"),
    ],
)
def test_bad_binary_strings_are_refused(http: httpx.Client, blob: bytes, says: str) -> None:
    answer = binary(http, binary_input(len(blob), datatype="BYTES", shape=[1]), blob, model="intent")
    assert answer.status_code == 400
    assert says in answer.json()["error"]
