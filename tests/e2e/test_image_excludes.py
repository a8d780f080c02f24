"""The server without the packages that images leave out (scripts/image_excludes.txt)."""

import json
import re
import subprocess
import sys
from pathlib import Path

import grpc
import httpx
import numpy as np
import pytest

from predictors.serving.model.kserve_api import pb
from tests.live import JSON, ROOT, pb_grpc, serve, wait_for
from tests.unit.sklearn.conftest import pack, write
from tests.unit.sklearn.users import USERS

# Where the module is not called as its package is.
MODULES = {"grpc-interceptor": "grpc_interceptor", "grpcio-tools": "grpc_tools", "ml-dtypes": "ml_dtypes", "pillow": "PIL", "pyjwt": "jwt", "timing-asgi": "timing_asgi"}  # fmt: skip


def excluded() -> list[str]:
    text = (ROOT / "scripts/image_excludes.txt").read_text()
    return re.findall(r"^[\w-]+", text, re.MULTILINE)


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the excluded packages fail to import, as if they were not installed."""
    directory = tmp_path_factory.mktemp("hidden")
    for package in excluded():
        name = MODULES.get(package, package)
        (directory / f"{name}.py").write_text(f"raise ModuleNotFoundError('No module named {name}', name='{name}')\n")
    return {"PYTHONPATH": str(directory)}


def test_the_list_names_packages_that_would_be_installed() -> None:
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    assert excluded()
    assert not [package for package in excluded() if package not in pinned]


def test_iris_and_intent_answer_every_protocol(artifacts: Path, without: dict[str, str]) -> None:
    with serve("iris", "intent", env=without) as live:
        live.wait_ready()
        row = [5.1, 3.5, 1.4, 0.2]
        v1 = httpx.post(f"{live.url}/v1/models/iris:predict", json={"instances": [row]}).json()
        body = {"inputs": [{"name": "features", "shape": [1, 4], "datatype": "FP64", "data": row}]}
        v2 = httpx.post(f"{live.url}/v2/models/iris/infer", json=body).json()
        tensor = pb.ModelInferRequest.InferInputTensor(name="features", datatype="FP64", shape=[1, 4])
        request = pb.ModelInferRequest(model_name="iris", inputs=[tensor], raw_input_contents=[np.array(row).tobytes()])
        with grpc.insecure_channel(live.grpc_address) as channel:
            answer = pb_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=60)
        assert v1["labels"] == ["setosa"]
        assert [output.name for output in answer.outputs] == ["predict", "label", "predict_proba"]
        assert {output["name"]: output["data"] for output in v2["outputs"]}["label"] == ["setosa"]
        intent = '{"instances": ["where is my parcel"]}'
        answer = httpx.post(f"{live.url}/v1/models/intent:predict", content=intent, headers=JSON).json()
        assert answer["predictions"] == ["question"]
        assert live.terminate() == 0
    assert "Traceback" not in "".join(live.raw)


def test_scikit_learn_models_are_served_without_what_makes_onnx_files(without: dict[str, str], tmp_path: Path) -> None:
    """In their image, as in this environment, there is no pandas but for named columns."""
    write(pack(USERS["histogram gradient boosting"]().model), tmp_path)
    with serve("sklearn", "--model_dir", str(tmp_path), env=without) as live:
        live.wait_ready()
        row = USERS["histogram gradient boosting"]().instances[0]
        answer = httpx.post(f"{live.url}/v1/models/sklearn:predict", json={"instances": [row]}).json()
        assert answer["predictions"] == [0]
        assert httpx.get(f"{live.url}/models").json()["models"]["sklearn"]["format"] == "onnx"


def test_requests_are_shadowed(artifacts: Path, without: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "shadow.json"
    with serve("iris", "--shadow_file", str(file), env=without) as live, httpx.Client(base_url=live.url) as client:
        live.wait_ready()
        file.write_text(json.dumps({"models": {"iris": {"url": live.url, "percent": 100}}}))  # its own canary

        def agrees() -> bool:
            client.post("/v1/models/iris:predict", json={"instances": [[5.1, 3.5, 1.4, 0.2]]}).raise_for_status()
            return 'outcome="agree"' in client.get("/metrics").text

        wait_for(agrees, "a comparison")
    assert "Traceback" not in "".join(live.raw)


def test_commands_work(without: dict[str, str], artifacts: Path) -> None:
    command = [sys.executable, "-m", "predictors", "artifact", "verify", str(artifacts / "iris")]
    subprocess.run(command, cwd=ROOT, env={**without, "PATH": ""}, check=True, capture_output=True, timeout=120)


@pytest.mark.parametrize("use", ["pandas.DataFrame", "kserve.protocol.infer_type.pd.DataFrame"])
def test_with_pandas_kserve_gets_the_real_one(use: str) -> None:
    code = (
        "import sys; sys.argv = ['x']\n"
        "from predictors.serving.model.kserve_api import InferRequest\n"
        "assert 'pandas' not in sys.modules\n"
        "import kserve.protocol.infer_type, pandas\n"
        f"assert {use} is pandas.DataFrame\n"
        "assert isinstance(pandas, type(sys)) and pandas.__file__\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)


def test_a_failed_import_leaves_no_stand_in_for_pandas() -> None:
    code = (
        "import sys; sys.argv = ['x']; sys.modules['kserve.protocol.infer_type'] = None\n"
        "try:\n"
        "    import predictors.serving.model.kserve_api\n"
        "except ModuleNotFoundError:\n"
        "    sys.exit('pandas' in sys.modules)\n"
        "sys.exit('the import did not fail')\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)
