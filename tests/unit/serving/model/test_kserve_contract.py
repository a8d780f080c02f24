"""The predictors are KServe models: its own server's way of calling them works too."""

import asyncio
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from predictors.intent.model import IntentPredictor
from predictors.iris.model import IrisPredictor
from predictors.serving.model.kserve_api import InferRequest, KServeInvalidInput, Model, pb
from predictors.serving.settings import Source
from tests.live import ARTIFACTS


@pytest.fixture(scope="module")
def iris() -> IrisPredictor:
    model = IrisPredictor("iris", Source(ARTIFACTS / "iris"))
    model.load()
    return model


def call(model: Any, payload: Any) -> Any:
    answer, _ = asyncio.run(model(payload))
    return answer


def test_they_are_kserve_models() -> None:
    from predictors.summarizer.model import SummarizerPredictor

    for predictor in (IrisPredictor, IntentPredictor, SummarizerPredictor):
        assert issubclass(predictor, Model)


def test_v1_dict(iris: IrisPredictor) -> None:
    answer = call(iris, {"instances": [[5.1, 3.5, 1.4, 0.2]]})
    assert (answer["predictions"], answer["labels"], answer["model_version"]) == ([0], ["setosa"], "1")


@pytest.mark.parametrize("raw", [False, True])
def test_infer_request(iris: IrisPredictor, raw: bool) -> None:
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, 4])
    row = np.array([5.1, 3.5, 1.4, 0.2], dtype="<f4")
    if not raw:
        tensor.contents.fp32_contents.extend(row.tolist())
    message = pb.ModelInferRequest(
        model_name="iris", id="7", inputs=[tensor], raw_input_contents=[row.tobytes()] if raw else []
    )
    response = call(iris, InferRequest.from_grpc(message))
    assert (response.id, response.model_name, response.model_version) == ("7", "iris", "1")
    found = {output.name: output.as_numpy().tolist() for output in response.outputs}
    assert found["predict"] == [0]
    assert found["label"] in (["setosa"], [b"setosa"])
    assert np.shape(found["predict_proba"]) == (1, 3)


def test_bad_input_raises(iris: IrisPredictor) -> None:
    with pytest.raises(KServeInvalidInput, match="3 elements"):
        call(iris, {"instances": [[1, 2, 3]]})


def test_metadata(iris: IrisPredictor) -> None:
    assert iris.get_input_types() == [{"name": "features", "datatype": "FP64", "shape": [-1, 4]}]
    assert [entry["name"] for entry in iris.get_output_types()] == ["predict", "label", "predict_proba"]


def test_the_kserve_package_stays_whole_for_others() -> None:
    code = (
        "import sys; sys.argv += ['--max', '3']\n"  # KServe's parser would exit on this, were it imported
        "import predictors.serving.model.kserve_api as api\n"
        "assert 'kserve.model_server' not in sys.modules\n"
        "sys.argv = sys.argv[:1]\n"
        "import kserve\n"
        "assert kserve.Model is api.Model and kserve.ModelServer and kserve.KServeClient\n"
        "from kserve import utils, constants\n"
        "assert utils.__name__ == 'kserve.utils.utils' and constants.__name__ == 'kserve.constants.constants'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.llama
def test_calls_at_once_take_turns(artifacts: object) -> None:
    """llama.cpp's context aborts the process if two threads use it."""
    from predictors.summarizer.model import SummarizerPredictor
    from predictors.summarizer.settings import SummarizerSettings

    model = SummarizerPredictor("summarizer", Source(ARTIFACTS / "summarizer"), SummarizerSettings(context_tokens=512))
    model.load()

    async def scenario() -> list[Any]:
        payload = {"instances": ["You pay 9 euros a month."], "parameters": {"max_tokens": 8}}
        return list(await asyncio.gather(*(model.predict(payload) for _ in range(4))))

    answers = asyncio.run(scenario())
    model.close()
    assert len({answer["predictions"][0] for answer in answers}) == 1
