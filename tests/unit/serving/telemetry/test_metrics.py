"""What a server exports of the artifacts that it serves, and of the requests that limits refuse."""

from prometheus_client import CollectorRegistry

from predictors.serving.access.limits import Standing
from predictors.serving.errors import RateLimited
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.metrics import Metrics


def test_an_artifact_that_is_loaded_again_takes_the_place_of_the_one_before() -> None:
    metrics = Metrics(CollectorRegistry())
    for digest, evaluated in (("sha256:a", True), ("sha256:b", False)):
        metrics.identify("iris", "1", digest, evaluated=evaluated)
    metrics.identify("iris", "2", "sha256:c", evaluated=True)
    series = [line for line in metrics.exposition().decode().split("\n") if line.startswith("model_artifact_info{")]
    assert series == [
        'model_artifact_info{digest="sha256:b",evaluated="false",model_name="iris",model_version="1"} 1.0',
        'model_artifact_info{digest="sha256:c",evaluated="true",model_name="iris",model_version="2"} 1.0',
    ]


def finished(code: str, limit: str = "", protocol: str = "v2") -> Call:
    call = Call("id", "/", protocol)
    call.model, call.version, call.code = "iris", "1", code
    call.standing = Standing(refusal=RateLimited("too many", 1, limit) if limit else None)
    return call


def test_what_a_limit_refused_is_told_from_overload_and_is_no_latency() -> None:
    metrics = Metrics(CollectorRegistry())
    for call in (finished("429"), finished("429", "client"), finished("429", "client"), finished("499", "tokens")):
        metrics.count_request(call)
    metrics.count_request(finished("429", "client", protocol=""))  # a question for metadata, say
    named = {"model_name": "iris", "model_version": "1", "protocol": "v2"}
    counted = {
        (code, limit): metrics.registry.get_sample_value(
            "model_requests_total", {**named, "code": code, "limit": limit}
        )
        for code, limit in (("429", ""), ("429", "client"), ("499", "tokens"))
    }
    assert counted == {("429", ""): 1, ("429", "client"): 2, ("499", "tokens"): 1}
    assert metrics.registry.get_sample_value("model_request_latency_seconds_count", named) == 1
    metrics.forget("iris", "1")
    assert "model_requests_total{" not in metrics.exposition().decode()
