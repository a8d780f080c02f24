import json
from datetime import UTC, datetime

import httpx
import pytest

from tests.live import JSON, LiveServer, serve

FLOWERS: dict[tuple[float, ...], int] = {(5.1, 3.5, 1.4, 0.2): 0, (5.9, 3.0, 4.2, 1.5): 1, (6.3, 2.5, 5.0, 1.9): 2}
SPECIES = ("setosa", "versicolor", "virginica")


@pytest.mark.parametrize("version", [{}, {"model_version": "latest"}, {"model_version": "1"}])
@pytest.mark.parametrize("flower", FLOWERS)
def test_iris(http: httpx.Client, flower: tuple[float, ...], version: dict[str, str]) -> None:
    answer = http.post("/predict", json={"features": flower, **version})
    body = answer.json()
    assert set(body) == {"request_id", "prediction", "label", "confidence", "model_version", "latency_ms"}
    assert (body["prediction"], body["label"]) == (FLOWERS[flower], SPECIES[FLOWERS[flower]])
    assert body["model_version"] == "1"
    assert 0.5 <= body["confidence"] <= 1
    assert body["latency_ms"] > 0
    assert body["request_id"] == answer.headers["x-request-id"]


def test_intent(http: httpx.Client) -> None:
    body = http.post("/predict", json={"text": "where is my parcel"}, headers={"x-request-id": "mine"}).json()
    assert (body["prediction"], body["request_id"]) == ("question", "mine")
    assert "label" not in body
    assert http.post("/predict", json={"text": "asdf"}).json()["prediction"] == "unknown"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", {"text": "hi", "model_version": "2"}),
        ("/predict", {"features": [1, 2, 3, 4], "model_version": "LATEST"}),
        ("/inference", {"model_type": "iris", "data": {"features": [1, 2, 3, 4]}, "model_version": "0"}),
        ("/inference", {"model_type": "iris", "data": {"text": "hi"}}),
        ("/inference", {"model_type": "cat", "data": {"text": "hi"}}),
    ],
)
def test_what_is_not_served_is_404(http: httpx.Client, path: str, body: object) -> None:
    answer = http.post(path, json=body)
    assert answer.status_code == 404
    assert "version" in answer.json()["error"] or "is served here" in answer.json()["error"]


def test_inference(http: httpx.Client) -> None:
    for flower, species in FLOWERS.items():
        body = http.post("/inference", json={"model_type": "iris", "data": {"features": flower}}).json()
        assert (body["prediction"], body["label"], body["model_version"]) == (species, SPECIES[species], "1")
    asked = {"model_type": "intent", "data": {"text": "where is my parcel"}, "model_version": "latest"}
    bearer = {"authorization": "Bearer a-token-that-nobody-asks-for"}
    assert http.post("/inference", json=asked, headers=bearer).json()["prediction"] == "question"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, '"model_type" is null'),
        ({"model_type": 5, "data": {}}, '"model_type" is a number'),
        ({"model_type": "iris"}, '"data" is null'),
        ({"model_type": "iris", "data": [1, 2, 3, 4]}, '"data" is a list'),
        ({"model_type": "iris", "data": {}}, 'exactly one of the fields "data.features"'),
        ({"model_type": "iris", "data": {"features": [1, 2, 3]}}, "data.features has 3 elements"),
        ({"model_type": "intent", "data": {"text": " "}}, "data.text is blank"),
        ({"model_type": "intent", "data": {"text": "hi"}, "model_version": 1}, '"model_version" is a number'),
    ],
)
def test_missing_or_wrong_field_of_inference(http: httpx.Client, body: object, says: str) -> None:
    answer = http.post("/inference", json=body)
    assert answer.status_code == 422
    assert says in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "exactly one of the fields"),
        ({"features": [1, 2, 3, 4], "text": "a"}, "exactly one of the fields"),
        ({"features": [1, 2, 3]}, "features has 3 elements; 4 are expected"),
        ({"features": [1, 2, 3, "4"]}, "features[3] (petal_width) is a string"),
        ({"features": "a"}, "features is a string"),
        ({"features": None}, "features is null"),
        ({"text": 5}, "text is a number"),
        ({"text": "  "}, "text is blank"),
        ({"text": ["a"]}, "text is a list"),
        ({"text": "a", "model_version": ""}, '"model_version" is empty'),
        ({"text": "a", "model_version": None}, '"model_version" is null'),
    ],
)
def test_missing_or_wrong_field(http: httpx.Client, body: object, says: str) -> None:
    answer = http.post("/predict", json=body)
    assert answer.status_code == 422
    assert says in answer.json()["error"]


def test_broken_json_is_400_and_a_long_text_413(http: httpx.Client) -> None:
    assert http.post("/predict", content=b"{", headers=JSON).status_code == 400
    assert http.post("/predict", content=b'{"text": "a", "text": "b"}', headers=JSON).status_code == 400
    assert http.post("/predict", json={"text": "a" * 10_001}).status_code == 413


def test_health_ready_and_models(http: httpx.Client) -> None:
    before = datetime.now(UTC)
    health = http.get("/health").json()
    assert set(health) == {"status", "timestamp"}
    assert health["status"] == "healthy"
    assert before <= datetime.fromisoformat(health["timestamp"]) <= datetime.now(UTC)
    assert http.get("/ready").json() == {"status": "ready"}
    models = http.get("/models").json()["models"]
    assert list(models) == ["iris", "intent"]
    described = {"version": "1", "kind": "iris", "format": "npz", "loaded": True, "ready": True, "reason": ""}
    assert models["iris"] == described


def test_a_classifier_that_is_not_served_is_404(artifacts: object) -> None:
    with serve("iris") as live:
        live.wait_ready()
        answer = httpx.post(live.url + "/predict", json={"text": "hello"})
        assert answer.status_code == 404
        assert '"text"' in answer.json()["error"]


def test_cors_is_off_unless_origins_are_named(server: LiveServer, artifacts: object) -> None:
    origin = {"origin": "https://shop.example"}
    assert "access-control-allow-origin" not in httpx.get(server.url + "/models", headers=origin).headers
    with serve("iris", "--cors_origins", "https://shop.example, https://b.example") as live:
        live.wait_ready()
        allowed = httpx.get(live.url + "/models", headers=origin).headers
        assert allowed["access-control-allow-origin"] == "https://shop.example"
        other = httpx.get(live.url + "/models", headers={"origin": "https://evil.example"}).headers
        assert "access-control-allow-origin" not in other
        asks = {**origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        preflight = httpx.options(live.url + "/predict", headers=asks)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
        answer = httpx.post(
            live.url + "/predict", content=json.dumps({"features": [1, 2, 3, 4]}), headers={**JSON, **origin}
        )
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
