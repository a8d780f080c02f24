import json

import httpx
import pytest

from tests.live import JSON, LiveServer, serve


def test_iris(http: httpx.Client) -> None:
    answer = http.post("/predict", json={"features": [5.1, 3.5, 1.4, 0.2]})
    body = answer.json()
    assert set(body) == {"request_id", "prediction", "confidence", "model_version", "latency_ms"}
    assert (body["prediction"], body["model_version"]) == ("setosa", "1")
    assert 0.9 <= body["confidence"] <= 1
    assert body["latency_ms"] > 0
    assert body["request_id"] == answer.headers["x-request-id"]


def test_intent(http: httpx.Client) -> None:
    body = http.post("/predict", json={"text": "where is my parcel"}, headers={"x-request-id": "mine"}).json()
    assert (body["prediction"], body["request_id"]) == ("question", "mine")
    assert http.post("/predict", json={"text": "asdf"}).json()["prediction"] == "unknown"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "exactly one of the fields"),
        ({"features": [1, 2, 3, 4], "text": "a"}, "exactly one of the fields"),
        ({"features": [1, 2, 3]}, "features has 3 elements; 4 are expected"),
        ({"features": [1, 2, 3, "4"]}, "features[3] is a string"),
        ({"features": "a"}, "features is a string"),
        ({"features": None}, "features is null"),
        ({"text": 5}, "text is a number"),
        ({"text": "  "}, "text is blank"),
        ({"text": ["a"]}, "text is a list"),
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
    assert http.get("/health").json() == {"status": "ok"}
    assert http.get("/ready").json() == {"ready": True, "models": {"iris": "ready", "intent": "ready"}}
    models = http.get("/models").json()["models"]
    assert models[0] == {"name": "iris", "kind": "iris", "version": "1", "format": "npz", "loaded": True, "reason": ""}
    assert [model["name"] for model in models] == ["iris", "intent"]


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
