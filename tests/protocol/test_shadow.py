"""Shadow traffic between two servers: copies, comparisons, and a file that comes and goes."""

import contextlib
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from predictors.serving.model.kserve_api import pb
from tests.live import JSON, PATIENCE_SECONDS, LiveServer, pb_grpc, serve, wait_for
from tests.waiting import until

FLOWER = [5.1, 3.5, 1.4, 0.2]
TEXT = "where is my parcel"
V2_FLOWER = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP64", "data": FLOWER}]}
COMPARISONS, CONFUSION = "shadow_comparisons_total", "shadow_confusion_total"


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """One client for all, since each reads the certificates of all authorities."""
    with httpx.Client(timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mounted" / "shadow.json"


def write(file: Path, url: str, *models: str) -> None:
    """Put a plan there, as kubelet does: at once."""
    file.parent.mkdir(exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"models": {name: {"url": url, "percent": 100} for name in models}}))
    new.rename(file)


def said(live: LiveServer, text: str) -> int:
    return sum(text in str(line.get("message")) for line in live.lines)


def start(live: LiveServer, file: Path, url: str, *models: str) -> None:
    """Have a server shadow some models."""
    before = said(live, "shadowing 100% of ")
    write(file, url, *models)
    wait_for(lambda: said(live, "shadowing 100% of ") > before, "the shadow")


