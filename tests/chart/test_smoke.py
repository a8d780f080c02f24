"""What `helm test` sends: the very command of its pods, against servers on this machine."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.chart.chart import Chart, Values
from tests.live import LiveServer, serve
from tests.unit.sklearn.conftest import pack, write
from tests.unit.sklearn.users import USERS


def send(chart: Chart, model: str, url: str, values: Values | str = "quickstart") -> subprocess.CompletedProcess[str]:
    """Run what a model's test pod runs, with the address of a URL in place of the service's."""
    [container] = chart.render(values).of("Pod")[f"{model}-test"]["spec"]["containers"]
    assert container["command"] == ["python", "-c"]
    script, *arguments, host = container["args"]
    assert host == f"{model}-predictor.models.svc"
    address = url.removeprefix("http://")
    return subprocess.run([sys.executable, "-c", script, *arguments, address], capture_output=True, text=True)


@pytest.mark.parametrize("model", ["iris", "intent"])
def test_a_server_passes(chart: Chart, server: LiveServer, model: str) -> None:
    result = send(chart, model, server.url)
    assert result.returncode == 0, result.stderr
    v1, v2 = result.stdout.splitlines()
    assert f"/v1/models/{model}:predict: [" in v1
    assert f"/v2/models/{model}/infer: [" in v2


@pytest.mark.parametrize("name", ["columns of a data frame", "logistic regression", "binary sentiment"])
def test_any_scikit_learn_model_passes(name: str, chart: Chart, tmp_path: Path) -> None:
    write(pack(USERS[name]().model), tmp_path)
    with serve("sklearn", "--model_dir", str(tmp_path), "--model_name", "mine") as live:
        values: Values = {"models": {"mine": {"kind": "sklearn", "storageUri": "pvc://models/1"}}}
        result = send(chart, "mine", live.wait_ready().url, values)
    assert result.returncode == 0, result.stderr
    v1, v2 = result.stdout.splitlines()
    assert "/v1/models/mine:predict: [" in v1
    assert "/v2/models/mine/infer: [" in v2


def test_a_model_that_knows_no_such_category_still_answers(chart: Chart, tmp_path: Path) -> None:
    """Nobody told the test which ones it knows."""
    frame = pd.DataFrame({"city": ["Bonn", "Jena", "Bonn", "Ulm"]})
    model = make_pipeline(ColumnTransformer([("city", OneHotEncoder(), ["city"])]), LogisticRegression())
    write(pack(model.fit(frame, [0, 1, 0, 1])), tmp_path)
    with serve("sklearn", "--model_dir", str(tmp_path), "--model_name", "mine") as live:
        values: Values = {"models": {"mine": {"kind": "sklearn", "storageUri": "pvc://models/1"}}}
        result = send(chart, "mine", live.wait_ready().url, values)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("the model does not know a category of the input") == 2


@pytest.mark.llama
def test_the_summarizer_passes(chart: Chart, summarizer: LiveServer) -> None:
    result = send(chart, "summarizer", summarizer.url)
    assert result.returncode == 0, result.stderr


def test_a_server_without_the_model_fails(chart: Chart, server: LiveServer) -> None:
    result = send(chart, "summarizer", server.url)
    assert result.returncode == 1
    assert "/v1/models/summarizer:predict: 404" in result.stderr


@pytest.fixture
def garbled() -> Iterator[str]:
    """The URL of a server whose first answer is not HTTP, as from a proxy that is still starting."""
    answers = [b"nonsense\r\n\r\n"]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            good = b'HTTP/1.0 200 OK\r\n\r\n{"predictions": [1], "outputs": [1]}'
            self.wfile.write(answers.pop() if answers else good)

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
    assert not answers


def test_an_answer_that_is_not_http_is_asked_for_again(chart: Chart, garbled: str) -> None:
    result = send(chart, "iris", garbled)
    assert result.returncode == 0, result.stderr


def test_each_variant_is_asked(chart: Chart) -> None:
    [container] = chart.render("canary").one("Pod")["spec"]["containers"]
    assert container["args"][-2:] == ["iris-predictor.models.svc", "iris-v2-predictor.models.svc"]


def test_a_model_is_asked_by_its_name(chart: Chart) -> None:
    [container] = chart.render("all-options").of("Pod")["flowers-test"]["spec"]["containers"]
    assert container["args"][1] == "iris-v4"
