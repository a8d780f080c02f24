"""The Cloud Function beside the server: the same requests, the same answers."""

import concurrent.futures
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.functions import LiveFunction, serve_function, write_folder
from tests.live import JSON, ROOT, LiveServer, serve

ROW = [5.1, 3.5, 1.4, 0.2]
GOOD = json.dumps({"features": ROW}).encode()
OBJECTS: tuple[object, ...] = (
    {"features": ROW},
    {"features": [5.9, 3.0, 4.2, 1.5], "model_version": "latest"},
    {"features": [6.3, 2.5, 5.0, 1.9], "model_version": "1"},
    {"features": [1, 2, 3, 4], "model_version": "LATEST"},
    {"features": [1, 2, 3, 4], "model_version": "2"},
    {"features": [1, 2, 3, 4], "model_version": ""},
    {"features": [1, 2, 3, 4], "model_version": None},
    {"features": [1, 2, 3, 4], "model_version": 1},
    {"features": [1, 2, 3, 4], "unknown": "field"},
    {},
    {"features": [1, 2, 3, 4], "text": "a"},
    {"features": [1, 2, 3]},
    {"features": [1, 2, 3, "4"]},
    {"features": [1, 2, 3, None]},
    {"features": [1, 2, 3, True]},
    {"features": [1, 2, 3, 1e400]},
    {"features": [1e308, -1e308, 0, 1e-320]},
    {"features": [[1, 2, 3, 4]]},
    {"features": []},
    {"features": "a"},
    {"features": None},
    {"text": "where is my parcel"},
    {"text": 5},
    {"instances": [ROW]},
    [ROW],
    "features",
    None,
)
BODIES: tuple[bytes, ...] = (
    *(json.dumps(each).encode() for each in OBJECTS),
    b"",
    b"{",
    b'{"features": [1, 2, 3, NaN]}',
    b'{"features": [1, 2, 3, 4], "features": [1, 2, 3, 4]}',
    b'{"features": [1, 2, 3, 4], "f\\u0065atures": [1, 2, 3, 4]}',
    b'{"features": [1, 2, 3, 4], "x": "\xff"}',
    b"[" * 5000 + b"]" * 5000,
    json.dumps({"features": [0.5] * 100_000}).encode(),
    b'{"features": [1, 2, 3, 4], "x": "' + b"a" * 5 * 2**20 + b'"}',
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"content-type": "text/plain"},
    {"content-type": "Application/JSON; charset=UTF-8"},
    {"content-type": "application/json; charset=latin-1"},
    {**JSON, "content-encoding": "gzip"},
    {**JSON, "x-request-timeout-ms": "5000"},
    {**JSON, "x-request-timeout-ms": "0"},
    {**JSON, "x-request-timeout-ms": "soon"},
    {**JSON, "x-request-id": "not safe to echo"},
    {**JSON, "authorization": "Bearer a-token-that-nobody-asks-for"},
    {**JSON, "origin": "https://shop.example"},
)
REQUESTS: list[tuple[str, bytes, dict[str, str]]] = [
    *(("POST", body, JSON) for body in BODIES),
    *(("POST", GOOD, headers) for headers in HEADERS),
    *((method, b"", {}) for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")),
]


@pytest.fixture(scope="module")
def function(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveFunction]:
    with serve_function(write_folder(tmp_path_factory.mktemp("function"), artifacts / "iris")) as live:
        yield live


@pytest.fixture(scope="module")
def iris(artifacts: Path) -> Iterator[LiveServer]:
    with serve("iris") as live:
        yield live.wait_ready()


def seen(answer: httpx.Response) -> tuple[int, Any, dict[str, str]]:
    """What of an answer must be the same: all but the id of the request and how long it took."""
    body: Any = answer.content
    if answer.headers.get("content-type") == "application/json" and body:
        body = answer.json()
        if "latency_ms" in body:
            assert body["latency_ms"] > 0
            assert body["request_id"] == answer.headers["x-request-id"]
            body = {**body, "latency_ms": 0, "request_id": ""}
    ours = ("content-type", "allow", "x-model-version", "retry-after", "access-control-allow-origin")
    return answer.status_code, body, {name: answer.headers[name] for name in ours if name in answer.headers}


def test_many_at_once_wait_for_the_model_together(function: LiveFunction) -> None:
    """The first requests that it gets."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: httpx.post(function.url, content=GOOD, headers=JSON, timeout=60), range(16)))
    assert [(each.status_code, each.json()["label"]) for each in answers] == [(200, "setosa")] * 16
    assert function.log.read_text().count("is ready after") == 1


def test_the_answers_are_the_servers(iris: LiveServer, function: LiveFunction) -> None:
    with httpx.Client(base_url=iris.url, timeout=60) as there, httpx.Client(base_url=function.url, timeout=60) as here:
        statuses = set()
        for method, body, headers in REQUESTS:
            expected = seen(there.request(method, "/predict", content=body, headers=headers))
            found = seen(here.request(method, "/predict", content=body, headers=headers))
            assert found == expected, (method, body[:100], headers)
            statuses.add(expected[0])
    assert statuses == {200, 400, 404, 405, 413, 415, 422}


def test_nothing_else_is_there(function: LiveFunction) -> None:
    for path in ("/v1/models/iris:predict", "/metrics", "/predict/", "//predict"):
        assert httpx.post(function.url + path, content=GOOD, headers=JSON).status_code == 404


def test_a_damaged_model_is_not_served(artifacts: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, artifacts / "iris")
    (folder / "iris/model.npz").write_bytes(b"other")
    with serve_function(folder) as function:
        for _ in range(2):
            answer = httpx.post(function.url, content=GOOD, headers=JSON, timeout=60)
            assert answer.status_code == 503
            assert "model.npz" in answer.json()["error"]


@pytest.mark.slow
def test_the_folder_that_is_deployed_is_complete(artifacts: Path, tmp_path: Path) -> None:
    command = [str(ROOT / "scripts/function.sh"), sys.executable, str(artifacts / "iris"), str(tmp_path / "out")]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    folder = tmp_path / "out"
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert "functions-framework" in lines
    assert "--constraint constraints.txt" in lines
    [wheel] = [line for line in lines if line.startswith("./")]
    assert "predictors/serving/function.py" in zipfile.ZipFile(folder / wheel).namelist()
    assert (folder / "main.py").read_text() == (ROOT / "deploy/function/main.py").read_text()
    assert (folder / "iris/manifest.json").is_file()
    assert "functions-framework==" in (folder / "constraints.txt").read_text()