def counts(http: httpx.Client, live: LiveServer, name: str) -> dict[tuple[str, ...], int]:
    """Values of a metric by its labels other than the model's version, in the order of their names."""
    text = http.get(live.url + "/metrics").text
    return {
        tuple(value for label, value in sorted(sample.labels.items()) if label != "model_version"): int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def outcome(http: httpx.Client, live: LiveServer, model: str, outcome: str) -> int:
    found = counts(http, live, COMPARISONS)
    return sum(value for labels, value in found.items() if labels[-2:] == (model, outcome))


def predict(
    http: httpx.Client, live: LiveServer, request_id: str = "", instance: Any = FLOWER, model: str = "iris"
) -> dict[str, Any]:
    headers = {"x-request-id": request_id} if request_id else {}
    answer = http.post(f"{live.url}/v1/models/{model}:predict", json={"instances": [instance]}, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def infer_by_grpc(live: LiveServer) -> None:
    tensor = pb.ModelInferRequest.InferInputTensor(
        name="x", datatype="FP64", shape=[1, 4], contents=pb.InferTensorContents(fp64_contents=FLOWER)
    )
    with grpc.insecure_channel(live.grpc_address) as channel:
        pb_grpc.GRPCInferenceServiceStub(channel).ModelInfer(pb.ModelInferRequest(model_name="iris", inputs=[tensor]))


def repeat(http: httpx.Client, ask: Any, live: LiveServer, model: str, wanted: str) -> None:
    """Ask until a comparison came to something: a copy may be dropped while the machine is busy."""
    before = outcome(http, live, model, wanted)

    def again() -> bool:
        ask()
        return outcome(http, live, model, wanted) > before

    until(again, f"one more {wanted}", PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def canary(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The same models; it would copy each request to a closed port."""
    path = tmp_path_factory.mktemp("canary") / "shadow.json"
    write(path, "http://127.0.0.1:1", "iris", "intent")
    with serve("iris", "intent", "--shadow_file", str(path)) as live:
        wait_for(lambda: said(live, "shadowing 100% of "), "the canary's own shadow")
        yield live.wait_ready()


def test_every_protocol_is_shadowed_while_the_file_says_so(http: httpx.Client, canary: LiveServer, file: Path) -> None:
    with serve("iris", "intent", "--shadow_file", str(file)) as live:
        live.wait_ready()
        predict(http, live)
        assert counts(http, live, COMPARISONS) == {}
        start(live, file, canary.url, "iris", "intent")
        repeat(http, lambda: predict(http, live, "by-v1"), live, "iris", "agree")
        repeat(http, lambda: predict(http, live, instance=TEXT, model="intent"), live, "intent", "agree")
        repeat(http, lambda: http.post(live.url + "/v2/models/iris/infer", json=V2_FLOWER), live, "iris", "agree")
        repeat(http, lambda: http.post(live.url + "/predict", json={"features": FLOWER}), live, "iris", "agree")
        repeat(http, lambda: infer_by_grpc(live), live, "iris", "agree")
        found = counts(http, live, COMPARISONS)
        assert {labels[0] for labels in found if labels[-1] == "agree"} == {"1"}
        assert not [labels for labels in found if labels[-1] in ("differ", "error")]
        assert set(counts(http, live, CONFUSION)) == {("setosa", "iris", "setosa"), ("question", "intent", "question")}
        # The copy is visible in the canary's log, and is not copied again.
        line = canary.access_line("shadow-by-v1")
        assert (line["protocol"], line["path"], line["status"]) == ("v2", "/v2/models/iris/infer", "200")
        assert counts(http, canary, COMPARISONS) == {}

        file.unlink()
        wait_for(lambda: said(live, "shadowing nothing"), "the end of the shadow")
        before = counts(http, live, COMPARISONS)
        for _ in range(20):
            predict(http, live)
        assert counts(http, live, COMPARISONS) == before
        assert live.terminate() == 0
        assert "Traceback" not in "".join(live.raw)


def permuted(artifacts: Path, directory: Path) -> Path:
    """The iris model, trained with its labels in another order."""
    shutil.copytree(artifacts / "iris", directory)
    manifest = json.loads((directory / "manifest.json").read_text())
    names = manifest["class_names"]
    manifest |= {"class_names": [*names[1:], names[0]], "golden": [], "version": "2"}
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return directory


def test_a_canary_with_other_labels_differs(http: httpx.Client, artifacts: Path, tmp_path: Path, file: Path) -> None:
    directory = permuted(artifacts, tmp_path / "permuted")
    with serve("iris", "--model_dir", str(directory)) as other, serve("iris", "--shadow_file", str(file)) as live:
        other.wait_ready()
        live.wait_ready()
        start(live, file, other.url, "iris")
        repeat(http, lambda: predict(http, live), live, "iris", "differ")
        assert predict(http, live)["labels"] == ["setosa"]
        assert ("2", "iris", "differ") in counts(http, live, COMPARISONS)
        assert set(counts(http, live, CONFUSION)) == {("versicolor", "iris", "setosa")}


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """The address of a canary that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_users_are_answered_and_the_server_ends_while_the_canary_hangs(
    http: httpx.Client, artifacts: Path, file: Path
) -> None:
    with silent() as url, serve("iris", "--shadow_file", str(file)) as live:
        live.wait_ready()
        start(live, file, url, "iris")
        for _ in range(300):
            assert predict(http, live)["labels"] == ["setosa"]
        assert outcome(http, live, "iris", "dropped") >= 1
        assert outcome(http, live, "iris", "agree") == 0
        assert live.terminate() == 0
        assert "Traceback" not in "".join(live.raw)


def test_a_wrong_file_is_said_once_and_harms_nobody(http: httpx.Client, canary: LiveServer, file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b'{"models": {"iris": {"url": "ftp://x", "percent": 10}}}')
    with serve("iris", "--shadow_file", str(file)) as live:
        live.wait_ready()
        wait_for(lambda: said(live, "models.iris.url"), "the reason")
        predict(http, live)
        assert counts(http, live, COMPARISONS) == {}
        start(live, file, canary.url, "iris")
        repeat(http, lambda: predict(http, live), live, "iris", "agree")
        assert said(live, "models.iris.url") == 1


def test_without_the_setting_there_is_no_such_metric(http: httpx.Client, server: LiveServer) -> None:
    headers = {**JSON, "x-predictors-shadow": "1"}
    body = json.dumps({"instances": [FLOWER]})
    assert http.post(server.url + "/v1/models/iris:predict", content=body, headers=headers).status_code == 200
    assert "shadow" not in http.get(server.url + "/metrics").text
