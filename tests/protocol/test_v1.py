import httpx
import numpy as np
import pytest

from tests.live import JSON, LiveServer

FLOWER = [5.1, 3.5, 1.4, 0.2]
FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def test_iris(http: httpx.Client) -> None:
    answer = http.post("/v1/models/iris:predict", json={"instances": [FLOWER, [6.3, 3.3, 6.0, 2.5]]})
    assert answer.status_code == 200
    body = answer.json()
    assert body["predictions"] == [0, 2]
    assert body["labels"] == ["setosa", "virginica"]
    assert body["model_version"] == answer.headers["x-model-version"] == "1"
    np.testing.assert_allclose(np.sum(body["probabilities"], axis=1), 1)
    assert set(body) == {"predictions", "labels", "probabilities", "model_version"}


def test_iris_takes_objects_and_lists_alike(http: httpx.Client) -> None:
    as_object = dict(zip(FEATURES, FLOWER, strict=True))
    reversed_object = dict(reversed(as_object.items()))
    body = http.post("/v1/models/iris:predict", json={"instances": [FLOWER, as_object, reversed_object]}).json()
    assert body["probabilities"][0] == body["probabilities"][1] == body["probabilities"][2]


def test_intent(http: httpx.Client) -> None:
    texts = ["good morning everybody", {"text": "where is my parcel"}, "the app crashes all the time", "asdf"]
    body = http.post("/v1/models/intent:predict", json={"instances": texts}).json()
    assert body["predictions"] == ["greeting", "question", "complaint", "unknown"]
    assert np.shape(body["probabilities"]) == (4, 4)
    assert set(body) == {"predictions", "probabilities", "model_version"}


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", 'Application/Json;Charset="UTF-8"'],
)
def test_content_types_of_json(http: httpx.Client, content_type: str) -> None:
    body = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
    assert http.post("/v1/models/iris:predict", content=body, headers={"content-type": content_type}).is_success


def test_a_text_may_quote_the_field_name(http: httpx.Client) -> None:
    text = 'why is "instances" twice in "instances" \\u0069'
    assert http.post("/v1/models/intent:predict", json={"instances": [text]}).is_success


def test_a_large_batch_equals_its_rows(http: httpx.Client) -> None:
    rows = np.random.default_rng(0).uniform(0, 8, size=(3000, 4)).round(2).tolist()
    batch = http.post("/v1/models/iris:predict", json={"instances": rows}).json()
    for i in (0, 1023, 1024, 2999):
        one = http.post("/v1/models/iris:predict", json={"instances": [rows[i]]}).json()
        assert one["probabilities"][0] == batch["probabilities"][i]


def test_list_and_status(http: httpx.Client) -> None:
    assert http.get("/v1/models").json() == {"models": ["iris", "intent"]}
    assert http.get("/v1/models/iris").json() == {"name": "iris", "ready": True}
    assert http.get("/v1/models/nope").status_code == 404
    assert http.get("/").json() == {"status": "alive"}


def test_request_id_is_given_back_if_it_is_sane(http: httpx.Client) -> None:
    given = http.get("/v1/models", headers={"x-request-id": "abc-123"})
    assert given.headers["x-request-id"] == "abc-123"
    odd = http.get("/v1/models", headers={"x-request-id": "a b\tc" + "x" * 500})
    assert len(odd.headers["x-request-id"]) == 32
    assert odd.headers["x-request-id"] != http.get("/v1/models").headers["x-request-id"]


def test_metrics_and_log_see_a_request_once(server: LiveServer, http: httpx.Client) -> None:
    def counted(code: str) -> float:
        prefix = f'model_requests_total{{code="{code}",limit="",model_name="iris",model_version="1",protocol="v1"}} '
        lines = http.get("/metrics").text.splitlines()
        return next((float(line.removeprefix(prefix)) for line in lines if line.startswith(prefix)), 0.0)

    good, bad = counted("200"), counted("400")
    secret = 4.4444
    body = {"instances": [[5.1, 3.5, 1.4, secret]]}
    assert http.post("/v1/models/iris:predict", json=body, headers={"x-request-id": "once"}).is_success
    assert http.post("/v1/models/iris:predict", json={"instances": [[secret]]}).status_code == 400
    assert (counted("200"), counted("400")) == (good + 1, bad + 1)
    line = server.access_line("once")
    assert line["status"] == "200"
    assert (line["model"], line["version"], line["protocol"]) == ("iris", "1", "v1")
    assert line["bytes_in"] > 0
    assert line["bytes_out"] > 0
    assert line["ms"] > 0
    assert sum(entry.get("id") == "once" for entry in server.lines) == 1
    assert str(secret) not in "".join(server.raw)


def test_every_metric_of_the_design_is_exported(http: httpx.Client) -> None:
    http.post("/v1/models/iris:predict", json={"instances": [FLOWER]})
    text = http.get("/metrics").text
    for name in (
        "model_requests_total", "model_request_latency_seconds_bucket", "model_requests_in_flight", "model_queue_depth",
        "model_load_time_seconds", "model_artifact_info", "prediction_confidence_bucket", "predictions_total", "summarizer_tokens_total",
        "summarizer_time_to_first_token_seconds_bucket", "summarizer_tokens_per_second_bucket", "summarizer_points_total",
        "summarizer_summaries_total", "summarizer_summary_points_bucket", "request_predict_seconds_bucket", "process_resident_memory_bytes",
    ):  # fmt: skip
        assert f"\n# TYPE {name.removesuffix('_bucket')} " in text, name
    assert 'evaluated="true",model_name="iris",model_version="1"} 1.0\n' in text


def test_head_answers_like_get_without_a_body(http: httpx.Client) -> None:
    answer = http.head("/v1/models")
    assert (answer.status_code, answer.content) == (200, b"")
    assert http.post("/v1/models/iris:predict", content=b'{"instances": [[1,2,3,4]]}', headers=JSON).is_success
