"""What bad input gets: the table of the promises, row by row, over one keep-alive connection."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.live import JSON, LiveServer

V1 = "/v1/models/iris:predict"
V2 = "/v2/models/iris/infer"
GOOD_V1 = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'


@pytest.fixture
def connection(server: LiveServer) -> Iterator[http.client.HTTPConnection]:
    """One connection; after the test it must be the same one still, and must serve a good request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    connection.connect()
    before = connection.sock
    yield connection
    status, _, _ = send(connection, "POST", V1, GOOD_V1)
    assert status == 200
    assert connection.sock is before
    connection.close()


def send(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: Any = JSON
) -> tuple[int, dict[str, str], Any]:
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    content = response.read()
    received = {name.lower(): value for name, value in response.getheaders()}
    assert received["content-type"] == "application/json"
    assert received["x-request-id"]
    return response.status, received, json.loads(content)


def refused(connection: http.client.HTTPConnection, path: str, body: bytes | str, status: int, says: str) -> None:
    raw = body.encode() if isinstance(body, str) else body
    actual, _, content = send(connection, "POST", path, raw)
    assert (actual, list(content)) == (status, ["error"]), content
    assert says in content["error"], content
    assert "Traceback" not in content["error"]
    assert "Error" not in content["error"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "the body is empty"),
        ("{", "not valid JSON"),
        ('{"instances": [[5.1, 3.5, 1.4, 0.2]]', "not valid JSON"),
        ('{"instances": [[NaN, 3.5, 1.4, 0.2]]}', "not valid JSON"),
        ('{"instances": [[Infinity, 3.5, 1.4, 0.2]]}', "not valid JSON"),
        ('{"instances": [[1e999, 3.5, 1.4, 0.2]]}', ""),
        (b'{"instances": "\xff\xfe"}', "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ('"instances"', "must be a JSON object"),
        ("{}", '"instances" is missing'),
        ('{"inputs": []}', '"instances" is missing'),
        ('{"instances": [[1,2,3,4]], "instances": [[1,2,3,4]]}', "appears twice"),
        ('{"instances": [[1,2,3,4]], "\\u0069nstances": [[1,2,3,4]]}', "appears twice"),
        ('{"instances": []}', "is empty"),
        ('{"instances": null}', "is null; a list is expected"),
        ('{"instances": {}}', "is an object; a list is expected"),
        ('{"instances": "abc"}', "is a string; a list is expected"),
        ('{"instances": 5}', "is a number; a list is expected"),
        ('{"instances": [[1,2,3]]}', "instances[0] has 3 elements; 4 are expected"),
        ('{"instances": [[1,2,3,4,5]]}', "instances[0] has 5 elements"),
        ('{"instances": [[1,2,3,4],[1,2,3]]}', "instances[1] has 3 elements"),
        ('{"instances": [["5.1",3.5,1.4,0.2]]}', "instances[0][0] (sepal_length) is a string"),
        ('{"instances": [[true,3.5,1.4,0.2]]}', "instances[0][0] (sepal_length) is a boolean"),
        ('{"instances": [[null,3.5,1.4,0.2]]}', "instances[0][0] (sepal_length) is null"),
        ('{"instances": [[[1],2,3,4]]}', "instances[0][0] (sepal_length) is a list"),
        ('{"instances": [[[1,2,3,4]]]}', "instances[0] has 1 elements"),
        ('{"instances": [5.1,3.5,1.4,0.2]}', "instances[0] is a number"),
        ('{"instances": [null]}', "instances[0] is null"),
        ('{"instances": ["a"]}', "instances[0] is a string"),
        ('{"instances": [[1,2,3,4], 5]}', "instances[1] is a number"),
        ('{"instances": [[1e300,2,3,4]]}', "instances[0][0] (sepal_length) is not a finite number"),
        ('{"instances": [{}]}', 'instances[0] lacks the field "sepal_length"'),
        ('{"instances": [{"sepal_length":1,"sepal_width":1,"petal_length":1,"petal_width":"1"}]}', "is a string"),
        ('{"instances": [{"sepal_length":1,"sepal_width":1,"petal_length":1,"petal_width":1,"x":1}]}', "unknown field"),
        ('{"instances": [[1,2,3,4]], "parameters": []}', '"parameters" is a list'),
        ('{"instances": ' + "[" * 2000 + "]" * 2000 + "}", ""),
        ('{"instances": [[' + "9" * 400 + ",1,1,1]]}", ""),
    ],
)
def test_bad_v1(connection: http.client.HTTPConnection, body: bytes | str, says: str) -> None:
    refused(connection, V1, body, 400, says)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"instances": [5]}', "instances[0] is a number; a string is expected"),
        ('{"instances": [null]}', "instances[0] is null"),
        ('{"instances": [["a"]]}', "instances[0] is a list"),
        ('{"instances": [""]}', "instances[0] is blank"),
        ('{"instances": [" \\n "]}', "instances[0] is blank"),
        ('{"instances": ["ok", {"txt": "a"}]}', 'instances[1] lacks the field "text"'),
        ('{"instances": [{"text": 5}]}', "instances[0].text is a number"),
        ('{"instances": ["\\ud800"]}', ""),
    ],
)
def test_bad_v1_texts(connection: http.client.HTTPConnection, body: str, says: str) -> None:
    refused(connection, "/v1/models/intent:predict", body, 400, says)


