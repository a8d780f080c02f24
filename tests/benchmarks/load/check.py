"""One answer of each case, checked before measuring: no server is measured that answers something else."""

import json
import struct
from collections.abc import Callable
from typing import Any

import grpc
import httpx
import joblib

from tests.benchmarks.load.cases import (
    BINARY,
    GRPC,
    HEADER_LENGTH,
    METHOD,
    ROWS,
    V1,
    Case,
    grpc_request,
    http_request,
    pb,
)
from tests.benchmarks.load.errors import BenchError
from tests.live import ARTIFACTS

SECONDS = 30.0


def expected(model: str) -> object:
    """What scikit-learn's own model predicts: a class id of iris, an intent."""
    pipeline = joblib.load(ARTIFACTS / model / "model.joblib")
    prediction: object = pipeline.predict(ROWS[model]).tolist()[0]
    return prediction


def check(case: Case, http_port: int, grpc_port: int, wanted: object) -> None:
    """Send one request and check the answer.

    Raises:
        BenchError: the answer is not a success, or its prediction is not ``wanted``.
    """
    try:
        found = _over_grpc(case, grpc_port) if case.protocol == GRPC else _over_http(case, http_port)
    except (httpx.HTTPError, grpc.RpcError, LookupError, ValueError) as error:
        raise BenchError(f"{case}: the answer could not be read: {error}") from error
    if found != wanted:
        raise BenchError(f"{case}: the prediction is {found!r}; scikit-learn's is {wanted!r}")


def _over_http(case: Case, port: int) -> object:
    request = http_request(case)
    answer = httpx.post(
        f"http://127.0.0.1:{port}{request.path}", headers=request.headers, content=request.body, timeout=SECONDS
    ).raise_for_status()
    if case.protocol == V1:
        return answer.json()["predictions"][0]
    if case.protocol != BINARY:
        return _output(answer.json()["outputs"], lambda output: output["name"])["data"][0]
    length = int(answer.headers[HEADER_LENGTH])
    outputs, start = json.loads(answer.content[:length])["outputs"], length
    for output in outputs:
        size = output["parameters"]["binary_data_size"]
        if output["name"] == "predict":
            return _first(answer.content[start : start + size], output["datatype"])
        start += size
    raise LookupError("no output named predict")


def _over_grpc(case: Case, port: int) -> object:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(f"/{METHOD}", response_deserializer=pb.ModelInferResponse.FromString)
        answer = call(grpc_request(case), timeout=SECONDS, wait_for_ready=True)
    output = _output(answer.outputs, lambda output: output.name)
    if answer.raw_output_contents:
        return _first(answer.raw_output_contents[list(answer.outputs).index(output)], output.datatype)
    if output.datatype == "BYTES":
        return output.contents.bytes_contents[0].decode()
    return output.contents.int64_contents[0]


def _output(outputs: Any, name: Callable[[Any], str]) -> Any:
    found = [output for output in outputs if name(output) == "predict"]
    if not found:
        raise LookupError("no output named predict")
    return found[0]


def _first(raw: bytes, datatype: str) -> object:
    """The first element of a raw tensor: an INT64 or a BYTES."""
    if datatype == "BYTES":
        (length,) = struct.unpack_from("<I", raw)
        return raw[4 : 4 + length].decode()
    return int(struct.unpack_from("<q", raw)[0])
