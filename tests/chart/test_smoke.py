"""What `helm test` sends: the very command of its pods, against servers on this machine."""

import subprocess
import sys

import pytest

from tests.chart.chart import Chart
from tests.live import LiveServer


def send(chart: Chart, model: str, server: LiveServer) -> subprocess.CompletedProcess[str]:
    """Run what a model's test pod runs, with a server's address in place of the service's."""
    [container] = chart.render("quickstart").of("Pod")[f"{model}-test"]["spec"]["containers"]
    assert container["command"] == ["python", "-c"]
    script, *arguments, host = container["args"]
    assert host == f"{model}-predictor.models.svc"
    address = server.url.removeprefix("http://")
    return subprocess.run([sys.executable, "-c", script, *arguments, address], capture_output=True, text=True)


@pytest.mark.parametrize("model", ["iris", "intent"])
def test_a_server_passes(chart: Chart, server: LiveServer, model: str) -> None:
    result = send(chart, model, server)
    assert result.returncode == 0, result.stderr
    v1, v2 = result.stdout.splitlines()
    assert f"/v1/models/{model}:predict: [" in v1
    assert f"/v2/models/{model}/infer: [" in v2


@pytest.mark.llama
def test_the_summarizer_passes(chart: Chart, summarizer: LiveServer) -> None:
    result = send(chart, "summarizer", summarizer)
    assert result.returncode == 0, result.stderr


def test_a_server_without_the_model_fails(chart: Chart, server: LiveServer) -> None:
    result = send(chart, "summarizer", server)
    assert result.returncode == 1
    assert "/v1/models/summarizer:predict: 404" in result.stderr


def test_each_variant_is_asked(chart: Chart) -> None:
    [container] = chart.render("canary").one("Pod")["spec"]["containers"]
    assert container["args"][-2:] == ["iris-predictor.models.svc", "iris-v2-predictor.models.svc"]


def test_a_model_is_asked_by_its_name(chart: Chart) -> None:
    [container] = chart.render("all-options").of("Pod")["flowers-test"]["spec"]["containers"]
    assert container["args"][1] == "iris-v4"
