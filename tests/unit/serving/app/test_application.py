"""The complete application, called in process: responses, access log and metrics."""

import asyncio
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from tests.unit.serving.app.harness import PATH, Serving, run
from tests.unit.serving.dispatch.test_registry import entered

TENSOR = {"name": "x", "datatype": "BYTES", "shape": [1], "data": ["a"]}
V2 = "/v2/models/paced/infer"


@pytest.fixture
def serving() -> Iterator[Serving]:
    with Serving() as running:
        yield running


def test_v1(serving: Serving) -> None:
    answer = serving.ask("POST", PATH, json={"instances": ["a", "b"]})
    assert (answer.status_code, answer.json()) == (200, {"predictions": ["a", "b"], "model_version": "1"})
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["x-model-version"] == "1"
    assert "x-cache" not in answer.headers


def test_v2(serving: Serving) -> None:
    answer = serving.ask("POST", V2, json={"inputs": [TENSOR], "id": "7"})
    assert (answer.status_code, answer.json()["id"], answer.json()["outputs"][0]["data"]) == (200, "7", ["a"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/v1/models", 200),
        ("GET", "/v1/models/paced", 200),
        ("GET", "/v2", 200),
        ("GET", "/v2/models", 200),
        ("GET", "/v2/models/paced", 200),
        ("GET", "/v2/models/paced/versions/1", 200),
        ("GET", "/v2/models/paced/ready", 200),
        ("GET", "/v2/health/live", 200),
        ("GET", "/v2/health/ready", 200),
        ("GET", "/health", 200),
        ("GET", "/ready", 200),
        ("GET", "/models", 200),
        ("GET", "/metrics", 200),
        ("GET", "/openapi.json", 200),
        ("HEAD", "/v2/health/live", 200),
        ("GET", "/v2/models/paced/versions/2", 404),
        ("GET", "/v1/models/other", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/openai/v1/models", 404),
        ("POST", "/v2/repository/index", 404),
        ("POST", "/v2/health/live", 405),
        ("GET", PATH, 405),
        ("OPTIONS", PATH, 405),
    ],
)
def test_routes(serving: Serving, method: str, path: str, status: int) -> None:
    answer = serving.ask(method, path)
    assert answer.status_code == status
    assert answer.headers["x-request-id"]
    assert answer.headers.get("allow") == ({PATH: "POST"}.get(path, "GET, HEAD") if status == 405 else None)
    assert serving.counted() == {}


def test_an_answer_from_the_cache_says_so() -> None:
    with Serving(cache="all") as serving:
        seen = [serving.ask("POST", PATH, json={"instances": ["a"]}).headers["x-cache"] for _ in range(2)]
    assert seen == ["miss", "hit"]
    assert len(serving.predictor.jobs) == 1


@pytest.mark.parametrize("given", ["abc", "A.b_c:d/e+f=@-1", "x" * 128])
def test_the_callers_id_is_kept(serving: Serving, given: str) -> None:
    answer = serving.ask("POST", PATH, json={"instances": ["a"]}, headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == given
    assert [line["id"] for line in serving.lines] == [given]


@pytest.mark.parametrize("given", ["", "a b", 'a"b', "x" * 129, "ü".encode()])
def test_an_id_that_is_not_safe_to_log_is_replaced(serving: Serving, given: str | bytes) -> None:
    answer = serving.ask("POST", PATH, json={"instances": ["a"]}, headers={b"x-request-id": given})
    chosen = answer.headers["x-request-id"]
    assert len(chosen) == 32
    assert int(chosen, 16)
    assert [line["id"] for line in serving.lines] == [chosen]


def test_each_request_has_an_id_of_its_own(serving: Serving) -> None:
    chosen = {serving.ask("GET", "/v2/health/live").headers["x-request-id"] for _ in range(300)}
    assert len(chosen) == 300


def test_a_request_is_logged_and_counted_once(serving: Serving) -> None:
    answer = serving.ask("POST", PATH, content=b'{"instances": ["a"]}', headers={"content-type": "application/json"})
    (line,) = serving.lines
    milliseconds = line.pop("ms")
    assert 0 <= milliseconds < 60_000
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "access",
        "id": answer.headers["x-request-id"],
        "model": "paced",
        "version": "1",
        "protocol": "v1",
        "path": PATH,
        "status": "200",
        "bytes_in": 20,
        "bytes_out": len(answer.content),
    }
    assert serving.counted() == {("paced", "1", "v1", "200"): 1}
    labels = {"model_name": "paced", "model_version": "1", "protocol": "v1"}
    assert serving.value("model_request_latency_seconds_count", **labels) == 1


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("path", "content", "headers", "status", "model"),
    [
        (PATH, b"{", JSON, 400, "paced"),
        (PATH, b'{"instances": ["refuse"]}', JSON, 400, "paced"),
        (PATH, b'{"instances": ["a"]}', {}, 415, "paced"),
        (PATH, b'{"instances": ["too long a text"]}', JSON, 413, "paced"),
        (PATH, b'{"instances": ["fail"]}', JSON, 500, "paced"),
        (PATH, b'{"instances": ["a"]}', {**JSON, "x-request-timeout-ms": "0"}, 400, ""),
        (V2, b"{", JSON, 400, "paced"),
        ("/v1/models/other:predict", b"{}", JSON, 404, ""),
        ("/predict", b"{}", JSON, 422, ""),
    ],
)
def test_a_request_that_fails_is_logged_and_counted_once(
    serving: Serving, path: str, content: bytes, headers: dict[str, str], status: int, model: str
) -> None:
    answer = serving.ask("POST", path, content=content, headers=headers)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    (line,) = serving.lines
    assert (line["status"], line["model"]) == (str(status), model)
    ((counted, times),) = serving.counted().items()
    assert (counted[0], counted[3], times) == (model, str(status), 1)


def test_probes_are_logged_only_when_their_status_is_unexpected(serving: Serving) -> None:
    for path in ("/", "/health", "/ready", "/v2/health/live", "/v2/health/ready", "/v1/models/paced", "/metrics"):
        assert serving.ask("GET", path).status_code == 200
    serving.registry.draining = True
    assert serving.ask("GET", "/v2/health/ready").status_code == 503
    assert serving.lines == []
    assert serving.ask("GET", "/v1/models/other").status_code == 404
    assert serving.ask("GET", "/v2/models").status_code == 200
    assert [line["status"] for line in serving.lines] == ["404", "200"]


def test_a_full_queue_refuses_requests_of_every_protocol(serving: Serving) -> None:
    async def scenario() -> list[httpx.Response]:
        async with serving.client() as client:
            ask = partial(client.post, PATH, json={"instances": ["wait"]})
            taken = [asyncio.create_task(ask()) for _ in range(serving.predictor.max_queue)]
            await entered(serving.predictor)
            refused = [await ask(), await client.post(V2, json={"inputs": [TENSOR]})]
            serving.predictor.gate.set()
            assert [(await task).status_code for task in taken] == [200] * len(taken)
            return refused

    for answer in run(scenario()):
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert "3 requests" in answer.json()["error"]


def test_error_responses_have_cors_headers() -> None:
    with Serving(cors_origins="https://shop.example") as serving:
        for path, status in ((PATH, 415), ("/nowhere", 404)):
            answer = serving.ask("POST", path, headers={"origin": "https://shop.example"})
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        preflight = {"origin": "https://shop.example", "access-control-request-method": "POST"}
        assert serving.ask("OPTIONS", PATH, headers=preflight).status_code == 200
        assert [line["status"] for line in serving.lines] == ["415", "404", "200"]
