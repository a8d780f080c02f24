"""Any scikit-learn model over the network: the protocols, requests computed together, and errors that name the feature."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.live import LiveServer, serve
from tests.unit.sklearn.conftest import pack, write
from tests.unit.sklearn.users import USERS, User


class Served:
    """A user's model, and a server that serves it under the name `mine`.

    Args:
        user: the model.
        live: the server.
    """

    def __init__(self, user: User, live: LiveServer) -> None:
        self.user = user
        self.live = live
        self.http = httpx.Client(base_url=live.url, timeout=60)

    def v1(self, instances: list[Any], **fields: Any) -> httpx.Response:
        return self.http.post("/v1/models/mine:predict", json={"instances": instances, **fields})

    def infer(self, *tensors: dict[str, Any]) -> httpx.Response:
        return self.http.post("/v2/models/mine/infer", json={"inputs": list(tensors)})


def served(name: str, directory: Path, *formats: str) -> Iterator[Served]:
    user = USERS[name]()
    write(pack(user.model), directory, *formats)
    with serve("sklearn", "--model_dir", str(directory), "--model_name", "mine", "--trust_artifact") as live:
        each = Served(user, live.wait_ready())
        yield each
        each.http.close()


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Histogram gradient boosting over numbers, as ONNX."""
    yield from served("histogram gradient boosting", tmp_path_factory.mktemp("wine"))


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A pipeline over columns, computed by scikit-learn."""
    yield from served("columns of a data frame", tmp_path_factory.mktemp("columns"), "skops")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A text pipeline with labels that are strings."""
    yield from served("TF-IDF and logistic regression", tmp_path_factory.mktemp("texts"))


def column(name: str, datatype: str, *values: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(values)], "data": list(values)}


def test_metadata_is_the_models_own(wine: Served, columns: Served) -> None:
    said = wine.http.get("/v2/models/mine").json()
    assert said["inputs"] == [{"name": "features", "datatype": "FP64", "shape": [-1, 13]}]
    assert [(each["name"], each["datatype"], each["shape"]) for each in said["outputs"]] == [
        ("predict", "INT64", [-1]),
        ("predict_proba", "FP64", [-1, 3]),
    ]
    assert [each["name"] for each in columns.http.get("/v2/models/mine").json()["inputs"]] == ["age", "plan", "seats"]


def test_v1_gives_what_scikit_learn_gives(wine: Served, columns: Served, texts: Served) -> None:
    for each in (wine, columns, texts):
        answer = each.v1(each.user.instances).json()
        assert answer["predictions"] == each.user.model.predict(each.user.rows).tolist()
        likely = each.user.model.predict_proba(each.user.rows)
        np.testing.assert_allclose(answer["probabilities"], likely, rtol=1e-5, atol=1e-6)
        assert answer["model_version"] == "1"


def test_v2_takes_one_tensor_for_each_column(columns: Served) -> None:
    answer = columns.infer(
        column("seats", "INT32", 1, 12), column("age", "FP32", 23.0, None), column("plan", "BYTES", "basic", "team")
    )
    assert answer.status_code == 200, answer.text
    rows = [{"age": 23.0, "plan": "basic", "seats": 1}, {"age": None, "plan": "team", "seats": 12}]
    assert answer.json()["outputs"][0]["data"] == columns.v1(rows).json()["predictions"]


# Triton's messages and KServe's cannot live in one process.
TRITON = """
import json, sys
import numpy as np
import tritonclient.{module} as triton

address, tensors = sys.argv[1], json.loads(sys.argv[2])
client = triton.InferenceServerClient(address)
given = []
for name, datatype, rows in tensors:
    array = np.array(rows, dtype=object if datatype == "BYTES" else np.float64)
    tensor = triton.InferInput(name, array.shape, datatype)
    tensor.set_data_from_numpy(array)
    given.append(tensor)
found = client.infer("mine", given)
labels = [label.decode() if isinstance(label, bytes) else label for label in found.as_numpy("predict").tolist()]
print(json.dumps([labels, found.as_numpy("predict_proba").tolist()]))
client.close()
"""