def tensor(**changes: Any) -> str:
    entry = {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [5.1, 3.5, 1.4, 0.2]}
    merged = {key: value for key, value in {**entry, **changes}.items() if value != "absent"}
    return json.dumps({"inputs": [merged]})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("{}", '"inputs" is missing'),
        ('{"inputs": [], "inputs": []}', "appears twice"),
        ('{"inputs": []}', "is empty"),
        ('{"inputs": {}}', "a list is expected"),
        ('{"inputs": [5]}', "inputs[0] is a number"),
        (tensor(name="absent"), 'inputs[0] needs the field "name"'),
        (tensor(name=5), 'inputs[0] needs the field "name"'),
        (tensor(name="x" * 500), "a name of 500 characters"),
        (tensor(datatype="absent"), 'inputs[0] needs the field "datatype"'),
        (tensor(datatype="FP99"), "which the protocol does not know"),
        (tensor(datatype="fp32"), "which the protocol does not know"),
        (tensor(datatype="BYTES"), "which this model does not take"),
        (tensor(datatype="BOOL"), "which this model does not take"),
        (tensor(shape="absent"), '"inputs[0].shape" is null'),
        (tensor(shape=4), '"inputs[0].shape" is a number'),
        (tensor(shape=[]), "0 dimensions"),
        (tensor(shape=[1, 1, 4]), "[N, 4] is expected"),
        (tensor(shape=[4]), "[N, 4] is expected"),
        (tensor(shape=[4, 1]), "[N, 4] is expected"),
        (tensor(shape=[2, 4]), "has 4 elements, but its shape [2, 4] asks for 8"),
        (tensor(shape=[-1, 4]), "not a positive integer"),
        (tensor(shape=[0, 4]), "not a positive integer"),
        (tensor(shape=[1.0, 4]), "not a positive integer"),
        (tensor(shape=[True, 4]), "not a positive integer"),
        (tensor(shape=["1", 4]), "not a positive integer"),
        (tensor(shape=[1] * 50), "50 dimensions"),
        (tensor(shape=[2**40, 2**40]), "[N, 4] is expected"),
        (tensor(data="absent"), 'inputs[0] lacks the field "data"'),
        (tensor(data=5), '"inputs[0].data" is a number'),
        (tensor(data=[]), "has 0 elements"),
        (tensor(data=[5.1, 3.5, 1.4]), "has 3 elements"),
        (tensor(data=[[5.1, 3.5, 1.4]]), "nesting does not match its shape"),
        (tensor(data=[[[5.1, 3.5, 1.4, 0.2]]]), "nesting does not match its shape"),
        (tensor(data=[[5.1, 3.5], [1.4, 0.2]]), "nesting does not match its shape"),
        (tensor(data=[[5.1, 3.5, 1.4, 0.2], 1]), "nesting does not match its shape"),
        (tensor(data=[5.1, 3.5, 1.4, [0.2]]), "element 3 is a list"),
        (tensor(data=["5.1", 3.5, 1.4, 0.2]), "element 0 is a string; a number is expected"),
        (tensor(data=[5.1, None, 1.4, 0.2]), "element 1 is null"),
        (tensor(data=[5.1, 3.5, True, 0.2]), "element 2 is a boolean"),
        (tensor(data=[5.1, 3.5, 1e39, 0.2]), "x[0][2] (petal_length) is not a finite number"),
        (tensor(datatype="INT64", data=[5.1, 3, 1, 0]), "element 0 is a number; an integer is expected"),
        (tensor(datatype="INT8", data=[500, 3, 1, 0]), "outside the range of INT8"),
        (tensor(parameters=5), '"inputs[0].parameters" is a number'),
        (json.dumps({"inputs": json.loads(tensor())["inputs"] * 2}), "has 2 tensors"),
        (
            json.dumps({"inputs": json.loads(tensor(shape=[1], data=[1.0]))["inputs"] * 4}),
            'lacks the tensor "sepal_length"',
        ),
        (tensor()[:-1] + ', "outputs": [{"name": "nope"}]}', 'output "nope" does not exist'),
        (tensor()[:-1] + ', "outputs": [{"name": "predict"}, {"name": "predict"}]}', "twice"),
        (tensor()[:-1] + ', "outputs": [5]}', "outputs[0] is a number"),
        (tensor()[:-1] + ', "outputs": {}}', '"outputs" is an object'),
        (tensor()[:-1] + ', "outputs": [{"name": "predict", "parameters": {"classification": 2}}]}', "classification"),
        (tensor()[:-1] + ', "id": 5}', '"id" is a number'),
        (tensor()[:-1] + ', "parameters": 5}', '"parameters" is a number'),
        (tensor()[:-1] + ', "parameters": {"a": {"b": 1}}}', '"parameters.a" is an object'),
        (tensor()[:-1] + ', "parameters": {"a": ' + "[" * 400 + "]" * 400 + "}}", '"parameters.a" is a list'),
        (
            tensor()[:-1] + ', "outputs": [{"name": "predict", "parameters": {"shared_memory_region": "x"}}]}',
            "not supported",
        ),
        (tensor()[:-1] + ', "parameters": {"binary_data_output": 1}}', "a boolean is expected"),
    ],
)
def test_bad_v2(connection: http.client.HTTPConnection, body: str, says: str) -> None:
    refused(connection, V2, body, 400, says)


