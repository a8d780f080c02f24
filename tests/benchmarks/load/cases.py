"""The requests that servers are measured with: one row each, in each protocol."""

import json
import struct
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from predictors.serving.model import kserve_api

pb = kserve_api.pb
METHOD = "inference.GRPCInferenceService/ModelInfer"
OURS, CEILING, STOCK, MLSERVER, FASTAPI = "kserve-predictors", "bare ASGI", "stock KServe", "MLServer", "FastAPI"
V1, V2, BINARY, GRPC = "V1", "V2", "V2 binary", "gRPC"
ROWS: Mapping[str, list[object]] = {
    "iris": [[5.1, 3.5, 1.4, 0.2]],
    "intent": ["where is my parcel it should have been here on monday"],
    "boosting": [[round(0.37 * i - 3, 2) for i in range(30)]],
    "sentiment": ["the parcel came a week late and the box was torn, never again"],
}
JSON_TYPE = "application/json"
HEADER_LENGTH = "inference-header-content-length"


class Case(NamedTuple):
    """One kind of request to one server."""

    server: str
    model: str
    protocol: str

    def __str__(self) -> str:
        return f"{self.server}, {self.model} {self.protocol}"


class HttpRequest(NamedTuple):
    """A request to post."""

    path: str
    headers: dict[str, str]
    body: bytes


def http_request(case: Case) -> HttpRequest:
    """The request of a case that is not gRPC."""
    if case.protocol == V1:
        body = json.dumps({"instances": ROWS[case.model]}).encode()
        return HttpRequest(f"/v1/models/{case.model}:predict", {"content-type": JSON_TYPE}, body)
    path = f"/v2/models/{case.model}/infer"
    shape, datatype = _tensor(case.model)
    head: dict[str, object] = {"name": "x", "shape": shape, "datatype": datatype}
    if case.protocol == V2:
        body = json.dumps({"inputs": [{**head, "data": ROWS[case.model]}]}).encode()
        return HttpRequest(path, {"content-type": JSON_TYPE}, body)
    raw = _raw(case.model)
    inputs = [{**head, "parameters": {"binary_data_size": len(raw)}}]
    header = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    headers = {"content-type": "application/octet-stream", HEADER_LENGTH: str(len(header))}
    return HttpRequest(path, headers, header + raw)


def grpc_request(case: Case) -> bytes:
    """A serialized ``ModelInferRequest`` with raw contents, as Triton's and KServe's clients send them."""
    shape, datatype = _tensor(case.model)
    request = pb.ModelInferRequest(model_name=case.model, raw_input_contents=[_raw(case.model)])
    tensor = request.inputs.add(name="x", datatype=datatype, shape=shape)
    if case.server == MLSERVER and datatype == "BYTES":
        # MLServer takes raw bytes for numbers unless the request says that they are text.
        tensor.parameters["content_type"].string_param = "str"
    serialized: bytes = request.SerializeToString()
    return serialized


def protoset() -> bytes:
    """The protocol's messages and methods, from KServe's package; not every server has gRPC reflection."""
    files = FileDescriptorSet()
    pb.DESCRIPTOR.CopyToProto(files.file.add())
    return files.SerializeToString()


def _tensor(model: str) -> tuple[list[int], str]:
    [row] = ROWS[model]
    return ([1, len(row)], "FP32") if isinstance(row, list) else ([1], "BYTES")


def _raw(model: str) -> bytes:
    if isinstance(ROWS[model][0], list):
        return np.array(ROWS[model], dtype="<f4").tobytes()
    text = str(ROWS[model][0]).encode()
    return struct.pack("<I", len(text)) + text
