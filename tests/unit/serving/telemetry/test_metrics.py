"""What a server exports of the artifacts that it serves."""

from prometheus_client import CollectorRegistry

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
