"""Forests and text classifiers of a user's own, by all protocols: names, datatypes and shapes are the model's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from predictors.intent.pack import package as package_texts
from predictors.iris.pack import package
from predictors.serving.model.kserve_api import pb
from predictors.serving.model.training import Names, write_artifact
from tests.live import LiveServer, pb_grpc, serve

TABLE = pd.DataFrame({"age": [20.0, 25.0, 60.0, 70.0] * 5, "km per year": [1.0, 2.0, 1.0, 2.0] * 5})
YOUNG, OLD = [22.0, 1.5], [65.0, 1.5]
LABELS = {"BYTES": ("high", "low"), "BOOL": (True, False), "INT64": (12, 7)}


@pytest.fixture(scope="module", params=sorted(LABELS))
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LiveServer, str]]:
    young, old = LABELS[request.param]
    model = RandomForestClassifier(9, random_state=0).fit(TABLE, np.array([young, young, old, old] * 5))
    directory = tmp_path_factory.mktemp("forest")
    write_artifact(directory, package(model, b""), "2")
    with serve("iris", "--model_dir", str(directory), "--model_name", "risk") as live:
        live.wait_ready()
        yield live, request.param


def test_v1_takes_objects_by_feature_name(served: tuple[LiveServer, str]) -> None:
    live, datatype = served
    young, old = LABELS[datatype]
    rows = [{"km per year": 1.5, "age": 22}, OLD]
    answer = httpx.post(f"{live.url}/v1/models/risk:predict", json={"instances": rows}).json()
    assert answer["predictions"] == [young, old]
    assert answer["labels"] == [str(young), str(old)]
    assert np.array(answer["probabilities"]).shape == (2, 2)


@pytest.mark.parametrize(
    ("instance", "says"),
    [
        ({"age": 22}, 'instances[0] lacks the field "km per year"'),
        ({"age": 22, "km per year": 1, "height": 2}, 'unknown field "height"; allowed are age, km per year'),
        ({"age": 22, "km per year": "far"}, "instances[0][1] (km per year) is a string; a number is expected"),
        ([22], "instances[0] has 1 elements; 2 are expected: age, km per year"),
        ([22, None], "instances[0][1] (km per year) is null; a number is expected"),
        ([22, 1e300], "instances[0][1] (km per year) is not a finite number"),
    ],
)
def test_errors_name_the_feature(served: tuple[LiveServer, str], instance: Any, says: str) -> None:
    answer = httpx.post(f"{served[0].url}/v1/models/risk:predict", json={"instances": [instance]})
    assert answer.status_code == 400
    assert says in answer.json()["error"]


@pytest.mark.parametrize("binary", [False, True])
def test_v2_describes_the_model_and_answers_accordingly(served: tuple[LiveServer, str], binary: bool) -> None:
    live, datatype = served
    metadata = httpx.get(f"{live.url}/v2/models/risk").json()
    assert metadata["inputs"] == [{"name": "features", "datatype": "FP64", "shape": [-1, 2]}]
    assert metadata["outputs"] == [
        {"name": "predict", "datatype": datatype, "shape": [-1]},
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
        {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2]},
    ]
    columns = zip(("km per year", "age"), ([1.5, 1.5], [22.0, 65.0]), strict=True)
    inputs = [{"name": name, "datatype": "FP64", "shape": [2], "data": values} for name, values in columns]
    outputs = [{"name": "predict", "parameters": {"binary_data": binary}}]
    answer = httpx.post(f"{live.url}/v2/models/risk/infer", json={"inputs": inputs, "outputs": outputs})
    length = int(answer.headers.get("inference-header-content-length", len(answer.content)))
    assert (length < len(answer.content)) == binary
    if not binary:
        [predicted] = answer.json()["outputs"]
        assert predicted == {"name": "predict", "datatype": datatype, "shape": [2], "data": list(LABELS[datatype])}
    elif datatype == "BOOL":
        assert answer.content[length:] == b"\x01\x00"


def test_grpc(served: tuple[LiveServer, str]) -> None:
    live, datatype = served
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP64", shape=[2, 2])
    tensor.contents.fp64_contents.extend(YOUNG + OLD)
    with grpc.insecure_channel(live.grpc_address) as channel:
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        answer = stub.ModelInfer(pb.ModelInferRequest(model_name="risk", inputs=[tensor]))
    [predicted] = [output for output in answer.outputs if output.name == "predict"]
    assert predicted.datatype == datatype
    field = {"BYTES": "bytes_contents", "BOOL": "bool_contents", "INT64": "int64_contents"}[datatype]
    values = list(getattr(predicted.contents, field))
    assert values == [label.encode() if isinstance(label, str) else label for label in LABELS[datatype]]


def test_the_earlier_services_path_and_the_openapi_document(served: tuple[LiveServer, str]) -> None:
    live, datatype = served
    answer = httpx.post(f"{live.url}/predict", json={"features": YOUNG})
    assert answer.status_code == 200
    assert answer.json()["prediction"] == LABELS[datatype][0]
    document = httpx.get(f"{live.url}/openapi.json").json()
    schema = document["paths"]["/v1/models/risk:predict"]["post"]["responses"]["200"]["content"]["application/json"]
    kind = {"BYTES": "string", "BOOL": "boolean", "INT64": "integer"}[datatype]
    assert schema["schema"]["properties"]["predictions"]["items"] == {"type": kind}


def test_a_sentiment_classifier(tmp_path: Path) -> None:
    texts = ["a fine film", "what a bore", "so fine", "boring and long"] * 3
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)).fit(texts, [1, 0] * 6)
    packed = package_texts(model, b"", settings={"unknown_threshold": 0.6}, names=Names(classes=("bad", "good")))
    write_artifact(tmp_path, packed, "2")
    with serve("intent", "--model_dir", str(tmp_path), "--model_name", "sentiment") as live:
        live.wait_ready()
        answer = httpx.post(
            f"{live.url}/v1/models/sentiment:predict", json={"instances": ["fine, so fine", "boring", "zebra"]}
        ).json()
        assert answer["predictions"] == ["good", "bad", "unknown"]
        outputs = httpx.get(f"{live.url}/v2/models/sentiment").json()["outputs"]
        assert outputs[1] == {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2]}
