"""Drift as a server tells of it: near for the rows of the reference, far for others, anew after a load, and not at all."""

import random
import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sklearn.datasets import load_iris

from predictors.iris.model import IrisPredictor
from predictors.serving.drift.distance import MAJOR_PSI
from predictors.serving.drift.settings import DriftSettings
from predictors.serving.server import Server
from predictors.serving.settings import ServerSettings, Source
from tests.live import ARTIFACTS, PATIENCE_SECONDS, LiveServer, serve

FLOWERS = load_iris().data.tolist()


def numbers(http: httpx.Client, name: str) -> dict[tuple[str, str], float]:
    """A metric's values by side and feature, those of the index alone."""
    return {
        (sample.labels.get("side", ""), sample.labels.get("feature", "")): sample.value
        for family in text_string_to_metric_families(http.get("/metrics").text)
        for sample in family.samples
        if sample.name == name and sample.labels.get("statistic", "psi") == "psi"
    }


def send(http: httpx.Client, rows: list[list[float]], until_rows: float) -> None:
    """Send rows, 50 at a time, until so many are counted."""
    while numbers(http, "model_drift_rows")["", ""] < until_rows:
        for start in range(0, len(rows), 50):
            assert http.post("/v1/models/iris:predict", json={"instances": rows[start : start + 50]}).is_success
            time.sleep(0.1)  # longer than from one look to the next


def test_drift_of_a_server(artifacts: object) -> None:
    shuffled = random.Random(1).sample(FLOWERS, len(FLOWERS))
    with (
        serve("iris", "--enable_repository", "--cache", "all") as live,
        httpx.Client(base_url=live.wait_ready().url, timeout=PATIENCE_SECONDS) as http,
    ):
        assert numbers(http, "model_drift_rows") == {("", ""): 0}
        assert numbers(http, "model_drift") == {}
        send(http, shuffled, 600)  # the same requests several times, so that most answers are cached ones
        near = numbers(http, "model_drift")
        assert len(near) == 6
        assert max(near.values()) < MAJOR_PSI
        assert http.post("/v2/repository/models/iris/load").is_success
        assert numbers(http, "model_drift_rows") == {("", ""): 600}  # the reference is the same
        assert numbers(http, "model_drift") == near
        send(http, [[a, b, c + 3, d + 1] for a, b, c, d in shuffled], 2400)
        far = numbers(http, "model_drift")
        assert far["input", "petal_length"] > MAJOR_PSI
        assert far["output", "prediction"] > MAJOR_PSI
        assert far["input", "sepal_width"] < MAJOR_PSI


@pytest.mark.parametrize(("seconds", "watchers"), [(0.0, 0), (60.0, 1)])
def test_off_is_off(seconds: float, watchers: int) -> None:
    predictor = IrisPredictor("iris", Source(ARTIFACTS / "iris"))
    server = Server([predictor], ServerSettings(), True)
    server.watch_drift(DriftSettings(drift_window_seconds=seconds))
    assert len(server.registry.models["iris"].watchers) == watchers
    server.registry.close()


@pytest.mark.parametrize("text", ["what time do you open?", "zxqv wvut", "🙂", "a" * 9_000])
def test_texts_are_measured_without_harm(server: LiveServer, http: httpx.Client, text: str) -> None:
    assert http.post("/v1/models/intent:predict", json={"instances": [text] * 10}).is_success
    assert not [line for line in server.lines if line.get("level") == "error"]