@pytest.mark.parametrize("module", ["http", "grpc"])
def test_tritons_clients(module: str, wine: Served, columns: Served, texts: Served) -> None:
    frame = columns.user.rows
    for each, tensors in (
        (wine, [("features", "FP64", wine.user.instances)]),
        (columns, [(name, "BYTES" if name == "plan" else "FP64", frame[name].tolist()) for name in frame]),
        (texts, [("text", "BYTES", texts.user.instances)]),
    ):
        address = each.live.url.removeprefix("http://") if module == "http" else each.live.grpc_address
        command = [sys.executable, "-c", TRITON.format(module=module), address, json.dumps(tensors)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
        labels, likely = json.loads(result.stdout)
        assert labels == each.user.model.predict(each.user.rows).tolist()
        np.testing.assert_allclose(likely, each.user.model.predict_proba(each.user.rows), rtol=1e-5, atol=1e-6)


def test_requests_that_are_computed_together_get_their_own_answers(columns: Served, texts: Served) -> None:
    for each in (columns, texts):
        wanted = each.user.model.predict(each.user.rows).tolist()
        turns = list(range(len(wanted))) * 8
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda turn, each=each: each.v1([each.user.instances[turn]]).json(), turns))
        assert [answer["predictions"] for answer in answers] == [[wanted[turn]] for turn in turns]


@pytest.mark.parametrize(
    ("instances", "says"),
    [
        ([{"age": "old", "plan": "pro", "seats": 1}], "instances[0].age is a string; a number or null is expected"),
        ([{"age": 3, "plan": 7, "seats": 1}], "instances[0].plan is a number; a string is expected"),
        ([{"age": 3, "plan": None, "seats": 1}], "instances[0].plan is null; a string is expected"),
        ([{"age": 3, "plan": "pro"}], 'instances[0] lacks the field "seats"'),
        (
            [{"age": 3, "plan": "pro", "seats": 1, "x": 1}],
            'instances[0] has an unknown field "x"; allowed are age, plan',
        ),
        ([[3, "pro"]], "instances[0] has 2 elements; 3 are expected: age, plan, seats"),
        (["pro"], "instances[0] is a string; an object with the fields age, plan, seats is expected"),
        ([{"age": 1e300, "plan": "pro", "seats": 1}], "instances[0].age is not a finite number"),
    ],
)
def test_a_bad_row_of_columns_is_refused_by_name(columns: Served, instances: list[Any], says: str) -> None:
    answer = columns.v1(instances)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ([column("age", "FP64", 1)], '"inputs" has 1 tensors'),
        ([column("age", "BYTES", "x"), column("plan", "BYTES", "x"), column("seats", "FP64", 1)], "takes FP64"),
        ([column("age", "FP64", 1), column("plan", "BYTES", None), column("seats", "FP64", 1)], "null"),
        ([column("age", "FP64", 1, 2), column("plan", "BYTES", "x"), column("seats", "FP64", 1)], "rows"),
        (
            [column("age", "FP64", 1), column("plan", "BYTES", "x"), column("seat", "FP64", 1)],
            'lacks the tensor "seats"',
        ),
    ],
)
def test_bad_tensors_are_refused(columns: Served, tensors: list[dict[str, Any]], says: str) -> None:
    answer = columns.infer(*tensors)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_a_bad_number_is_refused_by_its_name(wine: Served) -> None:
    row: list[Any] = [*wine.user.instances[0][:12], "x"]
    assert wine.v1([row]).json() == {"error": "instances[0][12] (x12) is a string; a number is expected"}
    row[12] = None
    assert wine.v1([row]).json() == {"error": "instances[0][12] (x12) is null; a number is expected"}
    answer = wine.v1([wine.user.instances[0]], parameters={"trees": 3})
    assert answer.json() == {"error": 'unknown parameter "trees"; this model takes none'}


def test_labels_and_confidence_are_counted(texts: Served) -> None:
    def counted(metric: str) -> float:
        lines = texts.http.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(metric))

    before = counted("predictions_total{"), counted("prediction_confidence_count{")
    [label] = texts.v1(["a lovely shop"]).json()["predictions"]
    after = counted("predictions_total{"), counted("prediction_confidence_count{")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1]
    assert f'label="{label}"' in texts.http.get("/metrics").text


def test_the_openapi_document_has_the_columns(columns: Served) -> None:
    document = columns.http.get("/openapi.json").json()
    operation = document["paths"]["/v1/models/mine:predict"]["post"]
    request = operation["requestBody"]["content"]["application/json"]["schema"]
    row = request["properties"]["instances"]["items"]["anyOf"][0]
    assert list(row["properties"]) == row["required"] == ["age", "plan", "seats"]
    assert {"type": "null"} in row["properties"]["age"]["anyOf"]
    assert row["properties"]["plan"]["type"] == "string"