@pytest.mark.parametrize("names", [("sepal_length", "sepal_width", "petal_length", "colour"), ("sepal_length",) * 4])
def test_a_wrong_name_among_four_inputs(connection: http.client.HTTPConnection, names: tuple[str, ...]) -> None:
    inputs = [{"name": name, "datatype": "FP32", "shape": [1], "data": [1.0]} for name in names]
    refused(connection, V2, json.dumps({"inputs": inputs}), 400, '"inputs" lacks the tensor')


def test_four_inputs_of_different_lengths(connection: http.client.HTTPConnection) -> None:
    names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    inputs = [
        {"name": name, "datatype": "FP32", "shape": [i + 1], "data": [1.0] * (i + 1)} for i, name in enumerate(names)
    ]
    refused(connection, V2, json.dumps({"inputs": inputs}), 400, "has 2 rows, others have 1")


@pytest.mark.parametrize("path", [V1, V2, "/predict"])
@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "json"]
)
def test_other_or_missing_content_type(connection: http.client.HTTPConnection, path: str, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    status, _, content = send(connection, "POST", path, GOOD_V1, headers)
    assert status == 415
    assert "content-type" in content["error"]


def test_a_compressed_body(connection: http.client.HTTPConnection) -> None:
    status, _, content = send(connection, "POST", V1, GOOD_V1, {**JSON, "content-encoding": "gzip"})
    assert status == 415
    assert "content-encoding" in content["error"]


@pytest.mark.parametrize(
    "path", ["/v1/models/nope:predict", "/v2/models/nope/infer", "/v2/models/iris/versions/9/infer"]
)
def test_unknown_model_or_version(connection: http.client.HTTPConnection, path: str) -> None:
    status, _, content = send(connection, "POST", path, GOOD_V1)
    assert status == 404
    assert "nope" in content["error"] or "version 1 is loaded" in content["error"]


@pytest.mark.parametrize("path", ["/nope", "/v1", "/v2/", "/v1/models/iris:explain", "//", "/v2/models//infer", "/%00"])
def test_unknown_path(connection: http.client.HTTPConnection, path: str) -> None:
    assert send(connection, "GET", path, None)[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", V1, "POST"),
        ("PUT", V2, "POST"),
        ("DELETE", "/predict", "POST"),
        ("POST", "/v2/health/live", "GET, HEAD"),
        ("POST", "/v1/models/iris", "GET, HEAD"),
        ("PATCH", "/metrics", "GET, HEAD"),
        ("OPTIONS", V1, "POST"),
    ],
)
def test_wrong_method(connection: http.client.HTTPConnection, method: str, path: str, allowed: str) -> None:
    status, headers, _ = send(connection, method, path, None)
    assert (status, headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("given", ["0", "-1", "abc", "1.5", "99999999999999", "", "१२३", "000000000001" + "9" * 5000])
def test_bad_deadline(connection: http.client.HTTPConnection, given: str) -> None:
    status, _, content = send(connection, "POST", V1, GOOD_V1, {**JSON, "x-request-timeout-ms": given.encode()})
    assert status == 400
    assert "x-request-timeout-ms" in content["error"]


def test_a_declared_body_over_the_limit_is_refused_before_it_is_sent(server: LiveServer) -> None:
    head = f"POST {V1} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=60) as raw:
        raw.sendall(head.encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_over_the_limit_is_refused_before_it_ends(server: LiveServer) -> None:
    head = f"POST {V1} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=60) as raw:
        raw.sendall(head.encode())
        for _ in range(5):
            raw.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_body_over_the_limit_leaves_the_connection_usable(connection: http.client.HTTPConnection) -> None:
    refused(connection, V1, b" " * (4 * 2**20 + 1), 413, "at most 4194304 bytes are allowed")


def test_row_and_text_limits(connection: http.client.HTTPConnection) -> None:
    refused(connection, V1, json.dumps({"instances": [[1, 2, 3, 4]] * 10_001}), 413, "at most 10000 are allowed")
    refused(connection, V2, tensor(shape=[10_001, 4], data=[1.0] * 40_004), 413, "at most 10000 are allowed")
    text = "a" * 10_001
    refused(
        connection, "/v1/models/intent:predict", json.dumps({"instances": [text]}), 413, "at most 10000 are allowed"
    )
    entry = {"name": "x", "datatype": "BYTES", "shape": [1], "data": [text]}
    refused(connection, "/v2/models/intent/infer", json.dumps({"inputs": [entry]}), 413, "at most 10000 are allowed")


def test_the_repository_is_off(connection: http.client.HTTPConnection) -> None:
    for path in ("/v2/repository/models/iris/unload", "/v2/repository/models/iris/load", "/v2/repository/index"):
        status, _, content = send(connection, "POST", path, None)
        assert status == 404
        assert "--enable_repository" in content["error"]


def exchange(server: LiveServer, *parts: bytes) -> bytes:
    """Send raw bytes; give back all that comes until the server closes, or what a keep-alive connection has given."""
    received = b""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=60) as raw:
        for part in parts:
            raw.sendall(part)
            received += raw.recv(65536)
        while chunk := raw.recv(65536):
            received += chunk
    return received


def test_a_body_that_stops_coming_ends_at_the_deadline_with_the_connection(server: LiveServer) -> None:
    head = f"POST {V1} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n"
    received = exchange(server, head.encode() + b"x-request-timeout-ms: 100\r\n\r\n{")
    assert received.startswith(b"HTTP/1.1 504 ")
    assert b"connection: close" in received


def test_an_early_refusal_of_a_body_that_waits_for_leave_ends_the_connection(server: LiveServer) -> None:
    head = f"POST {V1} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 50\r\nexpect: 100-continue\r\n\r\n"
    received = exchange(server, head.encode())
    assert received.startswith(b"HTTP/1.1 415 ")
    assert b"connection: close" in received


def test_leave_to_send_is_given(server: LiveServer) -> None:
    head = f"POST {V1} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {len(GOOD_V1)}\r\n"
    received = exchange(server, head.encode() + b"expect: 100-continue\r\n\r\n", GOOD_V1)
    assert received.startswith(b"HTTP/1.1 100 ")
    assert b"HTTP/1.1 200 " in received


@pytest.mark.parametrize("body_apart", [False, True])
def test_an_offer_to_upgrade_is_declined_and_the_body_read(server: LiveServer, body_apart: bool) -> None:
    head = (
        f"POST {V1} HTTP/1.1\r\nhost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        f"content-type: application/json\r\ncontent-length: {len(GOOD_V1)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=60) as raw:
        if body_apart:
            raw.sendall(head)
            raw.sendall(GOOD_V1)
        else:
            raw.sendall(head + GOOD_V1)
        assert raw.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"FOO / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        f"POST {V1} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".encode(),
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /v2/health/live HTTP/1.1\r\nhost: a b\r\n\r\n",
        b"GET * HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_in_the_same_shape(server: LiveServer, raw: bytes) -> None:
    received = exchange(server, raw)
    head, _, _ = received.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))
    assert b"content-type: application/json" in head
    assert b"x-request-id: " in head


def test_a_head_over_the_limit_is_refused(server: LiveServer) -> None:
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=60) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nx-long: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                raw.sendall(b"a" * 65536)
        received = b""
        with contextlib.suppress(ConnectionError):
            received = raw.recv(4096)
        assert received == b"" or received.startswith(b"HTTP/1.1 431 ")
    assert httpx.get(server.url + "/v2/health/live").is_success
    assert any(line.get("status") == "431" for line in server.lines)


def test_a_client_that_leaves_mid_body_is_logged_and_harms_nobody(server: LiveServer) -> None:
    head = f"POST {V1} HTTP/1.1\r\nhost: x\r\nx-request-id: left-early\r\ncontent-type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=60) as raw:
        raw.sendall(head.encode() + b"content-length: 50\r\n\r\n{")
    assert server.access_line("left-early")["status"] == "499"
    assert httpx.post(server.url + V1, content=GOOD_V1, headers=JSON).is_success
